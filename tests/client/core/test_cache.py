from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from client_tui.core.cache import Cache
from client_tui.core.changes import Change, Position
from client_tui.core.errors import CopiesLost
from shared_models.chat import ReadMark
from shared_models.notifications import NotificationsSeen
from tests.client.core.fakes import (
    EPOCH,
    LISTING,
    ME,
    OTHER,
    ROOM,
    bootstrap,
    card,
    kept_rooms,
    listing,
    message,
    new_message,
    notification,
    room,
)

epoch = str(EPOCH)


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[Cache]:
    cache = await Cache(tmp_path / "cache.db", ME, messages_max=100).open()
    yield cache
    await cache.close()


async def test_events_change_the_room_and_the_position_together(cache: Cache) -> None:
    await cache.rebase(bootstrap(0, [room()]))
    await cache.apply(epoch, [new_message(1), new_message(2, sender=ME), new_message(3)])
    [kept] = await kept_rooms(cache)
    assert (kept.last_seq, kept.unread) == (3, 2)
    assert kept.last_message is not None
    assert kept.last_message.text == "message 3"
    assert await cache.position() == Position(epoch, 3)


async def test_a_system_line_is_unread_only_for_who_did_not_cause_it(cache: Cache) -> None:
    await cache.rebase(bootstrap(0, [room()]))
    for pos, actor in enumerate((ME, OTHER, None), start=1):
        note = {"event": "trade_reserved", "actor_id": actor}
        await cache.apply(epoch, [new_message(pos, sender=None, kind="system", system=note)])
    [kept] = await kept_rooms(cache)
    by_the_other_and_by_a_timer = 2
    assert kept.unread == by_the_other_and_by_a_timer


async def test_read_marks_only_move_up(cache: Cache) -> None:
    await cache.rebase(bootstrap(0, [room(last_seq=9, unread=9)]))
    marks = [(ME, 7, 2), (ME, 5, 4), (OTHER, 6, 0), (OTHER, 3, 0)]
    changes = [
        Change(
            pos,
            "chatroom.read",
            ReadMark(chatroom_id=ROOM, account_id=who, seq=seq, unread=unread),
        )
        for pos, (who, seq, unread) in enumerate(marks, start=1)
    ]
    await cache.apply(epoch, changes)
    [kept] = await kept_rooms(cache)
    assert (kept.read_seq, kept.unread, kept.peer_read_seq) == (7, 2, 6)


async def test_the_count_of_unread_notices_follows_the_events(cache: Cache) -> None:
    await cache.rebase(bootstrap(0))
    notices = [notification(number) for number in (1, 2, 3)]
    came = [Change(pos, "notification.new", one) for pos, one in enumerate(notices, start=1)]
    seen = NotificationsSeen(up_to_id=notices[1].id, unread=1)
    await cache.apply(epoch, [*came, Change(4, "notification.read", seen)])
    copies = await cache.copies()
    assert copies is not None
    assert copies.unread_notifications == 1


async def test_two_programs_that_share_the_copies_apply_each_event_once(
    cache: Cache, tmp_path: Path
) -> None:
    other = await Cache(tmp_path / "cache.db", ME).open()
    await cache.rebase(bootstrap(0, [room()]))
    notices = [Change(pos, "notification.new", notification(pos)) for pos in (1, 2)]
    changes = [*notices, new_message(3, 1)]
    await cache.apply(epoch, changes)
    await other.apply(epoch, changes[:2])
    assert await other.position() == Position(epoch, 3)
    await other.apply(epoch, [*changes[2:], new_message(4, 2)])
    await cache.apply(epoch, [new_message(4, 2), new_message(5, 3)])
    [kept] = await kept_rooms(other)
    assert (kept.last_seq, kept.unread) == (3, 3)
    copies = await cache.copies()
    assert copies is not None
    assert copies.unread_notifications == 2
    assert await cache.position() == Position(epoch, 5)
    await other.close()


@pytest.mark.parametrize(("at", "pos"), [(epoch, 9), (str(UUID(int=8)), 1)])
async def test_events_that_do_not_go_on_from_the_copies_are_not_applied(
    cache: Cache, at: str, pos: int
) -> None:
    await cache.rebase(bootstrap(0, [room()]))
    with pytest.raises(CopiesLost):
        await cache.apply(at, [new_message(pos)])
    assert await cache.position() == Position(epoch, 0)
    assert await cache.messages(ROOM) == []


async def test_a_tombstone_is_never_overwritten_by_an_older_copy(cache: Cache) -> None:
    await cache.rebase(bootstrap(0, [room()]))
    gone = message(1, deleted=True, text="")
    await cache.apply(epoch, [new_message(1), Change(2, "message.deleted", gone)])
    await cache.save_messages([message(1)])
    assert await cache.messages(ROOM) == [gone]
    [kept] = await kept_rooms(cache)
    assert kept.last_message == gone


async def test_a_changed_listing_changes_the_cards_of_its_rooms(cache: Cache) -> None:
    await cache.rebase(bootstrap(0, [room()]))
    await cache.apply(epoch, [Change(1, "listing.changed", card(state="sold"))])
    [kept] = await kept_rooms(cache)
    assert kept.listing.id == LISTING
    assert kept.listing.state == "sold"


async def test_a_late_answer_undoes_no_event(cache: Cache) -> None:
    await cache.rebase(bootstrap(0, [room()]))
    await cache.apply(epoch, [new_message(1), new_message(2)])
    await cache.save_room(room(last_seq=1, unread=1, muted=True))
    [kept] = await kept_rooms(cache)
    assert (kept.last_seq, kept.unread, kept.muted) == (2, 2, True)


async def test_a_bootstrap_throws_away_what_it_may_contradict(cache: Cache) -> None:
    await cache.rebase(bootstrap(0, [room()]))
    await cache.apply(epoch, [new_message(1)])
    other = UUID(int=77)
    await cache.rebase(bootstrap(50, [room(id=other)]))
    assert [kept.id for kept in await kept_rooms(cache)] == [other]
    assert await cache.messages(ROOM) == []
    assert await cache.position() == Position(epoch, 50)


async def test_messages_are_read_back_in_order_from_any_place(cache: Cache) -> None:
    await cache.save_messages([message(seq) for seq in (5, 3, 4, 9)])
    assert [kept.seq for kept in await cache.messages(ROOM, limit=3)] == [4, 5, 9]
    assert [kept.seq for kept in await cache.messages(ROOM, before=5)] == [3, 4]
    assert [kept.seq for kept in await cache.messages(ROOM, after=4)] == [5, 9]


async def test_there_are_never_many_more_messages_than_allowed_and_the_newest_stay(
    cache: Cache,
) -> None:
    quiet = UUID(int=77)
    await cache.rebase(bootstrap(0, [room(), room(id=quiet, active_at="2020-01-01T00:00:00Z")]))
    await cache.save_messages([message(seq, chatroom_id=quiet) for seq in range(1, 81)])
    await cache.save_messages([message(seq) for seq in range(1, 81)])
    busy_left = [kept.seq for kept in await cache.messages(ROOM, limit=200)]
    quiet_left = [kept.seq for kept in await cache.messages(quiet, limit=200)]
    await cache.save_messages([message(seq) for seq in range(81, 281)])
    assert len(busy_left) + len(quiet_left) <= 160
    busy_left = [kept.seq for kept in await cache.messages(ROOM, limit=500)]
    quiet_left = [kept.seq for kept in await cache.messages(quiet, limit=500)]
    assert busy_left == list(range(231, 281))
    assert quiet_left == list(range(31, 81))


async def test_a_broken_file_is_replaced_by_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(b"this is no database" * 100)
    cache = await Cache(path, ME).open()
    assert await cache.position() is None
    await cache.close()


async def test_the_files_are_for_the_owner_only(tmp_path: Path) -> None:
    cache = await Cache(tmp_path / "a" / "cache.db", ME).open()
    await cache.close()
    assert (tmp_path / "a" / "cache.db").stat().st_mode & 0o077 == 0
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0


async def test_a_listing_is_kept_until_it_changes_or_too_many_newer_ones_come(
    tmp_path: Path,
) -> None:
    cache = await Cache(tmp_path / "listings.db", ME, listings_max=2).open()
    await cache.rebase(bootstrap(0, [room()]))
    for number in (1, 2, 3):
        await cache.save_listing(listing(UUID(int=number)))
    kept = [await cache.listing(UUID(int=number)) for number in (1, 2, 3)]
    assert [found is not None for found in kept] == [False, True, True]
    await cache.apply(epoch, [Change(1, "listing.changed", card(id=UUID(int=3), price=1))])
    assert await cache.listing(UUID(int=3)) is None
    await cache.close()


async def test_what_was_said_in_a_room_that_was_left_is_gone(cache: Cache) -> None:
    await cache.rebase(bootstrap(1, [room()]))
    await cache.save_messages([message(seq) for seq in range(1, 4)])
    await cache.save_room(room(left=True))
    assert await cache.messages(ROOM) == []
