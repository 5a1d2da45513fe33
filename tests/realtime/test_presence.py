"""Who looks at a room is seen by the other side, for as long as both look."""

import pytest

from server.realtime.settings import RealtimeSettings
from tests.realtime.conftest import PATIENCE_S, Connect, Device, Person


async def test_who_looks_at_a_room_is_seen_by_the_other_side(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    theirs, mine = await join(seller), await join(buyer)
    await mine.say("open", chatroom_id=room)
    assert (await theirs.until("ephemeral", kind="presence"))["data"]["on"] is True
    await theirs.say("open", chatroom_id=room)
    for device, other in ((theirs, buyer), (mine, seller)):
        seen = await device.until("ephemeral", kind="presence")
        assert seen["data"] == {"account_id": str(other.id), "on": True}
    await mine.socket.close()
    assert (await theirs.until("ephemeral", kind="presence"))["data"]["on"] is False


class TestStillHere:
    """A device that looks at a room answers pings; the other one does not, and is not cut off."""

    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(ping_s=0.02, pong_s=PATIENCE_S)

    async def test_is_told_to_nobody_who_does_not_look_too(
        self, join: Connect, seller: Person, buyer: Person, room: str
    ) -> None:
        theirs, mine = await join(seller), await join(buyer)
        await mine.say("open", chatroom_id=room)
        assert await told_after_pings(mine, theirs, room) == [True]

    async def test_is_told_to_who_looks_too_for_as_long_as_they_do(
        self, join: Connect, seller: Person, buyer: Person, room: str
    ) -> None:
        theirs, mine = await join(seller), await join(buyer)
        await see_each_other_until_one_leaves(mine, theirs, room)


class TestAfterAnOutage:
    """What each side knew of the other has expired before anybody could say that it is there."""

    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(ping_s=0.02, pong_s=PATIENCE_S, presence_ttl_ms=0)

    async def test_who_still_looks_is_told_of_again_until_they_look_away(
        self, join: Connect, seller: Person, buyer: Person, room: str
    ) -> None:
        theirs, mine = await join(seller), await join(buyer)
        await see_each_other_until_one_leaves(mine, theirs, room)


async def see_each_other_until_one_leaves(mine: Device, theirs: Device, room: str) -> None:
    """I am told of after each ping while both look, and no more when they have left."""
    await mine.say("open", chatroom_id=room)
    await theirs.until("ephemeral", kind="presence")
    await theirs.say("open", chatroom_id=room)
    await answer_pings(mine, until=True)
    assert len(await told_after_pings(mine, theirs, room)) > 3
    await theirs.say("close", chatroom_id=room)
    await answer_pings(mine, until=False)
    assert len(await told_after_pings(mine, theirs, room)) <= 1


async def answer_pings(device: Device, *, until: bool) -> None:
    """Until it hears that the other side looks, or no more."""
    while (frame := await device.hear())["t"] != "ephemeral" or frame["data"]["on"] is not until:
        if frame["t"] == "ping":
            await device.say("pong", n=frame["n"])


async def told_after_pings(mine: Device, theirs: Device, room: str) -> list[bool]:
    """What the other side heard of my looking while I answered five pings and wrote."""
    for _ in range(5):
        await mine.say("pong", n=(await mine.until("ping"))["n"])
    await mine.until("ping")  # what the last answer has led to is done
    await mine.send(room)
    told = []
    while (frame := await theirs.hear())["t"] != "event":
        if frame["t"] == "ephemeral":
            told.append(frame["data"]["on"])
    await mine.say("pong", n=0)
    return told
