"""SQL that somebody injects while the pages sign in to Postgres as their own role: it shows, writes and logs no more.

Each attack runs in a department head's request, as one SELECT or as statements of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, transaction
from django.test import Client

from config.sealing import wall_key_id
from dashboard.access import Scope
from dashboard.audit import Action, record
from dashboard.models import AuditEvent, Membership, Role, User
from dashboard.proofs import GUARDED, KeyUnknownError, prove
from dashboard.row_security import ROLE, apply, within
from sync.models import Account
from tests import factories
from tests.dashboard.api.conftest import Program, token_for

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "compliance_summary", "arguments": {}}}
HIDDEN = "Zebedee"
FORGED = "replace(current_setting('rollcall.scope'), '||', '|on|')"
FREE = "'0|1|on|||on'"
NAMES = "SELECT string_agg(first_name, ' ') FROM sync_person"


@dataclass
class Installation:
    """A company of two departments, a head of one, and who may do more."""

    account: Account
    head: User
    scope: Scope
    administrator: User
    people: list[int]
    owner: str


@pytest.fixture
def installation(transactional_db: None, settings: Any) -> Iterator[Installation]:
    """Make it, and have this process's connection be what the web server's is: a login that owns nothing."""
    account = factories.AccountFactory()
    seen, hidden = (factories.DepartmentFactory(account=account, name=name, key=name) for name in ("seen", "hidden"))
    people = [
        factories.PersonFactory(account=account, department=department, first_name=name).pk
        for department, name in ((seen, "Agatha"), (hidden, HIDDEN))
    ]
    head, administrator = (factories.UserFactory(email=f"{name}@rollcall.example") for name in ("head", "admin"))
    factories.MembershipFactory(user=administrator, account=account, role=Role.ADMINISTRATOR)
    membership = factories.MembershipFactory(user=head, account=account, role=Role.DEPARTMENT_HEAD)
    membership.departments.add(seen)
    owner = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"], settings.IS_WEB_LOGIN = ROLE, True
    yield Installation(account, head, Scope.of(head), administrator, people, owner)
    connection.close()
    connection.settings_dict["USER"] = owner


def asked(sql: str) -> str:
    """Return all that the statements answer, or the error."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
            return str(cursor.fetchall() if cursor.description else "")
    except DatabaseError as error:
        return str(error)


SELECTS = {
    "in a CTE": f"WITH told AS MATERIALIZED (SELECT set_config('rollcall.scope', {{}}, true))"
    f" SELECT (SELECT count(*) FROM told), ({NAMES})",
    "in a subselect": f"SELECT (SELECT set_config('rollcall.scope', {{}}, true)), ({NAMES})",
    "beside the rows": "SELECT set_config('rollcall.scope', {}, true), first_name FROM sync_person",
    "as their condition": "SELECT first_name FROM sync_person WHERE set_config('rollcall.scope', {}, true) IS NOT NULL",
    "then query_to_xml": f"SELECT set_config('rollcall.scope', {{}}, true),"
    f" query_to_xml($q$ {NAMES} $q$, true, true, '')::text",
    "lateral, for each row": f"SELECT seen.* FROM (SELECT set_config('rollcall.scope', {{}}, true) AS told) forged,"
    f" LATERAL (SELECT forged.told, ({NAMES})) seen",
    "then statements of its own": f"SELECT set_config('rollcall.scope', {{}}, true); {NAMES}",
    "then a block": "DO $d$ BEGIN PERFORM set_config('rollcall.scope', {}, true); END $d$; "
    f"DO $d$ DECLARE told text; BEGIN {NAMES} INTO told; RAISE '%', told; END $d$",
}
SCOPES = {
    "forged": FORGED,
    "made up": FREE,
    "with the key's name": f"'{wall_key_id(django_settings.SECRET_KEY)} ' || repeat('0', 64) || '|1|on|||on'",
    "without a key": "'none ' || encode(sha256(''::bytea || sha256('scope|1|on|||on')), 'hex') || '|1|on|||on'",
    "empty": "''",
}


@pytest.mark.parametrize("way", SELECTS)
def test_a_scope_cannot_be_forged(installation: Installation, way: str) -> None:
    for name, scope in SCOPES.items():
        with within(installation.scope):
            assert "Agatha" in asked(NAMES)
            assert HIDDEN not in asked(SELECTS[way].format(scope)), name


BESIDE = {
    "what 0.2.0 believed": "SELECT set_config('rollcall.account', id::text, true),"
    " set_config('rollcall.everyone', 'on', true),"
    f" query_to_xml($q$ {NAMES} $q$, true, true, '')::text FROM sync_account",
    "the search's function": "SELECT set_config('rollcall.everyone', 'on', true), people_called(ARRAY['%'])",
    "the owner's role": f"SELECT set_config('role', 'rollcall', true); {NAMES}",
    "the owner's role in a SELECT": "SELECT set_config('role', 'rollcall', true),"
    f" query_to_xml($q$ {NAMES} $q$, true, true, '')::text",
    "no role": f"SELECT set_config('role', 'none', true), query_to_xml($q$ {NAMES} $q$, true, true, '')::text",
    "SET ROLE": f"SET ROLE rollcall; {NAMES}",
    "RESET ROLE": f"RESET ROLE; {NAMES}",
    "SET SESSION AUTHORIZATION": f"SET SESSION AUTHORIZATION rollcall; {NAMES}",
    "row_security off": f"SET LOCAL row_security = off; {NAMES}",
    "no policy": f"ALTER TABLE sync_person DISABLE ROW LEVEL SECURITY; {NAMES}",
    "another function": "CREATE OR REPLACE FUNCTION rollcall_scope(integer) RETURNS text"
    " LANGUAGE sql AS 'SELECT ''on'''",
    "a function before it": f"CREATE FUNCTION pg_temp.rollcall_scope(integer) RETURNS text LANGUAGE sql AS $f$ SELECT"
    f" CASE $1 WHEN 1 THEN (SELECT min(id)::text FROM sync_account) ELSE 'on' END $f$; {NAMES}",
    "its key": "SELECT * FROM rollcall_key",
    "its key as XML": "SELECT query_to_xml('SELECT * FROM rollcall_key', true, true, '')::text",
    "a key of one's own": "INSERT INTO rollcall_key VALUES ('mine', '', '')",
    "its file": "SELECT pg_read_file(pg_relation_filepath('rollcall_key'))",
    "its bytes": "SELECT lo_import('/etc/passwd')",
    "a program": "COPY (SELECT 1) TO PROGRAM 'cat'",
    "a connection": "CREATE EXTENSION dblink",
}


@pytest.mark.parametrize("attack", BESIDE)
def test_no_way_leads_round_it(installation: Installation, attack: str) -> None:
    with within(installation.scope):
        said = asked(BESIDE[attack])
    assert HIDDEN not in said
    assert "inner_pad" not in said.removeprefix("permission denied")
    if not BESIDE[attack].endswith(NAMES) and "SELECT set_config" not in BESIDE[attack]:
        assert any(word in said for word in ("permission denied", "must be", "only roles")), said


def test_a_key_is_read_by_the_owner_alone(installation: Installation) -> None:
    with within(installation.scope):
        assert "permission denied" in asked("SELECT count(*) FROM rollcall_key")
        # What says whether a proof is right tells nothing else.
        assert asked("SELECT rollcall_is_proven('scope', '', 'x y')") == "[(False,)]"


def test_a_proof_holds_in_its_transaction_alone(installation: Installation) -> None:
    everyone = Scope(account=installation.account, roles=frozenset({Role.ADMINISTRATOR}))
    with within(everyone):
        assert HIDDEN in asked(NAMES)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('rollcall.scope')")
            (told,) = cursor.fetchone()
        with another_session() as other:
            other.execute("SELECT set_config('rollcall.scope', %s, true)", [told])
            assert other.execute(NAMES).fetchone() == (None,)
    with within(installation.scope):
        assert HIDDEN not in asked(f"SELECT set_config('rollcall.scope', '{told}', true); {NAMES}")


def test_nobody_elses_statements_tell_of_proofs(installation: Installation) -> None:
    """Sessions of one login see each other's last statement: a proof made for a write is never in its text."""
    with transaction.atomic():
        prove("event", "something")
        with another_session() as other:
            rows = other.execute("SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()").fetchall()
    assert ("SELECT rollcall_challenge($1)",) in rows


def another_session(**other: str) -> psycopg.Connection:
    parameters = {**connection.get_connection_params(), **other}
    wanted = ("host", "port", "dbname", "user")
    return psycopg.connect(**{key: parameters[key] for key in wanted if key in parameters})


FALSE_EVENT = (
    "INSERT INTO dashboard_auditevent (account_id, actor_id, actor_email, through, action, subject, details, network)"
    " SELECT {account}, {actor}, 'admin@rollcall.example', 'page', 'exported', '', '{{}}', ''"
)


def test_the_log_takes_no_event_but_ours(installation: Installation, now: datetime) -> None:
    account, actor = installation.account.pk, installation.administrator.pk
    event = '{"account": 1, "at": "2026-11-23", "actor": 1}'
    attacks = (
        FALSE_EVENT.format(account=account, actor=actor),
        f"SELECT rollcall_write_event('{event}', 'x y')",
        f"SELECT rollcall_write_event('{event}', split_part(current_setting('rollcall.scope'), '|', 1))",
        "UPDATE dashboard_auditevent SET actor_id = NULL",
        "DELETE FROM dashboard_auditevent",
        "INSERT INTO dashboard_auditseal (event_id, chain, position, previous, digest) VALUES (1, 1, 1, '', '')",
    )
    for attack in attacks:
        with within(installation.scope):
            said = asked(attack)
        assert "permission denied" in said or "does not come from it" in said, attack
        said = asked(attack)
        assert "permission denied" in said or "does not come from it" in said, f"without a scope: {attack}"
    with within(installation.scope):
        record(Action.EXPORTED, account=installation.account, user=installation.head)
    record(Action.SIGN_IN_FAILED, account=installation.account, user=None)
    with within(Scope.of(installation.administrator)):
        assert list(AuditEvent.objects.order_by("pk").values_list("action", "actor_email")) == [
            ("exported", "head@rollcall.example"),
            ("sign_in_failed", ""),
        ]


def test_access_is_written_by_our_statements_alone(installation: Installation) -> None:
    account, head = installation.account.pk, installation.head.pk
    attacks = [f"DELETE FROM {table}" for table in sorted(GUARDED)] + [
        f"UPDATE dashboard_membership SET role = 'administrator' WHERE user_id = {head}",
        "WITH changed AS (UPDATE dashboard_membership SET role = 'administrator' RETURNING 1) SELECT * FROM changed",
        "INSERT INTO dashboard_membership (user_id, account_id, role, source)"
        f" VALUES ({head}, {account}, 'administrator', '')",
        "UPDATE dashboard_user SET password = '', is_active = true, email = 'head2@rollcall.example'",
        "SELECT set_config('rollcall.write', split_part(current_setting('rollcall.scope'), '|', 1), true);"
        " DELETE FROM dashboard_membership",
        f"MERGE INTO dashboard_membership m USING (SELECT {head} AS who) h ON m.user_id = h.who"
        " WHEN MATCHED THEN UPDATE SET role = 'administrator'",
    ]
    for attack in attacks:
        with within(installation.scope):
            assert "does not come from Rollcall" in asked(attack), attack
        assert "does not come from Rollcall" in asked(attack), f"without a scope: {attack}"


def test_our_own_writes_are_proven(installation: Installation) -> None:
    """In a reader's transaction, in one of its own, and in none; what was proven for it is taken back."""
    head = installation.head
    head.first_name = "Another"
    head.save()
    with within(installation.scope):
        Membership.objects.filter(user=head).update(source=Membership.Source.INVITED)
        assert "does not come from Rollcall" in asked("UPDATE dashboard_membership SET role = 'administrator'")
        assert asked("SELECT current_setting('rollcall.write', true)") == "[('',)]"
    with transaction.atomic():
        user = User.objects.create_user("new@rollcall.example", "a password of some length")
        Membership.objects.create(
            user=user, account=installation.account, role=Role.AUDITOR, ends_at="2027-01-01T00:00Z"
        )
        user.delete()
    assert list(User.objects.order_by("email").values_list("email", "first_name")) == [
        ("admin@rollcall.example", installation.administrator.first_name),
        ("head@rollcall.example", "Another"),
    ]


def test_people_sign_in_and_read_as_that_role(installation: Installation, client: Client) -> None:
    answer = client.post("/sign-in/", {"login": "head@rollcall.example", "password": factories.PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    factories.publish(factories.SyncRunFactory(account=installation.account))
    seen, hidden = installation.people
    assert "Agatha" in client.get(f"/people/{seen}/").content.decode()
    assert client.get(f"/people/{hidden}/").status_code == 404
    assert client.post("/sign-out/").status_code == 302


def test_another_secret_key_is_said(installation: Installation, client: Client, settings: Any) -> None:
    """Keys of the process and of the database differ: a page says so instead of showing nobody."""
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another key, of some length as well, for this test"
    said = r"^The database does not know this SECRET_KEY: run manage.py migrate"
    with pytest.raises(KeyUnknownError, match=said), within(installation.scope):
        pass
    # Changed as docs/operate/keys.md says, every process goes on, before and after `migrate`.
    settings.SECRET_KEY_FALLBACKS = [old]
    with within(installation.scope):
        assert "Agatha" in asked(NAMES)


def test_a_page_says_that_the_key_is_another(installation: Installation, client: Client) -> None:
    client.force_login(installation.head)
    program = Program(token_for(installation.head, installation.account))
    with another_session(user=installation.owner) as owner:
        owner.execute("UPDATE rollcall_key SET id = reverse(id)")
        owner.commit()
        answer = client.get("/people/")
        called = [program.get("/sync"), program.client.post("/mcp", CALL, "application/json", headers=program.headers)]
        owner.execute("UPDATE rollcall_key SET id = reverse(id)")
    assert answer.status_code == 503
    assert "The database does not know this SECRET_KEY: run manage.py migrate" in answer.content.decode()
    for response, kind in zip(called, ("application/problem+json", "application/json"), strict=True):
        assert (response.status_code, response["Content-Type"]) == (503, kind)
        assert "The database does not know this SECRET_KEY" in response.content.decode()


def test_migrate_brings_the_keys(db: None, account: Account, settings: Any) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key, of some length as well, for this test"
    settings.SECRET_KEY_FALLBACKS = [old]
    apply()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM rollcall_key ORDER BY id")
        assert [name for (name,) in cursor.fetchall()] == sorted(map(wall_key_id, (old, settings.SECRET_KEY)))
    settings.SECRET_KEY_FALLBACKS = []
    apply()
    settings.SECRET_KEY = old
    with pytest.raises(KeyUnknownError), within(Scope(account=account)):
        pass
