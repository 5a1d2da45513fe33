"""Every SQL statement of the chat: rooms and their lists, members, posting and reading."""

from server.chat.repository.lists import (
    listed_rooms,
    room_page,
    rooms_by_id,
)
from server.chat.repository.log import Appended, Post, append
from server.chat.repository.members import (
    leave,
    left_rooms,
    mark_read,
    read_mark,
    rejoin,
    room_ids_of,
    set_muted,
)
from server.chat.repository.pages import LoggedMessage, history
from server.chat.repository.posting import (
    append_history,
    insert_messages,
    room_to_send_in,
    take_place,
    take_place_anyhow,
    take_places,
    tell_members,
)
from server.chat.repository.reading import (
    delete_message,
    extent,
    message,
    message_by_id,
)
from server.chat.repository.records import (
    Place,
    RoomToSendIn,
    StoredMessage,
    Told,
    facts_of,
    last_message,
)
from server.chat.repository.rooms import (
    insert_room,
    lock_room,
    openings_since,
    response_times,
    room,
    room_of,
    rooms_between,
    rooms_on,
    set_blocked,
    set_state,
)

__all__ = [
    "Appended",
    "LoggedMessage",
    "Place",
    "Post",
    "RoomToSendIn",
    "StoredMessage",
    "Told",
    "append",
    "append_history",
    "delete_message",
    "extent",
    "facts_of",
    "history",
    "insert_messages",
    "insert_room",
    "last_message",
    "leave",
    "left_rooms",
    "listed_rooms",
    "lock_room",
    "mark_read",
    "message",
    "message_by_id",
    "openings_since",
    "read_mark",
    "rejoin",
    "response_times",
    "room",
    "room_ids_of",
    "room_of",
    "room_page",
    "room_to_send_in",
    "rooms_between",
    "rooms_by_id",
    "rooms_on",
    "set_blocked",
    "set_muted",
    "set_state",
    "take_place",
    "take_place_anyhow",
    "take_places",
    "tell_members",
]
