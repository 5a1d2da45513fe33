"""A market that never changes, for pictures of the app: people, things, talk, trades."""

# ruff: noqa: E501 - tables of things and talk read best a row a line

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from server.app.market import describe_market
from server.app.settings import Settings
from shared_models.accounts import Account, Profile, ProfileCard
from shared_models.chat import ChatroomDetail, Message, MessageKind, SystemNote
from shared_models.listings import Listing, ListingCard, ListingState
from shared_models.market import Condition, Market, Method
from shared_models.media import Photo
from shared_models.notifications import Notification, NotificationKind
from shared_models.placeholder import encode_placeholder
from shared_models.trades import (
    ListingSnapshot,
    Offer,
    OfferState,
    Review,
    TimelineEntry,
    Trade,
    TradeState,
)

NOW = datetime(2026, 11, 19, 5, 30, tzinfo=UTC)


def ago(**span: float) -> datetime:
    """A moment before now."""
    return NOW - timedelta(**span)


def make_id(kind: int, number: int) -> UUID:
    """The same id every time."""
    return UUID(int=(0x019A << 112) | (7 << 76) | (kind << 32) | (2 << 62) | number)


def market() -> Market:
    """The market with its usual lists."""
    described = describe_market(Settings())
    return described.model_copy(update={"server_version": "0"})


def photo(number: int) -> Photo:
    """A photo whose placeholder is a drawing of its own."""
    hue = (number * 47) % 200
    grid = tuple(
        tuple(
            (230 - hue, 40 + hue, 120)
            if 2 < x < 9 and 1 < y < 7
            else (30, 60 + (number * 31) % 120, 90 + hue // 2)
            for x in range(12)
        )
        for y in range(9)
    )
    return Photo(
        id=make_id(9, number),
        width=1280,
        height=960,
        placeholder=encode_placeholder(grid),
        thumb_url="",
        full_url="",
    )


ME = ProfileCard(id=make_id(1, 1), handle="jun", display_name="Jun", avatar=None, manner_score=38.2)
MINJI = ProfileCard(
    id=make_id(1, 2), handle="minji", display_name="민지", avatar=photo(40), manner_score=41.2
)
TOM = ProfileCard(
    id=make_id(1, 3), handle="tom_r", display_name="Tom Reyes", avatar=None, manner_score=36.5
)

ACCOUNT = Account(
    id=ME.id,
    handle="jun",
    display_name="Jun",
    place="Mapo",
    avatar=None,
    locale="ko-KR",
    consents={},
    notification_switches={},
    manner_score=38.2,
    review_count=4,
    sales=3,
    purchases=5,
    created_at=ago(days=400),
)

_Thing = tuple[str, int | None, ListingState, Condition, Method, str, int, int, float]

# fmt: off
_THINGS: tuple[_Thing, ...] = (
    ("Oak dining chair, pair", 45_000, ListingState.SELLING, Condition.GOOD, Method.MEET, "Mapo", 12, 3, 2),
    ("허먼밀러 에어론 의자 (B사이즈)", 480_000, ListingState.RESERVED, Condition.LIKE_NEW, Method.BOTH, "Seocho", 41, 9, 5),
    ("아이패드 미니 6세대 64GB 스페이스그레이, 케이스 포함", 320_000, ListingState.SELLING, Condition.GOOD, Method.BOTH, "Hapjeong", 7, 1, 9),
    ("Monstera, 80 cm, comes with its pot", 0, ListingState.SELLING, Condition.GOOD, Method.MEET, "연남동", 22, 14, 26),
    ("Trek FX2 hybrid bike, size M", 260_000, ListingState.SELLING, Condition.FAIR, Method.MEET, "Yeouido", 3, 0, 51),
    ("겨울 패딩 점퍼 L", 60_000, ListingState.SOLD, Condition.LIKE_NEW, Method.POST, "성수", 5, 2, 75),
    ("Brass desk lamp", 15_000, ListingState.SELLING, Condition.GOOD, Method.BOTH, "Mapo", 0, 0, 120),
    ("무라카미 하루키 소설 10권 묶음", 38_000, ListingState.SELLING, Condition.GOOD, Method.POST, "Itaewon", 9, 4, 170),
)  # fmt: skip


def cards() -> list[ListingCard]:
    """What is for sale, newest first."""
    return [
        ListingCard(
            id=make_id(2, number),
            title=title,
            price=price,
            state=state,
            place=place,
            condition=condition,
            method=method,
            negotiable=number % 2 == 0,
            cover=photo(number),
            like_count=likes,
            chat_count=chats,
            bumped_at=ago(hours=hours),
            liked=number == 3,
        )
        for number, (
            title,
            price,
            state,
            condition,
            method,
            place,
            likes,
            chats,
            hours,
        ) in enumerate(_THINGS)
    ]


def listing(number: int = 0, *, mine: bool = False, **changes: Any) -> Listing:
    """One of them in full."""
    card = cards()[number]
    actions = ["edit", "delete"] if mine else ["like", "open_chatroom"]
    full = Listing(
        id=card.id,
        version=1,
        seller=ME if mine else MINJI,
        title=card.title,
        description=(
            "Two oak chairs from a small workshop in Mapo. Both are sturdy; one has a small mark "
            "under the seat, see the third photo.\n\n합정역 3번 출구에서 직거래 원해요. "
            "주말 오후가 좋습니다."
        ),
        category="furniture",
        condition=card.condition,
        price=card.price,
        negotiable=True,
        method=card.method,
        place=card.place,
        photos=[photo(number), photo(11), photo(12)],
        state=card.state,
        hidden=False,
        deleted=False,
        like_count=card.like_count,
        chat_count=card.chat_count,
        liked=card.liked,
        chatroom_id=None,
        created_at=ago(days=3),
        updated_at=ago(days=3),
        bumped_at=card.bumped_at,
        allowed_actions=actions,
    )
    return full.model_copy(update=changes)


ROOM = make_id(3, 1)


def messages() -> list[Message]:
    """The talk about the chairs."""
    lines: list[tuple[UUID | None, str, float, list[Photo]]] = [
        (None, market().safety_line, 30, []),
        (MINJI.id, "안녕하세요! 의자 아직 있나요? Both chairs, no scratches?", 29, []),
        (ME.id, "Yes, both. One has a small mark under the seat, photo below.", 28.5, []),
        (ME.id, "", 28.4, [photo(11), photo(12)]),
        (MINJI.id, "Good. 두 개 다 해서 40,000원에 가능할까요? 오늘 저녁에 바로 가지러 갈 수 있어요.", 3, []),
        (ME.id, "Let me think.", 2.5, []),
        (MINJI.id, "천천히 생각해 보세요 :)", 0.4, []),
    ]  # fmt: skip
    return [
        Message(
            chatroom_id=ROOM,
            seq=seq,
            id=make_id(4, seq),
            cid=make_id(5, seq) if sender else None,
            sender_id=sender,
            kind=MessageKind.PHOTO
            if photos
            else (MessageKind.TEXT if sender else MessageKind.SYSTEM),
            text=text,
            photos=photos,
            system=None if sender else SystemNote(event="safety_line"),
            created_at=ago(hours=hours),
        )
        for seq, (sender, text, hours, photos) in enumerate(lines, start=1)
    ]


def offer() -> Offer:
    """What the other side offers for the chairs."""
    return Offer(
        id=make_id(6, 1),
        chatroom_id=ROOM,
        listing_id=make_id(2, 0),
        maker_id=MINJI.id,
        amount=40_000,
        state=OfferState.PENDING,
        expires_at=NOW + timedelta(hours=47),
        created_at=ago(hours=1),
        allowed_actions=["accept", "decline", "counter"],
    )


def room(number: int = 1, **changes: Any) -> ChatroomDetail:
    """A room; the first is the one about the chairs."""
    talk = messages()
    detail = ChatroomDetail(
        id=make_id(3, number),
        listing=cards()[number - 1],
        seller_id=ME.id,
        buyer_id=MINJI.id if number % 2 else TOM.id,
        other=MINJI if number % 2 else TOM,
        state="open",
        last_message=talk[-number],
        last_seq=len(talk),
        read_seq=len(talk) - (number == 1),
        peer_read_seq=6,
        unread=1 if number == 1 else 0,
        muted=number == 3,
        created_at=ago(days=2),
        active_at=talk[-number].created_at,
        trade=None,
        offer=offer() if number == 1 else None,
        appointment=None,
        allowed_actions=["send", "reserve", "appointment"],
    )
    return detail.model_copy(update=changes)


def trade(state: TradeState = TradeState.HANDED_OVER, **changes: Any) -> Trade:
    """A trade of the chairs; long because a trade has this many fields."""
    steps = [("reserved", TradeState.RESERVED, ME.id, 26.0), ("handed_over", state, ME.id, 2.0)]
    moved = Trade(
        id=make_id(7, 1),
        version=2,
        listing_id=make_id(2, 0),
        chatroom_id=ROOM,
        seller=ME,
        buyer=MINJI,
        role="seller",
        agreed_price=40_000,
        method="meet",
        state=state,
        due_at=NOW + timedelta(hours=70),
        seller_confirmed_at=ago(hours=2),
        buyer_confirmed_at=None,
        cancel_reason=None,
        carrier=None,
        tracking_number=None,
        tracking_url=None,
        problem_reason=None,
        problem_by=None,
        auto_completed=False,
        snapshot=ListingSnapshot(
            listing_id=make_id(2, 0),
            title="Oak dining chair, pair",
            description="Two oak chairs.",
            condition="good",
            price=45_000,
            cover=photo(0),
        ),
        timeline=[
            TimelineEntry(event=event, state=after, actor_id=actor, at=ago(hours=hours))
            for event, after, actor, hours in steps
        ],
        my_review=None,
        other_review=None,
        review_until=None,
        created_at=ago(hours=26),
        updated_at=ago(hours=2),
        allowed_actions=["undo", "problem"],
    )
    return moved.model_copy(update=changes)


def trades() -> list[Trade]:
    """Trades in several states."""
    done = trade(TradeState.COMPLETED).model_copy(
        update={
            "id": make_id(7, 2),
            "role": "buyer",
            "seller": TOM,
            "buyer": ME,
            "due_at": None,
            "allowed_actions": ["review"],
            "updated_at": ago(days=4),
        }
    )
    shipped = trade(TradeState.SHIPPED).model_copy(
        update={"id": make_id(7, 3), "method": "post", "updated_at": ago(days=1)}
    )
    canceled = trade(TradeState.CANCELED).model_copy(
        update={"id": make_id(7, 4), "due_at": None, "updated_at": ago(days=9)}
    )
    return [trade(), shipped, done, canceled]


def notifications() -> list[Notification]:
    """What has happened lately."""
    told = (
        (NotificationKind.OFFER, "민지 offers 40,000 for Oak dining chair, pair", False, 1),
        (NotificationKind.TRADE, "Tom Reyes has shipped 겨울 패딩 점퍼 L", False, 20),
        (NotificationKind.REVIEW, "You have a new review", True, 70),
        (NotificationKind.PRICE, "Brass desk lamp is cheaper: 15,000", True, 130),
    )
    return [
        Notification(
            id=make_id(8, number),
            kind=kind,
            event=str(kind),
            text=text,
            data={},
            read=read,
            silent=False,
            created_at=ago(hours=hours),
        )
        for number, (kind, text, read, hours) in enumerate(told)
    ]


def profile() -> Profile:
    """The seller of the chairs, as everybody sees her."""
    return Profile(
        id=MINJI.id,
        handle="minji",
        display_name="민지",
        avatar=photo(40),
        joined_at=ago(days=500),
        place="Hapjeong",
        manner_score=41.2,
        review_count=12,
        sales=18,
        purchases=6,
        no_shows=0,
        response_rate=0.96,
        response_minutes=12,
        blocked=False,
        following=True,
    )


def blocked() -> list[ProfileCard]:
    """Whom the person at the keyboard blocks."""
    unnamed = {"id": make_id(1, 9), "handle": None, "display_name": "Deleted account"}
    gone = TOM.model_copy(update={**unnamed, "deleted": True})
    return [TOM, gone, MINJI]


def reviews() -> list[Review]:
    """What others say of her."""
    return [
        Review(
            id=make_id(10, 1),
            trade_id=make_id(7, 9),
            author=TOM,
            subject_id=MINJI.id,
            rating=5,
            tags=["friendly", "on_time"],
            comment="Exactly as described, and she even carried it down.",
            answer="고맙습니다!",
            published=True,
            created_at=ago(days=12),
        ),
        Review(
            id=make_id(10, 2),
            trade_id=make_id(7, 8),
            author=ME,
            subject_id=MINJI.id,
            rating=4,
            tags=["as_described"],
            comment="조금 늦으셨지만 친절하셨어요.",
            answer=None,
            published=True,
            created_at=ago(days=40),
        ),
    ]
