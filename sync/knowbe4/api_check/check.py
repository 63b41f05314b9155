"""The check itself: which requests it makes, and in which order."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from sync.knowbe4 import errors, paging, payloads, resources
from sync.knowbe4.api_check import documented
from sync.knowbe4.api_check.asker import Asker
from sync.knowbe4.api_check.lists import Lists, Page
from sync.knowbe4.api_check.report import Outcome, Report
from sync.knowbe4.api_check.surprises import Effect, Surprises, listed
from sync.knowbe4.client import Answer, Client
from sync.knowbe4.errors import BudgetExhausted, Forbidden, KnowBe4Error, RateLimited, Unauthorized
from sync.knowbe4.rows import UNDECODABLE

LARGEST_PAGE = 500
# More campaigns than come at once with percentages.
CAMPAIGNS = 25


def check_api(
    client: Client, *, now: datetime, region: str = "", elsewhere: Mapping[str, Client] | None = None
) -> Report:
    """Ask KnowBe4 for two rows of everything, in at most 30 requests, and report what differs from what is expected.

    `elsewhere` are clients of the other regions, asked whose key it is only when `client`'s own, `region`, does not
    accept it. Never raises KnowBe4Error: what ends the check is the report's outcome.
    """
    surprises = Surprises()
    asker = Asker(client, surprises)
    lists = Lists(asker, surprises)
    outcome, message = Outcome.READ, ""
    try:
        _ask_account(lists, client.host)
        _ask_lists(lists)
    except KnowBe4Error as error:
        outcome, message = _ended(error)
    if outcome == Outcome.KEY_REFUSED and elsewhere:
        home, silent = _region_of_key(elsewhere, asker)
        if home:
            outcome = Outcome.WRONG_REGION
            message = f"KnowBe4 knows the key in region {home}, not in {region}: set the account's region to {home}."
        elif silent:
            refused = [name for name in (region, *elsewhere) if name not in silent]
            message = (
                f"KnowBe4 does not accept the key in {listed(refused, most=len(refused))}, and "
                f"{listed(silent, most=len(silent))} could not be asked: try again later."
            )
        else:
            message = "KnowBe4 accepts the key in none of its regions: create a new one in its console."
    for examiner in lists.examiners.values():
        is_trial = examiner.payload is payloads.Account and surprises.has("trial-account")
        examiner.finish(needless=documented.TRIAL_LACKS if is_trial else frozenset())
    lists.finish()
    facts = {
        **asker.facts(),
        "status_by_list": lists.statuses,
        "fields": {
            place: {name: shape.as_json() for name, shape in examiner.shapes.items()}
            for place, examiner in lists.examiners.items()
        },
    }
    report = Report(outcome, message, now.astimezone(UTC), len(asker.requests), surprises.all(), facts)
    return report if message else replace(report, message=_summary(report))


def _summary(report: Report) -> str:
    """Return one sentence on a check that came to its end."""
    count = len(report.surprises)
    if not count:
        told = "KnowBe4 answers as Rollcall expects."
    else:
        means = {
            Effect.READ: "Rollcall reads it all the same",
            Effect.SET_ASIDE: "Rollcall will set rows aside",
            Effect.STOPS: "a sync will not be published",
        }[report.effect]
        told = f"KnowBe4 differs in {count} {'way' if count == 1 else 'ways'} from what Rollcall expects; {means}."
    return f"{told} Not everything could be asked." if report.facts["not_asked"] else told


def _ended(error: KnowBe4Error) -> tuple[Outcome, str]:
    """Return the outcome of a check that an error ended, and its sentence without any id of a request."""
    match error:
        case Unauthorized():
            outcome = Outcome.KEY_REFUSED
        case Forbidden():
            outcome = Outcome.NOT_ALLOWED
        case RateLimited() | BudgetExhausted():
            outcome = Outcome.RATE_LIMITED
        case _:
            outcome = Outcome.UNREACHABLE
    return outcome, str(error.args[0])


def _region_of_key(elsewhere: Mapping[str, Client], asker: Asker) -> tuple[str, list[str]]:
    """Return the region that accepts the key, "" if none, and those asked before it that said neither yes nor no."""
    silent = []
    for region, client in elsewhere.items():
        if not asker.left:
            silent.append(region)
            continue
        entry: dict[str, Any] = {"list": f"account in {region}", "path": resources.ACCOUNT.path, "parameters": {}}
        asker.requests.append(entry)
        try:
            answer = client.exchange(resources.ACCOUNT)
        except BudgetExhausted:
            asker.requests.pop()  # it was not made
            silent.append(region)
            continue
        except KnowBe4Error:
            silent.append(region)
            continue
        entry["status"] = answer.status
        if answer.status == 403 or (answer.status == 200 and _is_account(answer)):
            return region, silent
        if answer.status != 401 and not (answer.status == 200 and _is_message(answer)):
            silent.append(region)
    return "", silent


def _is_account(answer: Answer) -> bool:
    """Return whether an answer for the account is one, rather than a message or a page of something in between."""
    try:
        body = msgspec.json.decode(answer.body)
    except (*UNDECODABLE, ValueError):
        return False
    return isinstance(body, dict | list) and not _is_message(answer)


def _is_message(answer: Answer) -> bool:
    """Return whether an answer for the account says something instead (a bad key, seen live with status 200)."""
    try:
        return paging.read_reply(answer.body, {}).message is not None
    except (*UNDECODABLE, ValueError):
        return False


def _ask_account(lists: Lists, host: str) -> None:
    """Ask whose key this is. Raises KnowBe4Error when that cannot be told: then there is nothing more to ask."""
    answer = lists.asker.ask("account", resources.ACCOUNT)
    assert answer is not None  # noqa: S101 - there is always a first request
    lists.statuses["account"] = answer.status
    if answer.status != 200:
        raise errors.for_status(answer.status, host=host, subject="account")
    try:
        body = msgspec.json.decode(answer.body)
    except (*UNDECODABLE, ValueError):
        raise errors.InvalidReply(
            f"{host} answers with something other than KnowBe4's JSON: "
            "check the region, KNOWBE4_BASE_URL and any proxy in between."
        ) from None
    if _is_message(answer):
        raise errors.unauthorized(host=host, status=200)
    lists.note_content_type(answer)
    if isinstance(body, list):
        lists.surprises.add("account-in-list")
    rows = body[:1] if isinstance(body, list) else [body]
    if rows and isinstance(rows[0], dict) and not documented.TRIAL_LACKS & rows[0].keys():
        lists.surprises.add("trial-account")
    lists.examiner("account", payloads.Account).examine(rows)


def _ask_lists(lists: Lists) -> None:
    """Ask for every list, those that matter most first: requests may run out."""
    _ask_users(lists)
    _ask_enrollments(lists)
    _ask_campaigns(lists)
    groups = lists.ask("groups", resources.GROUPS, {"status": "active"})
    lists.ask("store purchases", resources.STORE_PURCHASES)
    lists.ask("policies", resources.POLICIES)
    lists.ask("phishing campaigns", resources.PHISHING_CAMPAIGNS)
    tests = lists.ask("security tests", resources.SECURITY_TESTS)
    if tests and tests.items:
        test = next((item for item in tests.items if item.started_at), tests.items[0])
        lists.ask("recipients", resources.RECIPIENTS, path_args={"pst_id": test.pst_id})
    if groups and groups.items:
        group = max(groups.items, key=lambda item: item.member_count or 0)
        lists.ask("group members", resources.GROUP_MEMBERS, path_args={"group_id": group.id}, is_synced=False)
    lists.ask("account risk scores", resources.ACCOUNT_RISK_HISTORY, by_page=False, is_synced=False)


def _ask_users(lists: Lists) -> None:
    """Ask for users of each status, and for what no status means."""
    active = lists.ask("users", resources.USERS, {"status": "active"}, second=True)
    archived = lists.ask("users", resources.USERS, {"status": "archived"}, by_page=False, note=" (archived)")
    if archived and "active" in _statuses(archived):
        lists.surprises.add("status-ignored")
    everybody = lists.ask("users", resources.USERS, per_page=LARGEST_PAGE, by_page=False, note=" (any status)")
    if active and archived and everybody and active.rows and archived.rows and everybody.is_whole:
        seen = _statuses(everybody)
        if len(seen) == 1 and seen <= {"active", "archived"} and not lists.surprises.has("status-ignored"):
            lists.surprises.add("status-left-out", detail=seen.pop())


def _statuses(page: Page) -> set[str]:
    return {item.status for item in page.items}


def _ask_enrollments(lists: Lists) -> None:
    """Ask for enrollments as a sync does, and once for more than a page may hold."""
    place, resource = "enrollments", resources.ENROLLMENTS
    first = lists.ask(place, resource, resource.params, second=True)
    if first is None:
        return
    by_cursor = bool(first.cursor)
    for size in (LARGEST_PAGE + 1, LARGEST_PAGE):
        where = {"cursor": paging.FIRST_CURSOR} if by_cursor else {"page": 1}
        answer = lists.asker.ask(place, resource, {**resource.params, "per_page": size, **where})
        if answer is None or answer.status != 400 or size == LARGEST_PAGE:
            break
        lists.surprises.add("large-pages-refused")
    page = lists.read(answer, lists.examiner(place, resource.payload), resource, size, by_cursor=False)
    if page is None:
        return
    if len(page.rows) > LARGEST_PAGE:
        lists.surprises.add("large-pages-served")
    elif len(page.rows) < LARGEST_PAGE and page.cursor:
        lists.surprises.add("small-pages", detail=str(len(page.rows)))


def _ask_campaigns(lists: Lists) -> None:
    """Ask for training campaigns without and with percentages: with them no more than ten come at once."""
    resource, cap = resources.CAMPAIGNS, resources.CAMPAIGN_PERCENTAGES.cap or 0
    page = lists.ask("training campaigns", resource, resource.params, per_page=CAMPAIGNS)
    if page and (
        any(isinstance(row, dict) and "completion_percentage" in row for row in page.rows)
        or (len(page.rows) == cap and page.cursor)
    ):
        lists.surprises.add("percentages-always")
    resource = resources.CAMPAIGN_PERCENTAGES
    page = lists.ask("training campaigns", resource, per_page=CAMPAIGNS, by_page=False, note=" (percentages)")
    if page and len(page.rows) > cap:
        lists.surprises.add("campaign-cap-off")
