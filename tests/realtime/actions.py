"""What somebody can do with rooms, listings and people, each as a step from what it needs."""

from typing import Any

from tests.realtime.world import Act, Cases, World
from tests.server.chat.conftest import message, say
from tests.server.trades.market import Deal, done

CASES = Cases()


# --- rooms


@CASES.of("POST /v1/chatrooms")
async def open_a_room(world: World) -> Act:
    listing_id = await world.market.sell(world.seller)
    return lambda: world.buyer.post("/v1/chatrooms", {"listing_id": listing_id})


@CASES.of("POST /v1/chatrooms/{room_id}/messages")
async def send(world: World) -> Act:
    deal = await world.deal()
    return lambda: world.buyer.post(f"/v1/chatrooms/{deal.room_id}/messages", message())


@CASES.of("POST /v1/chatrooms/{room_id}/messages")
async def send_what_is_warned_of(world: World) -> Act:
    deal = await world.deal()
    body = message("010-1234-5678", confirmed=True)
    return lambda: world.buyer.post(f"/v1/chatrooms/{deal.room_id}/messages", body)


@CASES.of("DELETE /v1/chatrooms/{room_id}/messages/{seq}")
async def delete_a_message(world: World) -> Act:
    deal = await world.deal()
    sent = await say(world.buyer, deal.room_id)
    return lambda: world.buyer.delete(f"/v1/chatrooms/{deal.room_id}/messages/{sent['seq']}")


@CASES.of("PUT /v1/chatrooms/{room_id}/read")
async def read(world: World) -> Act:
    deal = await world.deal()
    sent = await say(world.buyer, deal.room_id)
    path = f"/v1/chatrooms/{deal.room_id}/read"
    return lambda: world.seller.put(path, {"seq": sent["seq"]})


@CASES.of("PUT /v1/chatrooms/{room_id}/mute")
async def mute(world: World) -> Act:
    deal = await world.deal()
    return lambda: world.seller.put(f"/v1/chatrooms/{deal.room_id}/mute")


@CASES.of("DELETE /v1/chatrooms/{room_id}/mute")
async def unmute(world: World) -> Act:
    deal = await world.deal()
    await world.seller.put(f"/v1/chatrooms/{deal.room_id}/mute")
    return lambda: world.seller.delete(f"/v1/chatrooms/{deal.room_id}/mute")


@CASES.of("POST /v1/chatrooms/{room_id}/leave")
async def leave(world: World) -> Act:
    deal = await world.deal()
    return lambda: world.buyer.post(f"/v1/chatrooms/{deal.room_id}/leave")


@CASES.of("POST /v1/chatrooms/{room_id}/messages")
async def write_to_who_has_left(world: World) -> Act:
    deal = await world.deal()
    await world.buyer.post(f"/v1/chatrooms/{deal.room_id}/leave")
    return lambda: world.seller.post(f"/v1/chatrooms/{deal.room_id}/messages", message())


# --- listings


@CASES.of("POST /v1/listings")
async def sell(world: World) -> Act:
    body = {"title": "Lens", "description": "", "category": "digital", "price": 1, "state": "draft"}
    return lambda: world.seller.post("/v1/listings", body)


@CASES.of("PATCH /v1/listings/{listing_id}")
async def change_the_price(world: World) -> Act:
    deal = await world.deal()
    await world.offer(deal)
    return await _patched(world, deal, price=70_000)


@CASES.of("PATCH /v1/listings/{listing_id}")
async def change_the_title(world: World) -> Act:
    return await _patched(world, await world.deal(), title="A better camera")


async def _patched(world: World, deal: Deal, **fields: Any) -> Act:
    path = f"/v1/listings/{deal.listing_id}"
    version = (await done(world.seller.get(path)))["version"]
    return lambda: world.seller.patch(path, fields, headers={"If-Match": f'"{version}"'})


@CASES.of("DELETE /v1/listings/{listing_id}")
async def delete_a_listing(world: World) -> Act:
    deal = await world.deal()
    await world.offer(deal)
    return lambda: world.seller.delete(f"/v1/listings/{deal.listing_id}")


@CASES.of("POST /v1/listings/{listing_id}/sold-elsewhere")
async def sell_elsewhere(world: World) -> Act:
    deal = await world.deal()
    await world.offer(deal)
    return lambda: world.seller.post(f"/v1/listings/{deal.listing_id}/sold-elsewhere")


@CASES.of("POST /v1/listings/{listing_id}/undo-sold-elsewhere")
async def sell_after_all(world: World) -> Act:
    deal = await world.deal()
    await done(world.seller.post(f"/v1/listings/{deal.listing_id}/sold-elsewhere"))
    return lambda: world.seller.post(f"/v1/listings/{deal.listing_id}/undo-sold-elsewhere")


@CASES.of("PUT /v1/listings/{listing_id}/like")
async def like(world: World) -> Act:
    deal = await world.deal()
    return lambda: world.buyer.put(f"/v1/listings/{deal.listing_id}/like")


@CASES.of("DELETE /v1/listings/{listing_id}/like")
async def unlike(world: World) -> Act:
    deal = await world.deal()
    await world.buyer.put(f"/v1/listings/{deal.listing_id}/like")
    return lambda: world.buyer.delete(f"/v1/listings/{deal.listing_id}/like")


# --- people


@CASES.of("PATCH /v1/me")
async def rename(world: World) -> Act:
    await world.deal()
    return lambda: world.buyer.patch("/v1/me", {"display_name": "another name"})


@CASES.of("PUT /v1/accounts/{account_id}/block")
async def block(world: World) -> Act:
    deal = await world.deal()
    await world.market.reserved(deal)
    path = f"/v1/accounts/{world.seller.id}/block"
    return lambda: world.buyer.put(f"{path}?cancel_trade=true")


@CASES.of("PUT /v1/accounts/{account_id}/block")
async def block_what_was_offered_and_what_was_handed_over(world: World) -> Act:
    await world.offer(await world.deal())
    await world.market.act(world.seller, await world.market.reserved(await world.deal()), "confirm")
    return lambda: world.buyer.put(f"/v1/accounts/{world.seller.id}/block")


@CASES.of("DELETE /v1/accounts/{account_id}/block")
async def unblock_what_was_handed_over(world: World) -> Act:
    await world.market.act(world.seller, await world.market.reserved(await world.deal()), "confirm")
    path = f"/v1/accounts/{world.buyer.id}/block"
    await world.seller.put(path)
    return lambda: world.seller.delete(path)


@CASES.of("DELETE /v1/accounts/{account_id}/block")
async def unblock(world: World) -> Act:
    await world.deal()
    path = f"/v1/accounts/{world.buyer.id}/block"
    await world.seller.put(path)
    return lambda: world.seller.delete(path)


@CASES.of("DELETE /v1/me")
async def leave_the_market(world: World) -> Act:
    deal = await world.deal()
    await world.offer(deal)
    return lambda: world.other.delete("/v1/me")


@CASES.of("PUT /v1/notifications/read")
async def read_the_notices(world: World) -> Act:
    await world.offer(await world.deal())
    newest = (await world.market.notices(world.seller))[0]["id"]
    return lambda: world.seller.put("/v1/notifications/read", {"up_to_id": newest})
