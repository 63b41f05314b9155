"""Ways to disagree with KnowBe4's documentation, by name: what a real one might do that nobody has recorded.

A disguise is put on a running simulator (`Simulator.disguise`, `--disguise NAME`). Where a fault, a cursor style or an
option does the same to the wire, it is that one. Each changes one thing, so that a reader can be held to name it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from .serializers import Row, encode

Change = Callable[[Row, str, int], None]
"""Changes a row in place: the row, the resource it is of, its number on the page."""


@dataclass(frozen=True)
class Disguise:
    """One way to disagree. Everything not given stays as documented.

    `refuses` are query parameters answered with 400, `ignores` those that are passed over. `at_most` rows come on a
    page, `ahead` seconds is the Date header wrong. `statuses` answers a resource ("" for all) with an error.
    """

    text: str
    style: str = ""
    faults: tuple[str, ...] = ()
    change: Change | None = None
    refuses: frozenset[str] = frozenset()
    ignores: frozenset[str] = frozenset()
    statuses: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    ahead: int = 0
    at_most: int = 500
    refuses_large_pages: bool = False
    has_no_cap: bool = False
    ends_without_cursor: bool = False
    rows_key: str = "data"
    account_in_list: bool = False
    active_only: bool = False


def _trial(row: Row, resource: str, number: int) -> None:
    if resource == "account":
        row["type"] = "trial"
        for name in ("subscription_level", "subscription_end_date", "number_of_seats"):
            del row[name]


def _rename(names: dict[str, str]) -> Change:
    def change(row: Row, resource: str, number: int) -> None:
        for value in (row, row.get("user")):
            if isinstance(value, dict):
                for new in names.keys() & value.keys():
                    value[names[new]] = value.pop(new)

    return change


def _drop(fields: dict[str, str]) -> Change:
    """Leave a field out of all rows of each resource named."""

    def change(row: Row, resource: str, number: int) -> None:
        row.pop(fields.get(resource, ""), None)

    return change


def _null(fields: dict[str, str]) -> Change:
    def change(row: Row, resource: str, number: int) -> None:
        if fields.get(resource, "") in row:
            row[fields[resource]] = None

    return change


def _first(fields: dict[str, tuple[str, object]]) -> Change:
    """Set a field in the first row of each page."""

    def change(row: Row, resource: str, number: int) -> None:
        name, value = fields.get(resource, ("", None))
        if number == 0 and name in row:
            row[name] = value

    return change


def _every(kind: type, write: Callable[[object], object]) -> Change:
    """Write every value of a type differently, at any depth."""

    def changed(value: object) -> object:
        if isinstance(value, dict):
            return {key: changed(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [changed(entry) for entry in value]
        return write(value) if type(value) is kind else value

    def change(row: Row, resource: str, number: int) -> None:
        row.update({key: changed(value) for key, value in row.items()})

    return change


def _stamps(write: Callable[[str], str]) -> Change:
    return _every(str, lambda text: write(str(text)) if _is_stamp(str(text)) else text)


def _is_stamp(text: str) -> bool:
    return len(text) == 24 and text.endswith(".000Z") and text[10] == "T"


def _without_group_ids(row: Row, resource: str, number: int) -> None:
    if resource == "campaigns":
        row["groups"] = [{"name": group["name"]} for group in row["groups"]]


def _risk_moments(row: Row, resource: str, number: int) -> None:
    if resource == "risk_score_history":
        row["date"] = f"{row['date']}T00:00:00.000Z"


def _empty_dates(row: Row, resource: str, number: int) -> None:
    for name in ("completion_date", "archived_at", "last_run", "retirement_date", "end_date"):
        if name in row and row[name] is None:
            row[name] = ""


def _slashed(row: Row, resource: str, number: int) -> None:
    if resource == "enrollments" and number == 0:
        year, month, day = row["enrollment_date"][:10].split("-")
        row["enrollment_date"] = f"{month}/{day}/{year}"


DISGUISES: dict[str, Disguise] = {
    "cursor-in-metadata": Disguise("the next cursor stands in _metadata", style="_metadata"),
    "cursor-in-two-places": Disguise("the next cursor stands in pagination and in _metadata", style="both"),
    "cursor-as-text": Disguise("cursors are text", style="string"),
    "cursor-in-header": Disguise("bare arrays; the cursor is in the header X-Next-Cursor", style="header"),
    "cursor-in-link": Disguise("bare arrays; the next page is in a Link header", style="link"),
    "cursor-on-enrollments-only": Disguise("only enrollments know cursors (2025)", style="enrollments-only"),
    "no-cursors": Disguise("no list knows cursors: the parameter is passed over", ignores=frozenset({"cursor"})),
    "cursor-refused": Disguise("the parameter cursor is answered with 400", refuses=frozenset({"cursor"})),
    "cursor-repeated": Disguise("from page 2 on the next cursor is the page's own", faults=("repeated-cursor",)),
    "cursor-left-out": Disguise("the last page has no next_cursor, not a null one", ends_without_cursor=True),
    "rows-under-results": Disguise("the envelope has its rows under results, not under data", rows_key="results"),
    "page-ignored": Disguise("page is passed over: every page is the first; cursors work", style="page-ignored"),
    "page-refused": Disguise("page is answered with 400; cursors work", style="page-rejected"),
    "large-pages-refused": Disguise("per_page above 500 is answered with 400", refuses_large_pages=True),
    "small-pages": Disguise("a page holds at most 100 rows, whatever per_page", at_most=100),
    "percentages-always": Disguise(
        "exclude_percentages is passed over: ten campaigns at a time", ignores=frozenset({"exclude_percentages"})
    ),
    "campaign-cap-off": Disguise("campaigns with percentages come without the cap of ten", has_no_cap=True),
    "status-ignored": Disguise("the parameter status is passed over", ignores=frozenset({"status"})),
    "status-left-out": Disguise("users without a status are the active ones", active_only=True),
    "account-in-list": Disguise("the account is an array of one", account_in_list=True),
    "trial": Disguise("a trial account lacks three keys (seen live)", change=_trial),
    "unknown-field": Disguise("every row has a field nobody has heard of", faults=("unknown-field",)),
    "missing-field": Disguise(
        "users have no extension, recipients no browser_version",
        change=_drop({"users": "extension", "recipients": "browser_version"}),
    ),
    "missing-status": Disguise("groups have no status", change=_drop({"groups": "status"})),
    "missing-campaign-id": Disguise("include_campaign_id is passed over", ignores=frozenset({"include_campaign_id"})),
    "earlier-names": Disguise(
        "provisioning fields and campaign content have the names they had until 2021",
        change=_rename(
            {"provisioning_managed": "adi_manageable", "provisioning_guid": "adi_guid", "content": "modules"}
        ),
    ),
    "hyphenated-name": Disguise("landing_page is landing-page", change=_rename({"landing_page": "landing-page"})),
    "policy-id": Disguise("policy_id is id", change=_rename({"policy_id": "id"})),
    "store-purchased-id": Disguise(
        "store_purchase_id is store_purchased_id", change=_rename({"store_purchase_id": "store_purchased_id"})
    ),
    "unknown-status": Disguise(
        'the first enrollment of a page is "Exempted"', change=_first({"enrollments": ("status", "Exempted")})
    ),
    "unknown-campaign-status": Disguise(
        'the first training campaign of a page is "Active"', change=_first({"campaigns": ("status", "Active")})
    ),
    "unknown-type": Disguise(
        'the first store purchase of a page is a "Hologram"', change=_first({"store_purchases": ("type", "Hologram")})
    ),
    "null-user": Disguise("the first enrollment of a page has no user", faults=("null-user:resource=enrollments",)),
    "null-template": Disguise("security tests have no template", change=_null({"security_tests": "template"})),
    "null-name": Disguise("training campaigns have no name", change=_null({"campaigns": "name"})),
    "group-without-id": Disguise("groups of training campaigns have no id", change=_without_group_ids),
    "integers-as-text": Disguise("whole numbers come as text", change=_every(int, str)),
    "decimals-as-text": Disguise("decimals come as text", change=_every(float, str)),
    "truths-as-numbers": Disguise(
        "true and false come as 1 and 0", change=_every(bool, lambda value: int(bool(value)))
    ),
    "large-ids": Disguise("ids exceed 32 bits", faults=("int33:resource=enrollments",)),
    "huge-ids": Disguise("ids exceed 64 bits", faults=("int65:resource=enrollments",)),
    "risk-moments": Disguise("days of a risk history come as timestamps", change=_risk_moments),
    "dates-with-offset": Disguise("timestamps end in +00:00", change=_stamps(lambda text: f"{text[:-1]}+00:00")),
    "dates-without-milliseconds": Disguise(
        "timestamps have whole seconds", change=_stamps(lambda text: f"{text[:19]}Z")
    ),
    "dates-without-zone": Disguise("timestamps have no zone", change=_stamps(lambda text: text[:-1])),
    "dates-with-slashes": Disguise("the first enrollment of a page is dated 10/19/2021", change=_slashed),
    "dates-empty": Disguise('dates that are not there are "", not null', change=_empty_dates),
    "nested-content": Disguise("the content of a campaign is [[...]]", faults=("nested-content",)),
    "clock-ahead": Disguise("the Date header is ten minutes ahead", ahead=600),
    "content-type": Disguise("JSON comes as text/plain", headers={"Content-Type": "text/plain; charset=utf-8"}),
    "limits-in-headers": Disguise(
        "every answer has X-RateLimit headers", headers={"X-RateLimit-Limit": "2000", "X-RateLimit-Remaining": "1999"}
    ),
    "retry-after": Disguise(
        "one request is answered with 429 and Retry-After",
        faults=("rate-limited-retry-after:after=2,times=1,seconds=1",),
    ),
    "phishing-forbidden": Disguise("the key may not read security tests: 403", statuses={"security_tests": 403}),
    "html-policies": Disguise("policies come as an HTML page", faults=("html:resource=policies",)),
    "key-refused": Disguise("401 for every key, as in another region", statuses={"": 401}),
    "key-refused-with-200": Disguise('200 with {"message":"Invalid Token"} (seen live)', faults=("message-200",)),
    "no-reporting-api": Disguise("403 for every request, as in a plan without the API", statuses={"": 403}),
    "day-used-up": Disguise("429 for every request", faults=("daily-limit",)),
    "proxy-page": Disguise("200 with the HTML page of a proxy", faults=("html",)),
}


class UnknownDisguiseError(ValueError):
    """The name is no disguise's; the message says which there are."""


def disguise_named(name: str) -> Disguise:
    """Return the disguise of that name. Raises UnknownDisguiseError."""
    try:
        return DISGUISES[name]
    except KeyError:
        raise UnknownDisguiseError(f"There is no disguise {name!r}. There are: {', '.join(DISGUISES)}.") from None


def change_rows(rows: bytes, resource: str, changes: Iterable[Change]) -> bytes:
    """Return rows, joined by commas, with every change made to each."""
    decoded: list[Row] = msgspec.json.decode(b"[" + rows + b"]")
    for number, row in enumerate(decoded):
        for change in changes:
            change(row, resource, number)
    return b",".join(encode(row) for row in decoded)
