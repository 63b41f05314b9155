"""Links made at the command line: the first administrator's, and the way back in for whoever is locked out."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test import Client

from config.processes import SIMULATOR_KEY
from dashboard.audit import Action, AuditEvent, Through
from dashboard.models import Invitation, Membership, Role, SingleSignOn, User
from dashboard.services import RefusedError
from dashboard.services.members import Offer
from dashboard.services.operator_links import come_back_in, way_in
from sync.models import Account, SyncRun
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "an orchard of seven quiet pears"
ANN = "ann@brackwater.example"
CHOSEN = {"first_name": "Ann", "last_name": "Marlow", "password": PASSWORD, "again": PASSWORD, "time_zone": "UTC"}


@pytest.fixture(autouse=True)
def installation(settings: Any) -> Iterator[Any]:
    """Return the settings of an installation that has neither a key nor a mail server nor an administrator."""
    settings.KNOWBE4_API_KEY = settings.KNOWBE4_BASE_URL = settings.KNOWBE4_ACCOUNT = settings.ADMIN_EMAIL = ""
    settings.KNOWBE4_REGION, settings.KNOWBE4_LIMITS = "us", True
    settings.DEMO_SIGN_INS = settings.HAS_MAIL_SERVER = False
    cache.clear()
    yield settings
    cache.clear()


def path_in(printed: str) -> str:
    """Return the path of the one link in what was printed."""
    (path,) = re.findall(r"/invitation/[^/\s]+/", printed)
    return str(path)


def prepare(capsys: Any, *arguments: str) -> str:
    """Run `manage.py prepare` and return what it printed."""
    call_command("prepare", *arguments)
    return str(capsys.readouterr().out)


def invite(capsys: Any, *arguments: str) -> str:
    """Run `manage.py invite` and return the path of its link."""
    call_command("invite", *arguments)
    return path_in(capsys.readouterr().out)


def test_first_administrator_comes_by_the_link(client: Client, installation: Any, capsys: Any) -> None:
    installation.ADMIN_EMAIL = ANN
    printed = prepare(capsys)
    assert f"First administrator ({ANN})" in printed
    assert not User.objects.exists(), "nobody is made up"
    path = path_in(printed)
    assert Invitation.objects.get().token_digest not in path
    page = client.get(path).content.decode()
    assert f"{ANN} becomes the first administrator of Rollcall for My organization." in page
    assert 'name="email"' not in page
    answer = client.post(path, {**CHOSEN, "time_zone": "Europe/Berlin"})
    assert answer["Location"] == "/settings/mail/"
    assert "Import a CSV" in client.get("/settings/mail/").content.decode()
    ann = User.objects.get()
    assert (ann.email, str(ann), ann.check_password(PASSWORD)) == (ANN, "Ann Marlow", True)
    assert Membership.objects.get().role == Role.ADMINISTRATOR
    assert Account.objects.get().time_zone == "Europe/Berlin"
    # Sensitive acts take the password just chosen for a proof.
    assert client.get("/settings/members/invite/").status_code == 200
    events = {(event.action, event.through, event.actor_email) for event in AuditEvent.objects.all()}
    assert events >= {
        (Action.ACCOUNT_ADDED, Through.COMMAND, ""),
        (Action.MEMBER_INVITED, Through.COMMAND, ""),
        (Action.INVITATION_ACCEPTED, Through.PAGE, ANN),
        (Action.ACCOUNT_CHANGED, Through.PAGE, ANN),
    }
    # With an administrator there is no link any more.
    assert "/invitation/" not in prepare(capsys)


def test_without_admin_email_the_link_asks_for_it(client: Client, capsys: Any) -> None:
    printed = prepare(capsys)
    assert "Set ADMIN_EMAIL and EMAIL_URL to have" in printed
    path = path_in(printed)
    assert 'name="email"' in client.get(path).content.decode()
    assert client.post(path, CHOSEN).status_code == 200
    assert client.post(path, {**CHOSEN, "email": ANN}).status_code == 302
    assert User.objects.get().email == ANN


def test_each_start_ends_the_link_before(client: Client, installation: Any, capsys: Any) -> None:
    first, second = path_in(prepare(capsys)), path_in(prepare(capsys))
    installation.ADMIN_EMAIL = ANN
    third = path_in(prepare(capsys))
    assert [Client().get(path).status_code for path in (first, second, third)] == [404, 404, 200]


def test_link_that_does_not_work_says_what_to_do(client: Client, capsys: Any) -> None:
    path = path_in(prepare(capsys))
    Invitation.objects.update(expires_at=F("invited_at"))
    for dead in (path, "/invitation/never-made/"):
        answer = client.get(dead)
        assert answer.status_code == 404
        assert 'manage.py invite EMAIL <span class="nowrap">--role administrator</span>' in answer.content.decode()
    assert client.post(path, {**CHOSEN, "email": ANN}).status_code == 404
    assert not User.objects.exists()


def test_link_holds_for_a_day(capsys: Any) -> None:
    prepare(capsys)
    made = Invitation.objects.get()
    assert (made.expires_at - made.invited_at).total_seconds() == 24 * 3600


def test_link_is_mailed_where_mail_is_set_up(installation: Any, capsys: Any) -> None:
    installation.ADMIN_EMAIL, installation.HAS_MAIL_SERVER = ANN, True
    printed = prepare(capsys)
    assert f"The link is mailed to {ANN}, too." in printed
    (sent,) = mail.outbox
    assert sent.to == [ANN]
    assert path_in(printed) in sent.body
    assert "within 24 hours" in sent.body


def test_mail_that_cannot_be_sent_leaves_the_printed_link(installation: Any, capsys: Any) -> None:
    installation.ADMIN_EMAIL, installation.HAS_MAIL_SERVER = ANN, True
    installation.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    installation.EMAIL_HOST, installation.EMAIL_PORT = "127.0.0.1", 9
    printed = prepare(capsys)
    assert "could not be mailed" in printed
    assert path_in(printed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMAIL_HOST", "127..example"),
        ("DEFAULT_FROM_EMAIL", "Rollcall <rollcall@rollcall.example>\nBcc: all@rollcall.example"),
        ("ADMIN_EMAIL", "ann@-b\u00fccher..example"),
    ],
)
def test_mail_that_cannot_be_made_leaves_the_printed_link(
    installation: Any, capsys: Any, name: str, value: str
) -> None:
    installation.ADMIN_EMAIL, installation.HAS_MAIL_SERVER = ANN, True
    installation.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    installation.EMAIL_HOST, installation.EMAIL_PORT = "127.0.0.1", 9
    setattr(installation, name, value)
    printed = prepare(capsys)
    assert "could not be mailed" in printed
    assert path_in(printed)


def test_for_bin_run_it_is_json(installation: Any, capsys: Any) -> None:
    installation.ADMIN_EMAIL, installation.KNOWBE4_API_KEY = ANN, "a-key"
    told = json.loads(prepare(capsys, "--json"))
    assert (told["account"], told["has_key"], told["is_published"]) == ("KnowBe4 US", True, False)
    assert (told["email"], told["sign_ins"]) == (ANN, [])
    assert path_in(told["link"])


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_another_region_changes_no_password_and_asks(
    client: Client, installation: Any, capsys: Any, arguments: tuple[str, ...]
) -> None:
    installation.KNOWBE4_API_KEY, installation.ADMIN_EMAIL = "a-key", ANN
    client.post(path_in(prepare(capsys)), CHOSEN)
    before = User.objects.get().password
    installation.KNOWBE4_REGION = "eu"
    with pytest.raises(CommandError, match="prepare --move 'KnowBe4 US'") as raised:
        prepare(capsys, *arguments)
    assert raised.value.returncode == 6
    assert User.objects.get().password == before
    moved = prepare(capsys, "--move", "KnowBe4 US")
    assert "KnowBe4 US is read from region eu from now on" in moved
    assert "/invitation/" not in moved
    account = Account.objects.get()
    assert (account.region, User.objects.get().password) == ("eu", before)
    assert AuditEvent.objects.filter(action=Action.ACCOUNT_CHANGED, through=Through.COMMAND).exists()


@pytest.mark.parametrize(
    ("answer", "places"), [("move", ["eu"]), (" ADD\n", ["eu", "us"]), ("perhaps", ["us"]), ("", ["us"])]
)
def test_whoever_sits_at_the_terminal_is_asked_which_account_is_meant(
    installation: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch, answer: str, places: list[str]
) -> None:
    installation.KNOWBE4_API_KEY = "a-key"
    prepare(capsys)
    installation.KNOWBE4_REGION = "eu"
    asked: list[str] = []
    monkeypatch.setattr("dashboard.management.commands.prepare.can_ask", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or answer)
    if "eu" in places:
        prepare(capsys)
    else:
        with pytest.raises(CommandError, match="Nothing was changed"):
            prepare(capsys)
    assert 'the account "KnowBe4 US" is read from region us' in asked[0]
    assert sorted(Account.objects.values_list("region", flat=True)) == places


def test_account_added_beside_is_opened_by_who_administers_the_first(
    client: Client, installation: Any, capsys: Any
) -> None:
    installation.KNOWBE4_API_KEY = "a-key"
    client.post(path_in(prepare(capsys)), {**CHOSEN, "email": ANN})
    installation.KNOWBE4_API_KEY, installation.KNOWBE4_REGION = "another", "eu"
    path = path_in(prepare(capsys, "--add"))
    assert "KnowBe4 EU" in client.get(path).content.decode()
    assert client.post(path)["Location"] == "/"
    assert Membership.objects.filter(user__email=ANN, role=Role.ADMINISTRATOR).count() == 2
    assert User.objects.get().check_password(PASSWORD)


def test_proxy_on_this_machine_gets_no_demo(installation: Any, capsys: Any) -> None:
    installation.KNOWBE4_API_KEY, installation.KNOWBE4_BASE_URL = "a-key", "http://127.0.0.1:8899"
    told = json.loads(prepare(capsys, "--json"))
    assert told["sign_ins"] == []
    assert told["account"] == "KnowBe4 through 127.0.0.1:8899"
    assert not User.objects.exists()
    account = Account.objects.get()
    factories.PersonFactory.create_batch(3, account=account)
    factories.publish(factories.SyncRunFactory(account=account))
    prepare(capsys)
    assert not Membership.objects.exists()


def test_users_of_the_demo_do_not_take_the_link(client: Client, installation: Any, capsys: Any, tmp_path: Any) -> None:
    installation.VAR_DIR, installation.LOCAL_MODE = tmp_path, True
    installation.KNOWBE4_API_KEY, installation.KNOWBE4_BASE_URL = SIMULATOR_KEY, "http://127.0.0.1:8900"
    installation.DEMO_SIGN_INS = True
    assert "/invitation/" not in prepare(capsys)
    ines = User.objects.get(email="admin@brackwater.example")
    installation.KNOWBE4_API_KEY, installation.KNOWBE4_BASE_URL, installation.DEMO_SIGN_INS = "a-key", "", False
    path = path_in(prepare(capsys))
    client.force_login(ines)
    assert "Sign out, then open the link once more" in client.get(path).content.decode()
    client.post(path)
    assert not Membership.objects.filter(user=ines, account__is_demo=False).exists()
    # Nor by saying the email of one of them.
    answer = Client().post(path, {**CHOSEN, "email": ines.email})
    assert "Somebody has a sign-in with this email" in answer.content.decode()


def test_whoever_is_locked_out_comes_back_by_a_link(client: Client, ines: User, account: Account, capsys: Any) -> None:
    elsewhere = Client()
    elsewhere.force_login(ines)
    path = invite(capsys, ines.email, "--role", "administrator")
    page = client.get(path).content.decode()
    assert "All other sessions end" in page
    assert 'name="time_zone"' not in page
    assert client.post(path, {"password": PASSWORD, "again": PASSWORD})["Location"] == "/"
    ines.refresh_from_db()
    assert ines.check_password(PASSWORD)
    assert client.get("/settings/members/").status_code == 200
    assert elsewhere.get("/settings/members/")["Location"].startswith("/sign-in/")
    assert Client().get(path).status_code == 404
    assert Membership.objects.filter(user=ines).count() == 1
    assert AuditEvent.objects.filter(action=Action.MEMBER_INVITED, through=Through.COMMAND, account=account).exists()
    assert AuditEvent.objects.filter(action=Action.PASSWORD_CHANGED, actor=ines, account=account).exists()
    log = client.get("/audit/").content.decode()
    assert "Whoever runs this server" in log


def test_way_back_keeps_the_second_factor(client: Client, ines: User, capsys: Any) -> None:
    TOTP.activate(ines, generate_totp_secret())
    RecoveryCodes.activate(ines)
    path = invite(capsys, ines.email, "--role", "administrator")
    assert client.post(path, {"password": PASSWORD, "again": PASSWORD})["Location"] == "/second-factor/"
    assert "_auth_user_id" not in client.session


def test_way_back_holds_passwords_to_the_rules(client: Client, ines: User, capsys: Any) -> None:
    path = invite(capsys, ines.email, "--role", "administrator")
    assert client.post(path, {"password": "short", "again": "short"}).status_code == 200
    assert client.post(path, {"password": PASSWORD, "again": PASSWORD + "!"}).status_code == 200
    ines.refresh_from_db()
    assert ines.check_password(factories.PASSWORD)


def test_way_back_is_for_one_user(client: Client, ines: User, alice: User, capsys: Any) -> None:
    path = invite(capsys, ines.email, "--role", "administrator")
    client.force_login(alice)
    assert "Sign out, then open the link once more" in client.get(path).content.decode()
    client.post(path, {"password": PASSWORD, "again": PASSWORD})
    ines.refresh_from_db()
    assert ines.check_password(factories.PASSWORD)


def test_somebody_new_is_invited_at_the_command_line(client: Client, ines: User, account: Account, capsys: Any) -> None:
    department = factories.DepartmentFactory(account=account, name="Claims")
    path = invite(capsys, ANN, "--role", "department_head", "--department", "Claims", "--until", "2099-12-31")
    assert client.post(path, CHOSEN)["Location"] == "/"
    member = Membership.objects.get(user__email=ANN)
    assert (member.role, list(member.departments.all())) == (Role.DEPARTMENT_HEAD, [department])
    assert member.ends_at is not None
    # An invitation to the same role takes the place of the one before.
    again, last = (invite(capsys, "noor@brackwater.example", "--role", "people_manager") for _number in range(2))
    assert [Client().get(one).status_code for one in (again, last)] == [404, 200]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([ANN, "--role", "auditor", "--until", "9999-12-31"], "--until takes a day like 2026-12-31, not '9999-12-31'."),
        (["nobody", "--role", "administrator"], "'nobody' is no email address."),
        ([ANN, "--role", "owner"], "There is no role 'owner'; the roles are: administrator, security_manager, "),
        ([ANN, "--role", "auditor"], "An auditor's role has an end."),
        ([ANN, "--role", "auditor", "--until", "soon"], "--until takes a day like 2026-12-31, not 'soon'."),
        ([ANN, "--role", "department_head"], "A department head has at least one department."),
        ([ANN, "--role", "department_head", "--department", "Moon"], "Brackwater Mutual has no department 'Moon'."),
        ([ANN, "--role", "administrator", "--account", "Acme"], "Say which account with --account; there are: Bra"),
    ],
)
def test_invite_says_what_is_wrong(account: Account, arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("invite", *arguments)
    assert str(raised.value).startswith(complaint)
    assert not Invitation.objects.exists()


def test_invite_asks_which_of_several_accounts(account: Account, capsys: Any) -> None:
    factories.AccountFactory(name="Northwind Bank")
    with pytest.raises(CommandError, match="there are: Brackwater Mutual, Northwind Bank"):
        call_command("invite", ANN, "--role", "administrator")
    invite(capsys, ANN, "--role", "administrator", "--account", "Northwind Bank")
    assert Invitation.objects.get().account.name == "Northwind Bank"


def test_invite_refuses_a_user_who_is_switched_off(ines: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="switched off"):
        call_command("invite", ines.email, "--role", "administrator")


@pytest.mark.parametrize("is_active_first", [False, True])
def test_nobody_who_is_switched_off_comes_in(
    client: Client, installation: Any, capsys: Any, is_active_first: bool
) -> None:
    installation.ADMIN_EMAIL = ANN
    ann = factories.UserFactory(email=ANN, is_active=is_active_first)
    path = path_in(prepare(capsys)) if is_active_first else ""
    User.objects.update(is_active=False)
    printed = prepare(capsys) if not is_active_first else ""
    if is_active_first:
        assert client.get(path).status_code == client.post(path, {**CHOSEN}).status_code == 404
    else:
        assert f"The sign-in of {ANN} is switched off." in printed
        assert "/invitation/" not in printed
    assert not Membership.objects.filter(user=ann).exists()


def test_user_switched_off_meanwhile_gets_no_password(ines: User, account: Account, now: datetime) -> None:
    invitation, _token = way_in(account, ines.email, Offer(Role.ADMINISTRATOR), at=now)
    User.objects.update(is_active=False)
    with pytest.raises(RefusedError, match="switched off"):
        come_back_in(invitation, ines, password=PASSWORD, at=now)
    ines.refresh_from_db()
    assert ines.check_password(factories.PASSWORD)


def test_start_leaves_other_invitations_open(client: Client, installation: Any, capsys: Any) -> None:
    installation.ADMIN_EMAIL = ANN
    first = path_in(prepare(capsys))
    path = invite(capsys, ANN, "--role", "administrator")
    assert f"{ANN} has an open invitation as an administrator" in prepare(capsys)
    assert [Client().get(one).status_code for one in (first, path)] == [404, 200]
    # Once that has run out there is a link again.
    Invitation.objects.update(expires_at=F("invited_at"))
    assert client.get(path_in(prepare(capsys))).status_code == 200


def test_password_set_by_a_link_is_on_record_in_each_account(client: Client, ines: User, capsys: Any) -> None:
    other = factories.MembershipFactory(user=ines, account=factories.AccountFactory(name="Northwind Bank"))
    path = invite(capsys, ines.email, "--role", "administrator", "--account", "Brackwater Mutual")
    client.post(path, {"password": PASSWORD, "again": PASSWORD})
    events = AuditEvent.objects.filter(action=Action.PASSWORD_CHANGED)
    assert events.filter(account=other.account).count() == 1
    assert events.count() == 2


def test_where_single_sign_on_is_required_no_password_is_promised(
    installation: Any, alice: User, account: Account, capsys: Any
) -> None:
    installation.HAS_MAIL_SERVER = True
    SingleSignOn.objects.create(
        account=account, name="Directory", email_domains=["brackwater.example"], is_required=True,
        server_url="https://id.example", client_id="rollcall",
    )  # fmt: skip
    for email in (alice.email, ANN):
        call_command("invite", email, "--role", "security_manager")
        printed = capsys.readouterr().out
        assert "sets no password, for members sign in through Directory" in printed
        assert "choose" not in printed + mail.outbox[-1].body


def test_exact_name_of_an_account_is_meant(account: Account, capsys: Any) -> None:
    factories.AccountFactory(name="Northwind", knowbe4_name=account.name)
    invite(capsys, ANN, "--role", "administrator", "--account", account.name)
    assert Invitation.objects.get().account == account


def test_members_page_lists_links_of_the_command_line(
    client: Client, ines: User, published: SyncRun, capsys: Any
) -> None:
    invite(capsys, ANN, "--role", "administrator")
    client.force_login(ines)
    assert "Invited by Whoever runs this server" in client.get("/settings/members/").content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_back", [False, True])
def test_of_two_who_open_a_link_at_once_one_comes_in(installation: Any, capsys: Any, is_back: bool) -> None:
    installation.ADMIN_EMAIL = ANN
    path = path_in(prepare(capsys))
    if is_back:
        Client().post(path, CHOSEN)
        path = invite(capsys, ANN, "--role", "administrator")
    barrier = Barrier(2)

    def come(number: int) -> int:
        password = f"{PASSWORD} {number}"
        barrier.wait(timeout=20)
        try:
            return Client().post(path, {**CHOSEN, "password": password, "again": password}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(come, range(2)))
    assert answers == [302, 404]
    assert User.objects.count() == Membership.objects.count() == 1
    assert AuditEvent.objects.filter(action=Action.INVITATION_ACCEPTED).count() == 1 + is_back
