"""The façade of the chat: rooms and messages for the rooms above."""

from server.chat.export import export_rows
from server.chat.history import find_message
from server.chat.metrics import count_send
from server.chat.ports import RoomExtra, RoomExtras, RoomFacts
from server.chat.repository import blocked_among, lock_room, room_of, rooms_on
from server.chat.rooms import (
    all_rooms,
    buyers_by_listing,
    buyers_on,
    close_rooms,
    details,
    hold_listings_between,
    on_account_blocked,
    on_account_deleted,
    on_account_unblocked,
    on_listing_deleted,
    on_listing_taken,
    open_room,
    peer_to_tell,
    reopen_rooms,
    response_figures,
    room_for,
    room_page,
)
from server.chat.sale_elsewhere import on_sale_again, on_sold_elsewhere
from server.chat.sending import SendLine
from server.chat.service import (
    ImportedMessage,
    Sent,
    check_texts,
    import_messages,
    mark_read,
    may_see_photo,
    post_elsewhere,
    post_system,
    send,
    send_wait_s,
)
from server.chat.views import seen_by

__all__ = [
    "ImportedMessage",
    "RoomExtra",
    "RoomExtras",
    "RoomFacts",
    "SendLine",
    "Sent",
    "all_rooms",
    "blocked_among",
    "buyers_by_listing",
    "buyers_on",
    "check_texts",
    "close_rooms",
    "count_send",
    "details",
    "export_rows",
    "find_message",
    "hold_listings_between",
    "import_messages",
    "lock_room",
    "mark_read",
    "may_see_photo",
    "on_account_blocked",
    "on_account_deleted",
    "on_account_unblocked",
    "on_listing_deleted",
    "on_listing_taken",
    "on_sale_again",
    "on_sold_elsewhere",
    "open_room",
    "peer_to_tell",
    "post_elsewhere",
    "post_system",
    "reopen_rooms",
    "response_figures",
    "room_for",
    "room_of",
    "room_page",
    "rooms_on",
    "seen_by",
    "send",
    "send_wait_s",
]
