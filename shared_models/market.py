"""The market: its closed lists, its rules and its limits."""

from enum import StrEnum

from pydantic import ConfigDict, Field

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

    title_min: int = Field(2, ge=1, description="Characters a title must have.")
    description_publish_min: int = Field(
        10, ge=0, description="Characters a description must have to be published."
    )
    drafts_max: int = Field(30, ge=1, description="Drafts an account may keep.")
    draft_idle_days: int = Field(
        90, ge=1, description="Days after which an untouched draft is deleted."
    )
    live_listings_max: int = Field(
        200, ge=1, description="Listings an account may have on sale or reserved."
    )
    listings_per_day: int = Field(20, ge=1, description="Listings an account may publish a day.")
    listings_per_day_new: int = Field(
        5, ge=1, description="Listings a new account may publish a day."
    )
    new_account_days: int = Field(7, ge=0, description="Days for which an account counts as new.")
    photo_pixels_max: int = Field(50_000_000, ge=1, description="Pixels a photo may have.")
    uploads_per_hour: int = Field(60, ge=0, description="Photos an account may upload an hour.")
    upload_expires_s: int = Field(
        600, ge=1, description="Seconds for which an upload's address can be used."
    )
    message_delete_s: int = Field(
        300, ge=0, description="Seconds for which a message can be deleted by its sender."
    )
    rooms_per_hour: int = Field(10, ge=1, description="Rooms an account may open an hour.")
    rooms_per_day: int = Field(50, ge=1, description="Rooms an account may open a day.")
    offer_percent_min: int = Field(
        50, ge=0, le=100, description="The lowest offer, in percent of the price."
    )
    offers_per_listing: int = Field(3, ge=0, description="Offers a buyer may make on one listing.")
    offers_per_day: int = Field(25, ge=0, description="Offers an account may make a day.")
    offer_hours: int = Field(48, ge=1, description="Hours after which an offer expires.")
    reserve_days: int = Field(
        7, ge=1, description="Days after which a reservation without an appointment lapses."
    )
    appointment_grace_hours: int = Field(
        72, ge=1, description="Hours after its appointment when a reservation lapses."
    )
    appointment_min_minutes: int = Field(
        10, ge=0, description="Minutes an appointment must lie ahead."
    )
    appointment_max_days: int = Field(30, ge=1, description="Days an appointment may lie ahead.")
    appointment_late_change_minutes: int = Field(
        60, ge=0, description="Minutes before an appointment from which a change is a late one."
    )
    no_show_after_minutes: int = Field(
        15, ge=0, description="Minutes after an appointment from which a no-show can be told."
    )
    no_show_contest_hours: int = Field(
        72, ge=1, description="Hours for which a no-show can be contested."
    )
    confirm_hours: int = Field(
        72,
        ge=1,
        description="Hours after one side's confirmation when a trade completes by itself.",
    )
    undo_minutes: int = Field(
        30, ge=0, description="Minutes for which a confirmation can be undone."
    )
    shipped_days: int = Field(
        7, ge=1, description="Days after shipping when a trade completes by itself."
    )
    dispute_days: int = Field(
        30, ge=1, description="Days after which a dispute that nobody resolves is closed."
    )
    review_days: int = Field(14, ge=1, description="Days for which a trade can be reviewed.")
    notification_days: int = Field(90, ge=1, description="Days for which notifications are kept.")
    follows_max: int = Field(1000, ge=0, description="People an account may follow.")
    sends_burst: int = Field(15, ge=1, description="Messages an account may send at once.")
    sends_per_s: float = Field(
        5, gt=0, description="Messages a second by which that allowance refills."
    )
    sends_sustained_burst: int = Field(
        120, ge=1, description="Messages an account may send in a longer burst."
    )
    sends_sustained_per_s: float = Field(
        2, gt=0, description="Messages a second by which the longer allowance refills."
    )
    frames_burst: int = Field(40, ge=1, description="Frames a connection may send at once.")
    frames_per_s: float = Field(
        20, gt=0, description="Frames a second by which that allowance refills."
    )
    connections_max: int = Field(8, ge=1, description="Realtime connections an account may have.")


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
