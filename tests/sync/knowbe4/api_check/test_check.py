"""The check of the API against a KnowBe4 that disagrees with its documentation: it names the way in which it does."""

import json
import re
from collections.abc import Iterator

import pytest
import requests

from sync.knowbe4 import payloads, resources
from sync.knowbe4.api_check import Effect, Outcome, Report, check_api
from sync.knowbe4.api_check.asker import MOST_REQUESTS
from sync.knowbe4.api_check.documented import WORDS
from sync.knowbe4.api_check.surprises import KINDS
from sync.knowbe4.client import Client
from sync.knowbe4.errors import BudgetExhausted
from sync.knowbe4.pacing import Pacer
from sync.models import ApiCheck
from sync.models.environment import place_in_words
from sync.models.training import STANDINGS
from sync.simulator import DISGUISES, Company, Simulator
from tests.sync.knowbe4.api_check.conftest import AT
from tests.sync.knowbe4.server import Reply

# By disguise: the kind of surprise, its effect, and words of its sentence.
TOLD = {
    "cursor-in-metadata": ("cursor-elsewhere", "read", "stands in _metadata, not in pagination: Rollcall reads on"),
    "cursor-in-two-places": ("cursor-in-two-places", "read", "stands in pagination and _metadata"),
    "cursor-as-text": ("cursor-as-text", "read", "is text, not a number"),
    "cursor-in-header": ("cursor-in-header", "read", "in the header X-Next-Cursor"),
    "cursor-in-link": ("cursor-in-header", "read", "in the header Link"),
    "cursor-on-enrollments-only": ("cursor-unknown", "read", "Asked for users, training campaigns, groups,"),
    "no-cursors": ("cursor-unknown", "read", "Asked for users, enrollments, training campaigns,"),
    "cursor-refused": ("cursor-refused", "read", "by cursor (400): Rollcall reads them by page number."),
    "cursor-repeated": ("cursor-repeats", "stops", "The cursor of users and enrollments leads back"),
    "cursor-left-out": ("cursor-left-out-at-end", "read", "has no next_cursor at all"),
    "rows-under-results": ("rows-elsewhere", "stops", "wrapped in an object without data"),
    "page-ignored": ("page-ignored", "read", "Page numbers are ignored"),
    "page-refused": ("page-refused", "read", "refuses page numbers for users, enrollments,"),
    "large-pages-refused": ("large-pages-refused", "read", "More than 500 rows a page are refused"),
    "small-pages": ("small-pages", "read", "KnowBe4 sends 100 a page"),
    "percentages-always": ("percentages-always", "read", "although exclude_percentages=true is asked for"),
    "campaign-cap-off": ("campaign-cap-off", "read", "More than ten training campaigns"),
    "status-ignored": ("status-ignored", "read", "keeps each person once"),
    "status-left-out": ("status-left-out", "read", "are only active ones"),
    "account-in-list": ("account-in-list", "read", "takes the one"),
    "trial": ("trial-account", "read", "counts no seats"),
    "unknown-field": ("unknown-field", "read", "quantum_score of users, quantum_score of enrollments,"),
    "missing-field": ("missing-field", "read", "does not send extension of users and browser_version of recipients"),
    "missing-status": ("missing-field", "set aside", "status of groups: Rollcall cannot read such rows"),
    "missing-campaign-id": (
        "missing-field",
        "read",
        "campaign_id of enrollments: Rollcall keeps the",
    ),
    "earlier-names": ("old-name", "read", "modules of training campaigns"),
    "hyphenated-name": ("old-name", "read", "(landing-page of security tests)"),
    "policy-id": ("old-name", "read", "(id of policies)"),
    "store-purchased-id": ("old-name", "read", "store_purchased_id of enrollments"),
    "unknown-status": ("unknown-word", "read", "“Exempted”, a word Rollcall does not know (status of enrollments)"),
    "unknown-campaign-status": ("unknown-word", "read", "“Active”, a word Rollcall does not know"),
    "unknown-type": ("other-word", "read", "one of 8 characters, all letters (type of store purchases;"),
    "null-user": ("null", "read", "(user of enrollments): Rollcall keeps the enrollment with the person it had"),
    "null-template": ("null", "read", "(template of security tests)"),
    "null-name": ("null", "read", "(name of training campaigns)"),
    "group-without-id": ("missing-field", "read", "leaves such a group out"),
    "integers-as-text": ("other-type", "read", "text for a whole number"),
    "decimals-as-text": ("other-type", "read", "text for a decimal"),
    "truths-as-numbers": ("other-type", "read", "a whole number for true or false"),
    "large-ids": ("large-id", "read", "Ids exceed 32 bits (enrollment_id of enrollments"),
    "huge-ids": ("large-id", "set aside", "Rollcall cannot read such rows"),
    "risk-moments": ("day-as-moment", "read", "(date of account risk scores)"),
    "dates-with-offset": ("date-form", "read", "an offset other than Z"),
    "dates-without-milliseconds": ("date-form", "read", "no milliseconds"),
    "dates-without-zone": ("date-form", "read", "takes them for UTC"),
    "dates-with-slashes": ("unreadable-date", "set aside", "(enrollment_date of enrollments)"),
    "dates-empty": ("empty-date", "read", "reads it as none"),
    "nested-content": ("nested-list", "read", "(content of training campaigns)"),
    "clock-ahead": ("clock", "read", "KnowBe4's clock is 10 minutes ahead of this machine's"),
    "content-type": ("other-content-type", "read", "text/plain, not application/json"),
    "limits-in-headers": ("rate-limit-headers", "read", "(x-ratelimit-limit, x-ratelimit-remaining)"),
    "retry-after": ("rate-limited", "read", "(429) though Rollcall kept to its limits, with a Retry-After"),
    "phishing-forbidden": ("not-allowed", "stops", "may not read security tests (403)"),
    "html-policies": ("not-json", "stops", "Policies came as something other than JSON"),
}
# By disguise: how a check ends that cannot go on, and words of its sentence.
ENDED = {
    "key-refused": (Outcome.KEY_REFUSED, "did not accept the key"),
    "key-refused-with-200": (Outcome.KEY_REFUSED, "did not accept the key"),
    "no-reporting-api": (Outcome.NOT_ALLOWED, "the token or plan lacks the Reporting API"),
    "day-used-up": (Outcome.RATE_LIMITED, "limit of requests is reached"),
    "proxy-page": (Outcome.UNREACHABLE, "something other than KnowBe4's JSON"),
}


@pytest.fixture(scope="module")
def private(served: Simulator, company: Company) -> set[str]:
    """Return every text and every number that the company's rows hold, but the words of KnowBe4's own."""
    served.disguise()
    with Client(served.url, "simulator-key") as client:
        values = set(_values(client, company))
    assert len(values) > 1_000
    assert {company.name, "All Users"} <= values
    # A publisher of content, and who sends all this.
    return values - {"KnowBe4"}


def file_of(report: Report) -> str:
    """Return the text of the file that tells the report."""
    return ApiCheck(report=report.as_json()).file


def assert_nothing_private(report: Report, private: set[str]) -> None:
    """Fail for any of those in the file, as a text, as a word, or as a part of one."""
    told = file_of(report)
    words = set(re.findall(r"[^\"\n]+", told)) | set(re.findall(r"[\w@.+'-]+", told))
    assert words & private == set()
    assert not any(value in told for value in private if len(value) > 12)
    assert not re.search(r"\d{5}|@", told)


def _values(client: Client, company: Company) -> Iterator[str]:
    lists = [
        resources.USERS, resources.GROUPS, resources.STORE_PURCHASES, resources.POLICIES, resources.CAMPAIGNS,
        resources.ENROLLMENTS, resources.PHISHING_CAMPAIGNS, resources.SECURITY_TESTS,
    ]  # fmt: skip
    rows = [json.loads(client.exchange(resources.ACCOUNT).body)]
    for resource in lists:
        position = "true"
        while position is not None:
            answer = client.exchange(resource, params={**resource.params, "per_page": 500, "cursor": position})
            body = json.loads(answer.body)
            rows += body["data"]
            position = body["pagination"]["next_cursor"]
    for test in company.phishing_tests(AT):
        params = {"campaign_type": "callback"} if test.callback else {}
        answer = client.exchange(resources.RECIPIENTS, params=params, path_args={"pst_id": test.pst_id})
        rows += json.loads(answer.body)
    yield from _texts(rows)


# Words of KnowBe4's own, and what says nothing of anybody.
PUBLIC = {"status", "type", "group_type", "content_type", "duration_type", "subscription_level"}


def _texts(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from _texts(entry, name)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry, key)
    elif isinstance(value, str) and key not in PUBLIC and len(value) > 2:
        yield value
    elif type(value) is int and value > 9_999:
        yield str(value)


def test_every_disguise_is_told():
    assert set(DISGUISES) == TOLD.keys() | ENDED.keys()
    assert len(DISGUISES) >= 20


def test_what_is_documented_is_no_surprise(check, private):
    report = check()
    assert_nothing_private(report, private)
    assert (report.outcome, report.surprises, report.facts["not_asked"]) == (Outcome.READ, [], [])
    assert report.message == "KnowBe4 answers as Rollcall expects."
    asked = report.facts["requests"]
    assert report.requests == len(asked) <= MOST_REQUESTS
    assert {"users", "groups", "policies", "recipients", "group members"} <= set(report.facts["status_by_list"])
    assert {entry["parameters"].get("page") for entry in asked} == {None, 2}, "both ways of paging"
    assert report.facts["fields"]["enrollments"]["user.id"]["types"].keys() == {"whole number"}
    assert report.facts["fields"]["enrollments"]["status"]["words"], "words of KnowBe4's own"


@pytest.mark.parametrize("name", TOLD)
def test_a_disguise_is_named_and_no_other(check, private, name):
    kind, effect, words = TOLD[name]
    report = check(name)
    assert report.outcome == Outcome.READ
    assert {surprise.kind for surprise in report.surprises} == {kind}
    assert (report.effect, report.surprises[0].effect) == (effect, effect)
    sentence = str(report.surprises[0])
    assert words in sentence
    assert re.fullmatch(r"[A-Z].*: Rollcall .*\.", sentence), sentence
    assert report.requests <= MOST_REQUESTS
    assert_nothing_private(report, private)


@pytest.mark.parametrize("name", ENDED)
def test_what_ends_a_check_is_one_sentence(check, private, name):
    outcome, words = ENDED[name]
    report = check(name)
    assert (report.outcome, report.surprises) == (outcome, [])
    assert words in report.message
    assert report.requests <= 2
    assert_nothing_private(report, private)


def test_a_key_of_another_region_is_found_there(check, served, server, now):
    server.says(Reply({"message": "Invalid Token"}, status=401))
    served.disguise()
    with (
        Client(server.url, "simulator-key") as here,
        Client(server.url, "simulator-key") as wrong,
        Client(served.url, "simulator-key") as right,
    ):
        report = check_api(here, now=now, region="eu", elsewhere={"ca": wrong, "us": right})
        nowhere = check_api(here, now=now, region="eu", elsewhere={"ca": wrong})
    assert (report.outcome, report.requests) == (Outcome.WRONG_REGION, 3)
    assert report.message == "KnowBe4 knows the key in region us, not in eu: set the account's region to us."
    assert nowhere.outcome == Outcome.KEY_REFUSED
    assert "in none of its regions" in nowhere.message


def test_regions_that_do_not_answer_are_not_counted_as_a_no(server, now):
    server.says(Reply({"message": "Invalid Token"}, status=401))
    with (
        Client(server.url, "key") as here,
        Client("http://127.0.0.1:9", "key") as gone,
        Client(server.url, "key", pacer=Spent()) as spent,
    ):
        elsewhere = {"ca": gone, "de": here, "uk": spent}
        report = check_api(here, now=now, region="eu", elsewhere=elsewhere)
    assert (report.outcome, report.requests) == (Outcome.KEY_REFUSED, 3)
    assert report.message == (
        "KnowBe4 does not accept the key in eu and de, and ca and uk could not be asked: try again later."
    )


class Spent(Pacer):
    """The allowance of an account that has none left."""

    def __init__(self) -> None:
        pass

    def acquire(self, on_wait=None) -> None:
        raise BudgetExhausted("No request is left.")


def test_a_host_that_is_not_there_is_one_sentence(now):
    with Client("http://127.0.0.1:9", "key", sleep=lambda seconds: None) as client:
        report = check_api(client, now=now)
    assert (report.outcome, report.requests) == (Outcome.UNREACHABLE, 2)
    assert "could not be reached (no connection)" in report.message


@pytest.mark.parametrize(
    "address",
    ["http://ada:s3cret@127.0.0.1:9", "http://s3cret/x@127.0.0.1:9", "ada:s3cret@127.0.0.1", "http://s3cret@"],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(address):
    with pytest.raises(ValueError, match="take it out") as refused:
        Client(address, "key")
    assert "s3cret" not in str(refused.value)


def test_the_name_of_a_place_has_no_password():
    assert place_in_words("us", "http://ada:s3cret@127.0.0.1:9") == "127.0.0.1:9"


def test_names_and_words_that_are_values_are_not_written(server, now):
    """A field named after a person, a status that is an address, a duration that is a sentence."""
    rows = {
        "/v1/account": {"name": "A", "type": "ada@x.example", "Ada Quill": 1, "ada.quill@x.example": {"Quill": 1}},
        "/v1/training/campaigns": [
            {
                "campaign_id": 1,
                "status": "Ada Quill of 12 Mill Lane",
                "relative_duration": "until Quill is back",
                "x": [1],
            }
        ],
    }
    server.says(lambda asked: Reply(rows.get(asked.path, [])))
    with Client(server.url, "key", sleep=lambda seconds: None) as client:
        report = check_api(client, now=now)
    told = file_of(report)
    assert not re.search(r"(?i)quill|\bada\b|mill lane|back", told)
    kinds = {surprise.kind for surprise in report.surprises}
    assert {"other-word", "unknown-duration", "unknown-field", "missing-field"} <= kinds


def test_words_and_names_that_look_like_knowbe4s_are_told_by_their_form(served, server, now):
    """A person for a status, a group's name for a type, names of people for names of fields: not a trace of them."""
    served.disguise()
    secrets = {"Jane Doe", "Works Council Complaints", "jane-doe", "john-roe", "works_council"}

    def spoiled(asked):
        key = {"Authorization": asked.headers["Authorization"]}
        body = requests.get(served.url + asked.path, asked.params, headers=key, timeout=10).json()
        rows = body.get("data", [body]) if isinstance(body, dict) else body
        for number, row in enumerate(rows):
            row["badge_color"] = 1
            if number < 2 and asked.params.get("page") != "2":
                row[["jane-doe", "john-roe"][number]] = 1
            if asked.path == "/v1/account":
                row["works_council"] = {"a": 1}
            if asked.path.startswith("/v1/training/enrollments"):
                row["status"] = ["Jane Doe", "Exempted", "PAST_DUE"][number % 3]
            if asked.path == "/v1/groups":
                row["group_type"] = "Works Council Complaints"
        return Reply(body)

    server.says(spoiled)
    with Client(server.url, "simulator-key", sleep=lambda seconds: None) as client:
        report = check_api(client, now=now)
    told = file_of(report)
    assert not [secret for secret in secrets if secret.lower() in told.lower()]
    assert not re.search(r"(?i)\b(jane|doe|roe|council|complaints)\b", told)
    assert report.facts["fields"]["enrollments"]["status"]["other_words"].startswith("one of 8 characters")
    assert {"Exempted", "PAST_DUE"} <= set(report.facts["fields"]["enrollments"]["status"]["words"])
    assert "badge_color of users" in told
    assert "one of 24 characters, letters, spaces and hyphens (group_type of groups; " in told


def test_enrollment_words_are_those_a_sync_knows():

    assert WORDS[payloads.Enrollment, "status"] == set(STANDINGS)


@pytest.mark.parametrize("kind", KINDS.values())
def test_every_sentence_can_be_told(kind):
    assert kind.seen.format(places="users", detail="x").strip()
    assert not kind.then.endswith(".")
    assert kind.effect in Effect
