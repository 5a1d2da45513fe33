"""The market: its closed lists, its rules and its limits."""

from enum import StrEnum

from pydantic import ConfigDict

from shared_models import bounds
from shared_models.base import Wire


class Condition(StrEnum):
    """How used a thing is (rule 4)."""

    NEW = "new"
    LIKE_NEW = "like_new"
    GOOD = "good"
    FAIR = "fair"
    FOR_PARTS = "for_parts"


class Method(StrEnum):
    """How a listing may change hands."""

    MEET = "meet"
    POST = "post"
    BOTH = "both"


class Category(Wire):
    """A category of the fixed list."""

    id: str
    name: str


class Carrier(Wire):
    """A carrier; ``tracking_url`` has ``{number}`` where the tracking number goes."""

    id: str
    name: str
    tracking_url: str


class Choice(Wire):
    """One entry of a closed list that a form shows."""

    id: str
    name: str


class Rules(Wire):
    """The numbers of the rules. Each is a setting of the server, and checked by it."""

    model_config = ConfigDict(extra="forbid")

    title_min: int = 2
    description_publish_min: int = 10
    drafts_max: int = 30
    draft_idle_days: int = 90
    live_listings_max: int = 200
    listings_per_day: int = 20
    listings_per_day_new: int = 5
    new_account_days: int = 7
    photo_pixels_max: int = 50_000_000
    uploads_per_hour: int = 60
    upload_expires_s: int = 600
    message_delete_s: int = 300
    rooms_per_hour: int = 10
    rooms_per_day: int = 50
    offer_percent_min: int = 50
    offers_per_listing: int = 3
    offers_per_day: int = 25
    offer_hours: int = 48
    reserve_days: int = 7
    appointment_grace_hours: int = 72
    appointment_min_minutes: int = 10
    appointment_max_days: int = 30
    appointment_late_change_minutes: int = 60
    no_show_after_minutes: int = 15
    no_show_contest_hours: int = 72
    confirm_hours: int = 72
    undo_minutes: int = 30
    shipped_days: int = 7
    dispute_days: int = 30
    review_days: int = 14
    notification_days: int = 90
    follows_max: int = 1000
    sends_burst: int = 15
    sends_per_s: float = 5
    sends_sustained_burst: int = 120
    sends_sustained_per_s: float = 2
    frames_burst: int = 40
    frames_per_s: float = 20
    connections_max: int = 8


class Limits(Rules):
    """Every limit an input can break, so that a form can say it before the server does."""

    model_config = ConfigDict(extra="ignore")

    handle_min: int = bounds.HANDLE_MIN
    handle_max: int = bounds.HANDLE_MAX
    password_min: int = bounds.PASSWORD_MIN
    password_max: int = bounds.PASSWORD_MAX
    display_name_max: int = bounds.DISPLAY_NAME_MAX
    device_max: int = bounds.DEVICE_MAX
    consents_max: int = bounds.CONSENTS_MAX
    title_max: int = bounds.TITLE_MAX
    description_max: int = bounds.DESCRIPTION_MAX
    price_max: int = bounds.PRICE_MAX
    place_max: int = bounds.PLACE_MAX
    listing_photos_max: int = bounds.LISTING_PHOTOS_MAX
    photo_bytes_max: int = bounds.PHOTO_BYTES_MAX
    upload_files_max: int = bounds.UPLOAD_FILES_MAX
    upload_name_max: int = bounds.UPLOAD_NAME_MAX
    message_max: int = bounds.MESSAGE_MAX
    message_photos_max: int = bounds.MESSAGE_PHOTOS_MAX
    frame_bytes_max: int = bounds.FRAME_BYTES_MAX
    typing_every_s: int = bounds.TYPING_EVERY_S
    typing_ttl_s: int = bounds.TYPING_TTL_S
    appointment_reason_max: int = bounds.APPOINTMENT_REASON_MAX
    tracking_number_min: int = bounds.TRACKING_NUMBER_MIN
    tracking_number_max: int = bounds.TRACKING_NUMBER_MAX
    problem_detail_max: int = bounds.PROBLEM_DETAIL_MAX
    report_detail_max: int = bounds.REPORT_DETAIL_MAX
    review_max: int = bounds.REVIEW_MAX
    review_answer_max: int = bounds.REVIEW_ANSWER_MAX
    review_tags_max: int = bounds.REVIEW_TAGS_MAX
    page_max: int = bounds.PAGE_MAX
    search_max: int = bounds.SEARCH_MAX


class Market(Wire):
    """``GET /v1/market``: what a client must know before it draws a form."""

    name: str
    currency: str
    currency_exponent: int
    categories: list[Category]
    conditions: list[Choice]
    carriers: list[Carrier]
    cancel_reasons: list[Choice]
    problem_reasons: list[Choice]
    report_reasons: list[Choice]
    review_tags: list[Choice]
    limits: Limits
    safety_line: str
    server_version: str


CATEGORIES = (
    Category(id="digital", name="Phones & computers"),
    Category(id="appliances", name="Appliances"),
    Category(id="furniture", name="Furniture"),
    Category(id="home_kitchen", name="Home & kitchen"),
    Category(id="kids", name="Baby & kids"),
    Category(id="womens_clothing", name="Women's clothing"),
    Category(id="mens_clothing", name="Men's clothing"),
    Category(id="beauty", name="Beauty"),
    Category(id="sports", name="Sports & outdoors"),
    Category(id="hobby_games", name="Games & hobbies"),
    Category(id="music", name="Music & instruments"),
    Category(id="books", name="Books"),
    Category(id="tickets", name="Tickets & vouchers"),
    Category(id="pet", name="Pets"),
    Category(id="plants", name="Plants"),
    Category(id="other", name="Everything else"),
)

CONDITIONS = (
    Choice(id="new", name="new"),
    Choice(id="like_new", name="like new"),
    Choice(id="good", name="good"),
    Choice(id="fair", name="fair"),
    Choice(id="for_parts", name="for parts"),
)

CARRIERS = (
    Carrier(
        id="cj",
        name="CJ Logistics",
        tracking_url="https://trace.cjlogistics.com/web/detail.jsp?slipno={number}",
    ),
    Carrier(
        id="post",
        name="Korea Post",
        tracking_url="https://service.epost.go.kr/trace.RetrieveDomRigiTraceList.comm?sid1={number}",
    ),
    Carrier(
        id="hanjin",
        name="Hanjin",
        tracking_url="https://www.hanjin.com/kor/CMS/DeliveryMgr/WaybillResult.do?wblnum={number}",
    ),
    Carrier(
        id="lotte",
        name="Lotte",
        tracking_url="https://www.lotteglogis.com/home/reservation/tracking/linkView?InvNo={number}",
    ),
    Carrier(
        id="logen",
        name="Logen",
        tracking_url="https://www.ilogen.com/web/personal/trace/{number}",
    ),
    Carrier(
        id="cvs",
        name="Convenience store parcel",
        tracking_url="https://www.cvsnet.co.kr/invoice/tracking.do?invoice_no={number}",
    ),
)

CANCEL_REASONS = (
    Choice(id="changed_mind", name="Changed my mind"),
    Choice(id="sold_elsewhere", name="Sold elsewhere"),
    Choice(id="no_reply", name="No reply"),
    Choice(id="no_show", name="The other side did not come"),
    Choice(id="price", name="No agreement on the price"),
    Choice(id="other", name="Another reason"),
)

PROBLEM_REASONS = (
    Choice(id="not_as_described", name="Not as described"),
    Choice(id="damaged", name="Damaged or broken"),
    Choice(id="not_received", name="Not received"),
    Choice(id="not_paid", name="Not paid"),
    Choice(id="wrong_item", name="Wrong item"),
    Choice(id="other", name="Another problem"),
)

REPORT_REASONS = (
    Choice(id="fraud", name="Fraud"),
    Choice(id="prohibited", name="Prohibited item"),
    Choice(id="abuse", name="Abuse or harassment"),
    Choice(id="spam", name="Spam"),
    Choice(id="counterfeit", name="Counterfeit"),
    Choice(id="other", name="Another reason"),
)

REVIEW_TAGS = (
    Choice(id="friendly", name="Friendly"),
    Choice(id="on_time", name="On time"),
    Choice(id="fast_replies", name="Replies fast"),
    Choice(id="as_described", name="As described"),
    Choice(id="fair_price", name="Fair price"),
    Choice(id="well_packed", name="Well packed"),
    Choice(id="late", name="Was late"),
    Choice(id="slow_replies", name="Slow to reply"),
    Choice(id="not_as_described", name="Not as described"),
    Choice(id="rude", name="Rude"),
    Choice(id="no_show", name="Did not come"),
)

SAFETY_LINE = (
    "Meet in a public place, look before you pay, and keep the talk here. "
    "Nobody from the market will ever ask for a deposit or a password."
)
