"""Every way KnowBe4 may differ from what Rollcall expects, and what Rollcall does about each.

Each sentence about Rollcall describes the client and the sync as they are; the tests sync under most of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sync.knowbe4 import payloads
from sync.knowbe4.payloads import Payload


class Effect(StrEnum):
    """Effect of a surprise on a sync."""

    READ = "read"  # all is read as it should be
    SET_ASIDE = "set aside"  # rows are left out, and too many of them hold a sync
    STOPS = "stops"  # no sync is published while it lasts


@dataclass(frozen=True)
class Kind:
    """One way to differ: what KnowBe4 does, what Rollcall does then, and what that means for a sync.

    `seen` may hold {places} (lists, or fields of lists) and {detail}.
    """

    seen: str
    then: str
    effect: Effect = Effect.READ


NOT_SYNCED = "does not read this list in a sync"
SET_ASIDE = "cannot read such rows: it sets them aside, and holds a sync that has more than a few"

KINDS: dict[str, Kind] = {
    # The account.
    "account-in-list": Kind("The account comes as a list of one", "takes the one"),
    "trial-account": Kind(
        "The account is a trial: it tells neither subscription nor seats", "counts no seats into the day's requests"
    ),
    # Paging.
    "cursor-elsewhere": Kind(
        "The next cursor of {places} stands in {detail}, not in pagination", "reads on from there"
    ),
    "cursor-in-two-places": Kind("The next cursor of {places} stands in {detail}", "takes the first of them"),
    "cursor-as-text": Kind("The next cursor of {places} is text, not a number", "sends it back as it came"),
    "cursor-in-header": Kind(
        "The next cursor of {places} stands in the header {detail}, beside a plain list", "reads on from there"
    ),
    "cursor-unknown": Kind(
        "Asked for {places} by cursor, KnowBe4 sends a plain list without any cursor", "reads them by page number"
    ),
    "cursor-refused": Kind("KnowBe4 refuses to send {places} by cursor (400)", "reads them by page number"),
    "cursor-left-out-at-end": Kind(
        "The last page of {places} has no next_cursor at all, not a null one",
        "takes a short page without a cursor for the last, and holds the sync if a full one comes without",
    ),
    "cursor-missing": Kind(
        "A full page of {places} comes wrapped and without a cursor Rollcall knows",
        "holds the sync, for the rest of the list is out of reach",
        Effect.STOPS,
    ),
    "cursor-repeats": Kind(
        "The cursor of {places} leads back to where it came from",
        "holds the sync rather than read it for ever",
        Effect.STOPS,
    ),
    "rows-elsewhere": Kind(
        "{places} come wrapped in an object without data",
        "finds no rows there: it asks again for two minutes, then pauses the sync",
        Effect.STOPS,
    ),
    "page-ignored": Kind(
        "Page numbers are ignored: page 2 of {places} is the first page once more",
        "reads by cursor, and would hold the sync rather than read one page for ever",
    ),
    "page-refused": Kind("KnowBe4 refuses page numbers for {places} (400)", "reads by cursor"),
    "page-wrapped": Kind("Asked by page number, {places} come wrapped as by cursor", "reads by cursor"),
    "large-pages-refused": Kind("More than 500 rows a page are refused (400)", "never asks for more than 500"),
    "large-pages-served": Kind("More than 500 rows a page are served", "asks for 500 all the same"),
    "small-pages": Kind("Asked for 500 rows, KnowBe4 sends {detail} a page", "reads on to the end, with more requests"),
    "percentages-always": Kind(
        "Training campaigns come with percentages, or ten at a time, although exclude_percentages=true is asked for",
        "reads on to the end, ten at a time",
    ),
    "campaign-cap-off": Kind(
        "More than ten training campaigns with percentages come at once", "asks for ten at a time all the same"
    ),
    # Filters.
    "status-ignored": Kind(
        "Asked for archived users, KnowBe4 sends active ones too", "asks for both and keeps each person once"
    ),
    "status-left-out": Kind(
        "Users asked for without a status are only {detail} ones", "asks for active and archived ones separately"
    ),
    # Answers.
    "not-json": Kind(
        "{places} came as something other than JSON",
        "asks again for two minutes, then pauses the sync; check KNOWBE4_BASE_URL and any proxy",
        Effect.STOPS,
    ),
    "message-instead": Kind(
        "A message came in place of {places}", "takes it for a refused key and stops the sync", Effect.STOPS
    ),
    "not-allowed": Kind(
        "The key may not read {places} (403)", "stops the sync there: the token or plan has to allow it", Effect.STOPS
    ),
    "not-there": Kind("KnowBe4 has no {places} (404)", "stops the sync there", Effect.STOPS),
    "not-answered": Kind(
        "KnowBe4 did not answer for {places} ({detail})",
        "asks again for two minutes, then pauses the sync",
        Effect.STOPS,
    ),
    "rate-limited": Kind(
        "KnowBe4 held a request back (429) though Rollcall kept to its limits, {detail}",
        "waits as long as the answer asks, or longer each time, and goes on",
    ),
    "rate-limit-headers": Kind(
        "Answers tell the limits in headers ({detail})", "keeps to its own count and does not read them"
    ),
    "other-content-type": Kind("Answers call themselves {detail}, not application/json", "reads the body as JSON"),
    "clock": Kind(
        "KnowBe4's clock is {detail} this machine's",
        "goes by this machine's: what KnowBe4 dates later counts once that moment has come here; set the clock",
    ),
    # Fields.
    "unknown-field": Kind("KnowBe4 sends fields Rollcall does not know ({places})", "passes over them"),
    "missing-field": Kind("KnowBe4 does not send {places}", "keeps them empty"),
    "old-name": Kind("KnowBe4 uses earlier names ({places})", "takes them for today's"),
    "null": Kind("Null comes where KnowBe4's documentation has a value ({places})", "keeps them empty"),
    "other-type": Kind("Values come as {detail} ({places})", "reads them all the same"),
    "nested-list": Kind("A list comes inside a list ({places})", "reads the inner one"),
    "empty-date": Kind("An empty text stands for no date ({places})", "reads it as none"),
    "date-form": Kind("Dates come with {detail} ({places})", "reads the same moment"),
    "day-as-moment": Kind("Moments come where days are expected ({places})", "keeps the day"),
    "unreadable-date": Kind("Some dates cannot be read ({places})", SET_ASIDE, Effect.SET_ASIDE),
    "unknown-word": Kind("KnowBe4 says “{detail}”, a word Rollcall does not know ({places})", "keeps the word"),
    "other-word": Kind(
        "Where a word of KnowBe4's is expected, something else comes: {detail} ({places}; it may be somebody's and is "
        "left out here, KnowBe4's console shows it)",
        "keeps it",
    ),
    "unknown-duration": Kind(
        "Relative durations come in a form Rollcall does not know, {detail} ({places})",
        "keeps the words and gives the campaign's enrollments no due date",
    ),
    "large-id": Kind("Ids exceed 32 bits ({places})", "keeps ids in 64 bits"),
    "large-number": Kind("Numbers exceed 32 bits ({places})", "keeps them"),
}

_NO_CAMPAIGN = (
    "keeps the enrollments without a campaign: they are in no campaign's figures, and have no due date until KnowBe4 "
    "calls them past due"
)

# What Rollcall does where a certain field is null or missing, if not just keep it empty; with the effect on a sync.
EMPTY: dict[tuple[type[Payload], str], tuple[str, Effect]] = {
    (payloads.Enrollment, "user"): (
        "keeps the enrollment with the person it had, or with none: then it is in no rate, and check_data counts it",
        Effect.READ,
    ),
    (payloads.Enrollment, "campaign_id"): (_NO_CAMPAIGN, Effect.READ),
    (payloads.Enrollment, "enrollment_date"): (
        "sets such enrollments aside, for their state cannot be computed, and holds a sync that has more than a few",
        Effect.SET_ASIDE,
    ),
    (payloads.GroupReference, "group_id"): ("leaves such a group out of the campaign's groups", Effect.READ),
}

# The same for words it does not know.
UNKNOWN_WORDS: dict[tuple[type[Payload], str], str] = {
    (payloads.Enrollment, "status"): "keeps the word and counts such enrollments as other: they are in no rate",
    (payloads.Enrollment, "content_type"): "takes it for a store purchase unless the word has “policy” in it",
    (payloads.Campaign, "status"): "shows the word, and counts the campaign's enrollments as any other's",
    (payloads.Campaign, "duration_type"): (
        "keeps the word, and derives due dates only if it begins with “Specific” or “Relative”"
    ),
    (payloads.User, "status"): "keeps the word, and does not count such people as active",
    (payloads.StorePurchase, "type"): "keeps the word, and files the content by the kind named in it, else under Other",
    (payloads.Content, "type"): "keeps the word, and files the content by the kind named in it, else under Other",
    (payloads.SecurityTest, "status"): "keeps the word, and reads the test's results as long as it is not “Closed”",
    (payloads.Template, "type"): "passes over it",
    (payloads.Account, "type"): "passes over it",
}

DATE_FORMS = {
    "an offset other than Z": "reads the same moment",
    "no milliseconds": "reads the same moment",
    "another number of decimals": "reads the same moment",
    "no zone": "takes them for UTC",
    "no time": "takes them for midnight, UTC",
}

SHOWN = 4


@dataclass(frozen=True)
class Surprise:
    """One way in which KnowBe4 differs. `places` are lists, or fields of lists ("enrollments.user.id")."""

    kind: str
    places: tuple[str, ...]
    detail: str
    then: str
    effect: Effect

    def __str__(self) -> str:
        """Return one sentence: what KnowBe4 does, and what Rollcall does about it."""
        seen = KINDS[self.kind].seen.format(places=listed(self.places), detail=self.detail)
        return f"{seen[:1].upper()}{seen[1:]}: Rollcall {self.then}."


def listed(places: Sequence[str], *, most: int = SHOWN) -> str:
    """Return "users", "users and groups", or the first few, `most`, and how many more."""
    shown, more = list(places[:most]), len(places) - most
    if more > 0:
        shown.append(f"{more} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


@dataclass
class Surprises:
    """Gathers surprises: what is the same in several places is told once."""

    _places: dict[tuple[str, str, str, Effect], dict[str, None]] = field(default_factory=dict)

    def add(
        self, kind: str, place: str = "", *, detail: str = "", then: str = "", effect: Effect | None = None
    ) -> None:
        """Note a surprise; `then` and `effect` replace those of its kind."""
        known = KINDS[kind]
        key = (kind, detail, then or known.then, effect or known.effect)
        self._places.setdefault(key, {}).update({place: None} if place else {})

    def has(self, kind: str, place: str = "") -> bool:
        """Return whether there is one of this kind, about this place if one is given."""
        return any(key[0] == kind and (not place or place in places) for key, places in self._places.items())

    def all(self) -> list[Surprise]:
        """Return them: what stops a sync first, then what leaves rows out."""
        order = [Effect.STOPS, Effect.SET_ASIDE, Effect.READ]
        found = (
            Surprise(kind, tuple(places), detail, then, effect)
            for (kind, detail, then, effect), places in self._places.items()
        )
        return sorted(found, key=lambda surprise: order.index(surprise.effect))


def worst(surprises: Iterable[Surprise]) -> Effect:
    """Return the gravest effect among surprises."""
    effects = {surprise.effect for surprise in surprises}
    return next((effect for effect in (Effect.STOPS, Effect.SET_ASIDE) if effect in effects), Effect.READ)
