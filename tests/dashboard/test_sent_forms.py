"""A second click does nothing again, whatever the act; every address that takes a form is decided about."""

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from dashboard.models import (
    ApiToken,
    Delegation,
    Delivery,
    EvidencePack,
    Exemption,
    Export,
    Invitation,
    Membership,
    Occurrence,
    Schedule,
    SentForm,
    SingleSignOn,
    SingleSignOnRole,
    User,
)
from dashboard.requests.sent_forms import FIELD, KEPT_FOR, forget, new_key
from sync.models import Account, ConsoleImport, Person
from tests import factories
from tests.dashboard.canary import Canary
from tests.dashboard.routes import addresses, names
from tests.dashboard.signing_in import sign_in_lately

KEY = re.compile(rf'name="{FIELD}" value="([^"]+)"')
# Acts that make a row or send a mail: each is done once for a form, and is sent twice below.
MAKES = {
    *("add_schedule", "act_on_schedule", "resend_delivery", "evidence", "export", "create_token", "request_exemption"),
    *("import_exemptions", "check_mail", "invite_member", "resend_invitation", "add_account", "add_group"),
    *("your_access", "console_imports", "your_name", "mail_domain"),
}
# What may be said twice without harm, and why.
HARMLESS = {
    # The second finds nothing left to do: a state is set, a row changed or ended.
    *("edit_schedule", "revoke_token", "end_member", "revoke_invitation", "end_member_loan", "end_own_loan", "member"),
    *("end_session", "end_other_sessions", "exemption", "decide_exemptions", "resolve_run", "console_import_decide"),
    *("console_import_columns", "settings", "settings_branding", "settings_campaign", "settings_department"),
    "settings_departments",
    *("settings_licenses", "edit_account", "enable_account", "single_sign_on", "remove_single_sign_on"),
    *("remove_group", "check_domain", "switch_account", "view_as_member", "stop_viewing", "rename_member"),
    # One at a time by itself: the second waits for the first, or is told that it runs.
    *("sync_start", "sync_account", "test_account", "check_api"),
    # Keeps what is looked for; no row.
    "keep_search",
    # Before anybody is signed in; each link and code is good once.
    *("accept_invitation", "demo_sign_in", "prove_domain", "confirm_email"),
}


def key_on(client: Client, page: str) -> str:
    """Return the key of the last form on a page: the first belong to the frame."""
    found = KEY.findall(client.get(page).content.decode())
    assert found, page
    return str(found[-1])


def test_every_address_that_takes_a_form_is_decided_about(marked_companies: Canary) -> None:
    canary = marked_companies
    client = sign_in_lately(Client(raise_request_exception=False), canary.readers["administrator"])
    ours = {kind: keys[:1] for kind, keys in canary.keys.items()}
    taking = set()
    for name in names():
        if name in {"account_logout", "mcp", "api_not_found"} or name.startswith(("account_", "mfa_", "saml_", "api_")):
            # The library's: a password or a factor is set, not made; programs send no forms.
            continue
        if client.post(next(iter(addresses(name, ours)))).status_code != 405:
            taking.add(name)
        if name == "demo_sign_in":
            sign_in_lately(client, canary.readers["administrator"])
    taking -= {"openid_connect_login", "openid_connect_callback", "passport"}
    assert taking == MAKES | HARMLESS


@pytest.fixture
def sent(as_ines: Client) -> Callable[..., list[Any]]:
    """Return a sender of the same form twice: it answers with both answers."""

    def twice(address: str, page: str = "", **form: Any) -> list[Any]:
        key = key_on(as_ines, page or address)
        answers = []
        for _click in range(2):
            fresh = {
                name: SimpleUploadedFile("a.csv", value) if isinstance(value, bytes) else value
                for name, value in form.items()
            }
            answers.append(as_ines.post(address, fresh | {FIELD: key}))
        return answers

    return twice


def assert_once(answers: list[Any], made: Any) -> None:
    """Fail unless one row was made, and the second answer leads to it and says so."""
    first, second = answers
    assert made.count() == 1
    assert second.status_code == 302
    assert second["Location"] == first.headers.get("Location", second["Location"])
    said = second.client.get(second["Location"]).content.decode()
    assert "You sent this twice." in said


def schedule_form(recipient: User) -> dict[str, Any]:
    """Return what the form of a schedule says."""
    words = {"weekday": "", "days_after": "", "department": "", "campaign": ""}
    return words | {
        "name": "Board monthly", "what": "report:board", "format": "xlsx", "frequency": "monthly", "day_of_month": "1",
        "at_time": "08:00", "way": "attachment", "when_quiet": "skip", "recipients": str(recipient.pk),
    }  # fmt: skip


def test_schedules_and_what_they_send(
    sent: Callable[..., list[Any]], company: Account, ines: User, alice: User, redis_url: str, settings: Any
) -> None:
    settings.HAS_MAIL_SERVER = True
    assert_once(sent("/schedules/new/", **schedule_form(ines)), Schedule.objects)
    made = Schedule.objects.get()
    answers = sent(f"/schedules/{made.pk}/act/", f"/schedules/{made.pk}/", act="send")
    assert_once(answers, Occurrence.objects)
    failed = Delivery.objects.get()
    failed.state = Delivery.State.FAILED
    failed.save()
    _first, second = sent(f"/schedules/mails/{failed.pk}/again/", f"/schedules/{made.pk}/")
    assert "You sent this twice." in second.client.get(second["Location"]).content.decode()


def test_packs_files_and_tokens(
    sent: Callable[..., list[Any]], company: Account, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = {"first_day": "2026-10-01", "last_day": "2026-10-31", "department": "", "sample_size": "5"}
    assert_once(sent("/evidence/", **days, sample_seed="1"), EvidencePack.objects)
    monkeypatch.setattr("dashboard.pages.exports.is_large", lambda count, kind: True)
    assert_once(sent("/exports/enrollments/", format="xlsx", column="person"), Export.objects)
    answers = sent("/you/tokens/new/", "/you/tokens/", name="Power BI", lasts="90")
    assert_once(answers, ApiToken.objects)
    assert answers[0].status_code == 200


def test_members_and_accounts(sent: Callable[..., list[Any]], account: Account, ines: User, redis_url: str) -> None:
    colleague = factories.UserFactory(email="emil@brackwater.example")
    factories.MembershipFactory(user=colleague, account=account)
    factories.MembershipFactory(user=ines, account=account, role=Membership.Role.PEOPLE_MANAGER)
    offer = {"email": "nora@x.example", "role": "auditor", "ends_on": "2026-12-31", "last_day": "2026-12-31"}
    assert_once(sent("/settings/members/invite/", **offer), Invitation.objects)
    pk = Invitation.objects.get().pk
    assert_once(sent(f"/settings/members/invitations/{pk}/send/", "/settings/members/"), Invitation.objects)
    assert_once(sent("/settings/mail/"), Invitation.objects)
    loan = {"email": colleague.email, "first_day": "2026-11-23", "last_day": "2026-11-30", "note": ""}
    assert_once(sent("/you/access/", **loan), Delegation.objects)
    SingleSignOn.objects.create(
        account=account,
        kind="oidc",
        name="Sign-on",
        key="brackwater",
        email_domains=["x.example"],
        server_url="https://idp.example",
        client_id="x",
        encrypted_secret=b"x",
    )
    group = {"group": "managers", "role": "people_manager"}
    assert_once(sent("/settings/sign-on/groups/new/", **group), SingleSignOnRole.objects)
    new = {"name": "Second", "region": "us", "time_zone": "UTC", "key": "", "interval": "240"}
    before = Account.objects.count()
    answers = sent("/settings/accounts/new/", **new)
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Account.objects.count() == before + 1


def test_exemptions_and_files(sent: Callable[..., list[Any]], company: Account, redis_url: str) -> None:
    person = Person.objects.filter(account=company).order_by("pk")[0]
    asked = {"campaign": "", "reason": "leave", "first_day": "2026-11-01", "last_day": "2026-12-31"}
    before = Exemption.objects.count()
    answers = sent(f"/settings/exemptions/new/?person={person.pk}", **asked, note="n", evidence="")
    assert Exemption.objects.count() == before + 1
    assert answers[1]["Location"] == answers[0]["Location"]
    content = b"Campaign,Content,Email\r\nAutumn,Phish,ada@brackwater.example\r\n"
    assert_once(sent("/sync/imports/", file=content), ConsoleImport.objects)
    text = f"Email,Reason,First day,Last day\r\n{person.email},leave,2027-01-01,2027-01-31\r\n"
    shown = sent("/settings/exemptions/import/", file=text.encode())
    assert [answer.status_code for answer in shown] == [200, 200]


def test_a_form_with_errors_or_other_words_is_taken_again(as_ines: Client, company: Account, ines: User) -> None:
    key = key_on(as_ines, "/schedules/new/")
    form = schedule_form(ines) | {FIELD: key}
    assert as_ines.post("/schedules/new/", form | {"name": ""}).status_code == 200
    assert as_ines.post("/schedules/new/", form).status_code == 302
    assert as_ines.post("/schedules/new/", form | {"name": "Another"}).status_code == 302
    assert sorted(Schedule.objects.values_list("name", flat=True)) == ["Another", "Board monthly"]
    # Shown anew it is a new form.
    assert as_ines.post("/schedules/new/", form | {FIELD: key_on(as_ines, "/schedules/new/")}).status_code == 302
    assert Schedule.objects.count() == 3


def test_a_key_is_its_readers_own(as_ines: Client, company: Account, ines: User, alice: User) -> None:
    for key in (new_key(alice), "1.x", "", "x" * 5000):
        as_ines.post("/schedules/new/", schedule_form(ines) | {FIELD: key})
    assert SentForm.objects.count() == 0
    assert Schedule.objects.count() == 4


def test_a_form_without_our_key_is_known_by_its_token(as_ines: Client, company: Account, ines: User) -> None:
    text = as_ines.get("/schedules/new/").content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)[-1]
    answers = [
        as_ines.post("/schedules/new/", schedule_form(ines) | {"csrfmiddlewaretoken": token}) for _click in range(2)
    ]
    assert_once(answers, Schedule.objects)


def test_forms_of_long_ago_are_forgotten(alice: User, now: datetime) -> None:
    for number, age in enumerate((timedelta(), KEPT_FOR - timedelta(seconds=1), KEPT_FOR)):
        SentForm.objects.create(digest=str(number), user=alice, sent_at=now - age)
    assert forget(now) == 1
    assert sorted(SentForm.objects.values_list("digest", flat=True)) == ["0", "1"]


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_time_meet_in_the_database(as_ines: Client, company: Account, ines: User) -> None:
    key = key_on(as_ines, "/schedules/new/")
    places: list[str] = []
    together = threading.Barrier(4)

    def click() -> None:
        try:
            tab = Client()
            tab.cookies = as_ines.cookies
            together.wait()
            answer = tab.post("/schedules/new/", schedule_form(ines) | {FIELD: key})
            places.append(answer.get("Location", f"{answer.status_code}"))
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert Schedule.objects.count() == 1
    assert places == [f"/schedules/{Schedule.objects.get().pk}/"] * 4


def test_every_form_that_posts_has_a_key(as_ines: Client, company: Account) -> None:
    for page in ("/", "/people/", "/evidence/", "/you/tokens/", "/settings/members/", "/schedules/", "/sync/"):
        forms = re.findall(r'<form[^>]*method="post".*?</form>', as_ines.get(page).content.decode(), re.DOTALL)
        assert forms
        assert [form for form in forms if not KEY.search(form)] == [], page
