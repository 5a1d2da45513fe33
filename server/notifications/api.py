"""The façade of notifications."""

from server.notifications.export import export_rows
from server.notifications.service import MESSAGE_DELETED, MESSAGE_NEW, Notice, notify, unread_count
from server.notifications.subscribers import (
    on_appointment,
    on_back_on_sale,
    on_message,
    on_message_deleted,
    on_offer,
    on_price_dropped,
    on_reminder,
    on_review_answered,
    on_review_published,
    on_room_left,
    on_room_read,
    on_trade,
)

__all__ = [
    "MESSAGE_DELETED",
    "MESSAGE_NEW",
    "Notice",
    "export_rows",
    "notify",
    "on_appointment",
    "on_back_on_sale",
    "on_message",
    "on_message_deleted",
    "on_offer",
    "on_price_dropped",
    "on_reminder",
    "on_review_answered",
    "on_review_published",
    "on_room_left",
    "on_room_read",
    "on_trade",
    "unread_count",
]
