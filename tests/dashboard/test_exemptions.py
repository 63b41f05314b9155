"""The pages of exemptions: asking, deciding, ending, the list by state, and importing a file."""

from datetime import datetime, timedelta
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.access import Scope
from dashboard.models import Exemption, User
from dashboard.pages.settings import exemptions as pages
from dashboard.queries.exemptions import counts, exemptions
from dashboard.rollups import rebuild
from dashboard.services import exemptions as deciding
from dashboard.services.exemptions import Excuse
from sync.models import Account, Group, Person
from tests import factories
from tests.clock import MOMENT

LIST = {"HX-Request": "true", "HX-Target": "exemption-list"}
MATCHES = {"HX-Request": "true", "HX-Target": "matches"}
WHO = "/search/request_exemption/"
Reason = Exemption.Reason
State = Exemption.State


@pytest.fixture
def ada(account: Account, now: datetime) -> Person:
    """Return someone in training."""
    person = factories.PersonFactory(account=account, first_name="Ada", last_name="Whitlöck", email="Ada@a.example")
    rebuild(account, at=now)
    return person


@pytest.fixture
def group(account: Account) -> Group:
    """Return a group of four."""
    return Group.objects.create(
        account=account, knowbe4_id=5, name="Warehouse", member_count=4, first_seen_at=factories.SEEN_AT
    )


def requested(person: Person, by: User, *, first: int = -3, last: int | None = 30) -> Exemption:
    """Return a request from `first` days from today on until `last`."""
    today = MOMENT.astimezone(person.account.zone).date()
    excuse = Excuse(
        reason=Reason.LEAVE,
        first_day=today + timedelta(days=first),
        last_day=None if last is None else today + timedelta(days=last),
        person=person,
    )
    return deciding.request(person.account, excuse, by=by, at=MOMENT - timedelta(minutes=5))


def approved(person: Person, by: User, other: User, **days: int | None) -> Exemption:
    exemption = requested(person, by, **days)  # type: ignore[arg-type]
    deciding.approve(exemption, by=other, at=MOMENT - timedelta(minutes=4), reason="Seen.")
    return exemption


# Asking ---------------------------------------------------------------------------------------------------------


def test_somebody_is_found_and_asked_for(
    as_alice: Client, alice: User, ada: Person, account: Account, redis_url: str
) -> None:
    part = as_alice.post(WHO, {"q": "whitlock"}, headers=MATCHES, follow=True).content.decode()
    assert f'href="/settings/exemptions/new/?person={ada.pk}"' in part
    assert "<html" not in part
    assert "No active person is called “nobody”." in as_alice.post(WHO, {"q": "nobody"}, follow=True).content.decode()

    campaign = factories.CampaignFactory(account=account, name="Autumn")
    address = f"/settings/exemptions/new/?person={ada.pk}"
    assert "For Ada Whitlöck." in as_alice.get(address).content.decode()
    sent = {
        "campaign": campaign.pk,
        "reason": "leave",
        "first_day": "2026-11-02",
        "last_day": "2027-02-28",
        "evidence": "Ticket 12",
        "note": "",
    }
    response = as_alice.post(address, sent, follow=True)
    made = Exemption.objects.get()
    assert response.redirect_chain == [(f"/settings/exemptions/{made.pk}/", 302)]
    text = response.content.decode()
    assert "It waits for somebody else&#x27;s decision." in text or "It waits for somebody else's decision." in text
    assert "Ticket 12" in text
    assert 'value="approve"' not in text
    assert "Withdraw the request" in text
    assert (made.person, made.campaign, made.requested_by) == (ada, campaign, alice)
    assert made.starts_at == datetime.fromisoformat("2026-11-02T00:00:00+01:00")
    assert made.ends_at == datetime.fromisoformat("2027-03-01T00:00:00+01:00")


def test_a_group_is_asked_for(as_alice: Client, account: Account, group: Group) -> None:
    everybody = Group.objects.create(account=account, knowbe4_id=0, name="All Users", first_seen_at=factories.SEEN_AT)
    assert "All Users" not in as_alice.get("/settings/exemptions/new/").content.decode()
    assert as_alice.get(f"/settings/exemptions/new/?group={everybody.pk}").status_code == 404
    sent = {"reason": "role", "first_day": "2026-11-02", "last_day": ""}
    assert as_alice.post(f"/settings/exemptions/new/?group={group.pk}", sent).status_code == 302
    made = Exemption.objects.get()
    assert (made.group, made.campaign, made.ends_at) == (group, None, None)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"reason": ""}, "This field is required."),
        ({"reason": "tired"}, "not one of the available choices"),
        ({"reason": "other"}, "For another reason, a note must say which."),
        ({"first_day": "tomorrow"}, "Enter a valid date."),
        ({"first_day": "0026-11-02"}, "Enter a year between 2000 and 2099."),
        ({"last_day": "2026-10-30"}, "The last day is before the first."),
        ({"campaign": "999999"}, "That choice is not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    as_alice: Client, ada: Person, wrong: dict[str, str], sentence: str
) -> None:
    sent = {"campaign": "", "reason": "leave", "first_day": "2026-11-02", "last_day": "", **wrong}
    text = as_alice.post(f"/settings/exemptions/new/?person={ada.pk}", sent).content.decode()
    assert sentence in text
    assert 'aria-invalid="true"' in text
    assert not Exemption.objects.exists()


def test_nobody_of_another_account_is_asked_for(as_alice: Client, account: Account, redis_url: str) -> None:
    person = factories.PersonFactory(first_name="Zephyrine")
    assert as_alice.get(f"/settings/exemptions/new/?person={person.pk}").status_code == 404
    answer = as_alice.post(WHO, {"q": "zephyrine"}, headers=MATCHES, follow=True)
    assert "No active person is called “zephyrine”." in answer.content.decode()
    assert as_alice.get("/settings/exemptions/new/?person=x").status_code == 400


# Deciding -------------------------------------------------------------------------------------------------------


def test_somebody_else_approves(as_alice: Client, ines: User, ada: Person, now: datetime) -> None:
    factories.EnrollmentFactory(account=ada.account, person=ada)
    made = requested(ada, ines)
    address = f"/settings/exemptions/{made.pk}/"
    text = as_alice.get(address).content.decode()
    assert "It bears on 1 enrollment that counts today." in text
    assert 'value="approve"' in text
    refused = as_alice.post(address, {"act": "approve", "reason": ""}).content.decode()
    assert "A reason is needed: say why." in refused
    said = as_alice.post(address, {"act": "approve", "reason": "Seen."}, follow=True).content.decode()
    assert "The exemption is approved" in said
    assert "It is in force until" in said
    made.refresh_from_db()
    assert made.state(now + timedelta(minutes=1)) == State.ACTIVE
    said = as_alice.post(address, {"act": "end", "reason": "Back early."}, follow=True).content.decode()
    assert "what it excused until now stays excused" in said
    assert "Back early." in said


def test_the_requester_cannot_approve(as_alice: Client, alice: User, ada: Person) -> None:
    made = requested(ada, alice)
    text = as_alice.post(f"/settings/exemptions/{made.pk}/", {"act": "approve", "reason": "Mine."}).content.decode()
    assert "Somebody else than the one who requested it must decide." in text
    made.refresh_from_db()
    assert made.approved_at is None


def test_nobody_is_offered_to_approve_their_own(as_alice: Client, alice: User, ines: User, account: Account) -> None:
    herself = factories.PersonFactory(account=account, email="ALICE@brackwater.example")
    made = requested(herself, ines)
    assert 'value="approve"' not in as_alice.get(f"/settings/exemptions/{made.pk}/").content.decode()
    assert 'name="exemption"' not in as_alice.get("/settings/exemptions/").content.decode()


def test_chosen_requests_are_decided_together(as_alice: Client, alice: User, ines: User, ada: Person) -> None:
    theirs = [requested(ada, ines, first=-day) for day in (1, 2)]
    mine = requested(ada, alice, first=-9)
    sent = {"exemption": [each.pk for each in (*theirs, mine)], "act": "approve", "reason": ""}
    assert "a reason is needed" in as_alice.post("/settings/exemptions/decide/", sent, follow=True).content.decode()
    response = as_alice.post("/settings/exemptions/decide/", {**sent, "reason": "Seen."}, follow=True)
    text = response.content.decode()
    assert "2 exemptions were approved." in text
    assert "1 was left as it is: Somebody else than the one who requested it must decide." in text
    assert Exemption.objects.filter(approved_by=alice).count() == 2
    nothing = as_alice.post("/settings/exemptions/decide/", {"act": "reject", "reason": "x"}, follow=True)
    assert "choose at least one request" in nothing.content.decode()
    assert as_alice.post("/settings/exemptions/decide/", {"act": "end", "reason": "x"}).status_code == 404
    assert as_alice.post("/settings/exemptions/decide/", {**sent, "exemption": "x"}).status_code == 400


def test_exemptions_of_another_account_are_not_there(as_alice: Client, ines: User) -> None:
    made = requested(factories.PersonFactory(first_name="Zephyrine"), ines)
    assert as_alice.get(f"/settings/exemptions/{made.pk}/").status_code == 404
    as_alice.post("/settings/exemptions/decide/", {"exemption": made.pk, "act": "approve", "reason": "x"})
    made.refresh_from_db()
    assert made.approved_at is None
    assert "Zephyrine" not in as_alice.get("/settings/exemptions/?state=all").content.decode()


# The list -------------------------------------------------------------------------------------------------------


def test_the_list_is_by_state_with_filters(
    as_alice: Client, alice: User, ines: User, ada: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    bert = factories.PersonFactory(account=ada.account, first_name="Bert", last_name="Ostrander")
    requested(bert, ines)
    approved(ada, ines, alice, last=5)
    with django_assert_max_num_queries(12):
        text = as_alice.get("/settings/exemptions/").content.decode()
    assert "1 request waits for a decision." in text
    assert "1 ends within 30 days." in text
    assert "Bert Ostrander" in text
    assert "Ada" not in text
    part = as_alice.get("/settings/exemptions/?state=expiring", headers=LIST).content.decode()
    assert "<html" not in part
    assert "Ada Whitlöck" in part
    assert "ends in 5 days" in part
    everything = as_alice.post("/search/exemptions/", {"q": "ost", "state": "all"}, follow=True).content.decode()
    assert "Bert" in everything
    assert "Ada" not in everything
    nothing = as_alice.get("/settings/exemptions/?state=all&reason=sickness").content.decode()
    assert "No exemption in this state passes the filters." in nothing
    assert "No exemption is in this state." in as_alice.get("/settings/exemptions/?state=expired").content.decode()
    for query in ("state=gone", "reason=tired", "campaign=x"):
        assert as_alice.get(f"/settings/exemptions/?{query}").status_code == 400


def test_an_exemption_of_nobody_says_so(as_alice: Client, alice: User, group: Group, now: datetime) -> None:
    today = now.astimezone(group.account.zone).date()
    excuse = Excuse(reason=Reason.LEAVE, first_day=today, last_day=None, group=group)
    made = deciding.request(group.account, excuse, by=alice, at=now)
    campaign = factories.CampaignFactory(account=group.account, name="Basics")
    factories.EnrollmentFactory(account=group.account, campaign=campaign, removed_at=now)
    of_campaign = deciding.request(
        group.account,
        Excuse(reason=Reason.LEAVE, first_day=today, last_day=None, group=group, campaign=campaign),
        by=alice,
        at=now,
    )
    pages = ("/settings/exemptions/", f"/settings/exemptions/{made.pk}/")
    for page in pages:
        assert "has no people since" not in as_alice.get(page).content.decode()
    assert "Basics has no enrollments since" in as_alice.get(f"/settings/exemptions/{of_campaign.pk}/").content.decode()
    Group.objects.filter(pk=group.pk).update(vacated_at=now)
    for page in pages:
        assert "The group Warehouse has no people since 23 Nov 2026." in as_alice.get(page).content.decode()
    assert "So it excuses nobody now." in as_alice.get(pages[1]).content.decode()
    # One that is over has nothing to say.
    deciding.end(made, by=alice, at=now, reason="Over.")
    assert "has no people since" not in as_alice.get(pages[1]).content.decode()


def test_an_empty_list_says_what_exemptions_are(as_alice: Client, account: Account) -> None:
    text = as_alice.get("/settings/exemptions/").content.decode()
    assert "Nobody is exempt." in text
    assert "One asks for it, another approves it." in text


@pytest.mark.slow
def test_the_states_of_the_list_are_those_of_the_model(alice: User, ines: User, ada: Person, now: datetime) -> None:
    made = [
        requested(ada, alice),
        requested(ada, alice, last=None),
        approved(ada, alice, ines),
        approved(ada, alice, ines, first=5),
        approved(ada, alice, ines, first=-9, last=-2),
        approved(ada, alice, ines, last=None),
    ]
    for exemption in (
        requested(ada, alice),
        approved(ada, alice, ines),
        approved(ada, alice, ines, first=-1, last=None),
    ):
        deciding.end(exemption, by=ines, at=now - timedelta(minutes=2), reason="Back.")
        made.append(exemption)
    rejected = requested(ada, alice)
    deciding.reject(rejected, by=ines, at=now - timedelta(minutes=1), reason="No.")
    scope = Scope.of(alice)
    moments = [now + timedelta(days=days) for days in (-1, 0, 6, 40)] + [now - timedelta(seconds=90)]
    for at in moments:
        found = exemptions(scope, at=at)
        assert {one.pk: one.standing for one in found} == {one.pk: one.state(at).value for one in found}
        assert sum(count for name, count in counts(found, at=at).items() if name != "expiring") == len(made) + 1
    assert {name for name, _label in pages.TABS} == {*State.values, "expiring", "all"}


# Importing ------------------------------------------------------------------------------------------------------

IMPORT = "/settings/exemptions/import/"


def upload(client: Client, content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    return client.post(IMPORT, {"file": SimpleUploadedFile("leave.csv", data, "text/csv")}).content.decode()


def hidden(page: str, name: str) -> str:

    return unescape(page.split(f'name="{name}" value="')[1].split('"', maxsplit=1)[0])


def test_a_file_is_shown_first_and_imported_when_accepted(
    as_alice: Client, alice: User, ada: Person, group: Group
) -> None:
    content = (
        "Email;Group;Campaign;Reason;From;Until;Note\n"
        "ADA@A.EXAMPLE;;;Leave;2026-12-01;2027-02-28;\n"
        ';Warehouse;;role;1.12.2026;;"No, no mailbox"\n'
        "nobody@a.example;;;Leave;2026-12-01;;\n"
        "ada@a.example;;;Leave;05/11/2026;;\n"
        "ada@a.example;;;leave;2026-12-01;2027-02-28;\n"
    )
    page = upload(as_alice, content)
    assert "2 exemptions would be asked for." in page
    assert "3 rows cannot be used." in page
    assert "No active person has this email." in page
    assert "“05/11/2026” is no day; write it like 2026-12-31." in page
    assert "An earlier row asks for the same." in page
    assert "Line 4" in page
    assert not Exemption.objects.exists()

    sent = {name: hidden(page, name) for name in ("text", "name", "shown")}
    response = as_alice.post(IMPORT, sent, follow=True)
    assert response.redirect_chain == [("/settings/exemptions/?state=requested", 302)]
    assert "2 exemptions are requested." in response.content.decode()
    assert {(one.person, one.group, one.note) for one in Exemption.objects.all()} == {
        (ada, None, ""),
        (None, group, "No, no mailbox"),
    }
    assert {one.requested_by for one in Exemption.objects.all()} == {alice}

    again = as_alice.post(IMPORT, sent).content.decode()
    assert "Nothing was imported: what the file asks for is not what you saw." in again
    assert "The same exemption is there already." in again
    assert Exemption.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "The file is empty."),
        ("\n\n", "The file is empty."),
        ("email,from\na@b.example,2026-12-01\n", "these are missing: “reason”."),
        ("name,reason,from\nA,leave,2026-12-01\n", "these are missing: “email”."),
        ("email,reason,from\n", "The file has no rows below its first line."),
        ("email,reason,from\na\x00b,leave,2026-12-01\n", "This is no CSV file."),
        ("email,reason,from\n" + "a@b.example,leave,2026-12-01\n" * 1001, "more than 1,000 rows"),
        ("email,reason,from\n" + "x" * 300_000, "larger than 256 kB"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(as_alice: Client, account: Account, content: str, sentence: str) -> None:
    page = upload(as_alice, content)
    assert sentence in page
    assert 'aria-invalid="true"' in page


def test_no_file_at_all_says_so(as_alice: Client, account: Account) -> None:
    assert "Choose a CSV file first." in as_alice.post(IMPORT, {}).content.decode()


def test_an_upload_without_its_token_is_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(IMPORT, {"text": "email", "shown": ""}).status_code == 403
