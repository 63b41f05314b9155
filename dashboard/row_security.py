"""The second wall: Postgres itself shows the pages' role only rows of people in the reader's scope.

Every table that tells of people has a policy, which reads the scope from a setting that lasts as long as a transaction
(`within`). Without it, and without the proof that it comes from us (`dashboard.proofs`), it shows nothing. Policies
hold for every role but the tables' owner: the pages sign in as `rollcall_web`, or become it (`SET ROLE`) where they
have only the owner's address; workers become it wherever they act for a reader. `apply` runs after every `migrate` and
changes only what differs.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.models import Model
from django.db.utils import ProgrammingError

from dashboard.proofs import GUARDED, install_keys, prove

if TYPE_CHECKING:
    from dashboard.access import Scope

ROLE = "rollcall_web"

# What a scope tells the database, by its place in `rollcall.scope`; migration 0034 and policies there name them, too.
PLACES = {"account": 1, "everyone": 2, "departments": 3, "managers": 4, "audit": 5}
# Each is asked in a subquery of its own, so that Postgres works it out once a statement, not for each row.
_ACCOUNT = f"(SELECT rollcall_scope({PLACES['account']})::bigint)"
_EVERYONE = f"(SELECT rollcall_scope({PLACES['everyone']}) = 'on')"
_DEPARTMENTS = f"((SELECT rollcall_scope({PLACES['departments']}))::bigint[])"
_MANAGERS = f"((SELECT rollcall_scope({PLACES['managers']}))::bigint[])"

_IN_ACCOUNT = f"account_id = {_ACCOUNT}"
_OF_PERSON = "person_id IN (SELECT id FROM sync_person)"


def _placed(prefix: str = "") -> str:
    return f"{prefix}department_id = ANY {_DEPARTMENTS} OR {prefix}manager_id = ANY {_MANAGERS}"


def _for_some(condition: str) -> str:
    """Everyone's rows for who sees everyone, else those that meet the condition; always of the account alone."""
    return f"{_IN_ACCOUNT} AND ({_EVERYONE} OR {condition})"


ALL_OR_NOTHING = f"{_IN_ACCOUNT} AND {_EVERYONE}"

# By table: which rows the reader may see and write. Policies of tables named inside apply there, too.
POLICIES = {
    "sync_person": _for_some(_placed()),
    "sync_enrollment": _for_some(_OF_PERSON),
    "sync_phishingresult": _for_some(_OF_PERSON),
    "sync_groupmembership": _for_some(_OF_PERSON),
    # Subjects 1 and 3 are people and enrollments; the others are no person's.
    "sync_change": _for_some(
        "CASE subject WHEN 1 THEN EXISTS (SELECT FROM sync_person p WHERE p.id = subject_id)"
        " WHEN 3 THEN EXISTS (SELECT FROM sync_enrollment e WHERE e.id = subject_id) ELSE true END"
    ),
    "sync_quarantinedrow": ALL_OR_NOTHING,
    "sync_consoleimport": ALL_OR_NOTHING,
    "dashboard_fact": _for_some(_placed()),
    "dashboard_personstanding": _for_some(_placed()),
    "dashboard_exemptspan": _for_some(
        "EXISTS (SELECT FROM dashboard_fact f WHERE f.enrollment_id = dashboard_exemptspan.enrollment_id)"
    ),
    # Grains 1 and 4 are by department, 2 by manager; the others add up people of all departments.
    "dashboard_tally": _for_some(
        f"CASE WHEN grain IN (1, 4) THEN department_id = ANY {_DEPARTMENTS}"
        f" WHEN grain = 2 THEN manager_id = ANY {_MANAGERS} ELSE false END"
    ),
    # Keys of managers and nothing else: a line is added up from tallies, which have policies of their own.
    "dashboard_reportingline": _IN_ACCOUNT,
    "dashboard_cohorttally": _for_some(f"department_id = ANY {_DEPARTMENTS}"),
    "dashboard_exemption": _for_some(f"{_OF_PERSON} OR group_id IN (SELECT group_id FROM sync_groupmembership)"),
    "dashboard_settingchange": ALL_OR_NOTHING,
    # Of whom they are is looked at by `exports.jobs.exports_of`; searches in them name people.
    "dashboard_export": _IN_ACCOUNT,
    # Who may read them is looked at by `mail.reading` and `evidence.jobs`; filters of schedules may name people.
    "dashboard_schedule": _IN_ACCOUNT,
    "dashboard_occurrence": _IN_ACCOUNT,
    "dashboard_delivery": _IN_ACCOUNT,
    "dashboard_evidencepack": _IN_ACCOUNT,
    "dashboard_alert": _IN_ACCOUNT,
    "dashboard_alertmail": _IN_ACCOUNT,
}

# Tables that name nobody KnowBe4 trains, or that the site itself needs before it knows who asks. The audit log has
# walls of its own: whoever acts may write to it.
OPEN = frozenset(
    {
        *("dashboard_auditevent", "dashboard_auditseal", "dashboard_audithead"),
        *("sync_account", "sync_campaign", "sync_contentitem", "sync_department", "sync_group", "sync_syncrun"),
        *("sync_phishingtest", "sync_phishingcampaign", "sync_apicheck"),
        *("dashboard_user", "dashboard_membership", "dashboard_invitation", "dashboard_delegation"),
        *("dashboard_apitoken", "dashboard_contentlicense", "dashboard_askedtask", "dashboard_sentform"),
        *("dashboard_retention", "dashboard_auditerasure"),
        *("dashboard_accountsetting", "dashboard_branding", "dashboard_campaignsetting", "dashboard_departmentmerge"),
        "dashboard_departmentrename",
        *("dashboard_singlesignon", "dashboard_singlesignonrole", "dashboard_emaildomain"),
        *("dashboard_inferredtrigger", "dashboard_rollupstate"),
    }
)
# Guarded by their own migration: everybody adds to the log, few read it, nobody touches its chain.
AUDIT = frozenset({"dashboard_auditevent", "dashboard_auditseal", "dashboard_audithead"})


def is_known(model: type[Model]) -> bool:
    """Return whether somebody decided how the rows of our own model are guarded. The suite holds every model to it."""
    return model._meta.db_table in POLICIES.keys() | OPEN | AUDIT


@contextmanager
def within(scope: "Scope") -> Iterator[None]:
    """Run a transaction, or a part of one, in which the database shows only what is in scope, whatever is asked.

    Inside another scope's, the outer one holds again afterwards.
    """
    is_part, outer = connection.in_atomic_block, _entered.get()
    with transaction.atomic():
        _show(scope)
        token = _entered.set(scope)
        try:
            yield
        finally:
            _entered.reset(token)
        # Settings last until the outermost transaction ends; one that is rolled back has forgotten them.
        if is_part and not connection.needs_rollback:
            _show(outer)


def is_on() -> bool:
    """Return whether the database shows only a scope's rows at this moment."""
    return _entered.get() is not None and (settings.ROW_SECURITY or settings.IS_WEB_LOGIN)


def is_held() -> bool:
    """Return whether statements run as the pages' role at this moment, which writes some tables with a proof alone."""
    return settings.IS_WEB_LOGIN or (settings.ROW_SECURITY and _entered.get() is not None)


_entered: ContextVar["Scope | None"] = ContextVar("the scope that the database shows", default=None)


def _show(scope: "Scope | None") -> None:
    """Tell the database the scope, with its proof; None: nothing, and the connection's own role again.

    KeyUnknownError where the database would not believe it.
    """
    if not (settings.ROW_SECURITY or settings.IS_WEB_LOGIN):
        return
    told = {"rollcall.scope": "" if scope is None or scope.account is None else _proven(scope, scope.account.pk)}
    if not settings.IS_WEB_LOGIN:
        told["role"] = "none" if scope is None else ROLE
    with connection.cursor() as cursor:
        calls = ", ".join(f"set_config('{name}', %s, true)" for name in told)
        cursor.execute(f"SELECT {calls}", list(told.values()))


def _proven(scope: "Scope", account: int) -> str:
    values = {
        "account": str(account),
        "everyone": "on" if scope.sees_everyone else "",
        "departments": _array(scope.department_keys),
        "managers": _array(scope.manager_keys),
        "audit": "on" if scope.may_read_audit else "",
    }
    said = "|".join(values[name] for name in sorted(PLACES, key=PLACES.__getitem__))
    return f"{prove('scope', said)}|{said}"


def _array(keys: frozenset[int]) -> str:
    return "{" + ",".join(map(str, sorted(keys))) + "}"


def apply(**_kwargs: Any) -> None:
    """Make the role and the policies what this module says; a receiver of `post_migrate`, safe to repeat."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Two processes that migrate at once, in this cluster: one after the other.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('rollcall row security'))")
        existing = set(connection.introspection.table_names(cursor))
        _make_role(cursor)
        _grant(cursor, existing)
        cursor.execute(
            "SELECT c.relname, obj_description(p.oid, 'pg_policy') FROM pg_policy p"
            " JOIN pg_class c ON c.oid = p.polrelid WHERE p.polname = 'in_scope'"
            " AND c.relnamespace = current_schema()::regnamespace"
        )
        present = dict(cursor.fetchall())
        for table, condition in POLICIES.items():
            digest = hashlib.sha256(condition.encode()).hexdigest()
            if table not in existing or present.get(table) == digest:
                continue
            cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            cursor.execute(f"DROP POLICY IF EXISTS in_scope ON {table}")
            cursor.execute(f"CREATE POLICY in_scope ON {table} USING ({condition}) WITH CHECK ({condition})")
            cursor.execute(f"COMMENT ON POLICY in_scope ON {table} IS '{digest}'")
        _guard(cursor, existing)
        install_keys(cursor)


def _make_role(cursor: Any) -> None:
    """Make the pages' role, and the login of WEB_DATABASE_URL a member of it; say what to run where we may not."""
    login = urlsplit(settings.WEB_DATABASE_URL)
    user, password = unquote(login.username or ROLE), unquote(login.password or "")
    cursor.execute("SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s)", [ROLE, user])
    present = {name for (name,) in cursor.fetchall()}
    names = {name: connection.ops.quote_name(name) for name in (ROLE, user)}
    statements = [
        f"CREATE ROLE {names[name]} {'LOGIN' if name == user else 'NOLOGIN'}"
        for name in dict.fromkeys((ROLE, user))
        if name not in present
    ]
    try:
        for statement in statements:
            cursor.execute(statement)
        if statements and password:
            cursor.execute(f"ALTER ROLE {names[user]} PASSWORD %s", [password])
        if user != ROLE:
            cursor.execute(f"GRANT {ROLE} TO {names[user]}")
        # Until PostgreSQL 16 every member may become the role it belongs to; the right to has no name of its own.
        right = "SET" if connection.pg_version >= 160_000 else "MEMBER"  # type: ignore[attr-defined]
        cursor.execute("SELECT pg_has_role(current_user, %s, %s)", [ROLE, right])
        if not cursor.fetchone()[0]:
            cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
    except ProgrammingError as error:
        raise ImproperlyConfigured(
            "The database's owner may not make the role of the pages. As its superuser run: "
            f"CREATE ROLE {ROLE} LOGIN PASSWORD '...' ROLE (the owner's name)."
        ) from error


def _grant(cursor: Any, existing: set[str]) -> None:
    """Let the pages' role use the tables of Django's models, and no other: not the staging area.

    Of the migrations it reads which there were (`config.schema`).
    """
    cursor.execute("SELECT has_table_privilege(%s, 'django_migrations', 'SELECT')", [ROLE])
    if not cursor.fetchone()[0]:
        cursor.execute(f"GRANT SELECT ON django_migrations TO {ROLE}")
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} & existing
    for names, rights in ((tables - AUDIT, "SELECT, INSERT, UPDATE, DELETE"), (tables & AUDIT, "SELECT")):
        # has_table_privilege says whether one of several is held; a new table has none.
        cursor.execute(
            "SELECT count(*) FROM unnest(%s::text[]) AS name WHERE NOT has_table_privilege(%s, name, %s)",
            [sorted(names), ROLE, rights],
        )
        if cursor.fetchone()[0]:
            cursor.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE}")
            cursor.execute(f"GRANT {rights} ON {_listed(names)} TO {ROLE}")
            cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    # Until 0.2.0 whoever acted wrote the log.
    cursor.execute("SELECT has_table_privilege(%s, 'dashboard_auditevent', 'INSERT, UPDATE, DELETE')", [ROLE])
    if cursor.fetchone()[0]:
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON {_listed(AUDIT)} FROM {ROLE}")


def _guard(cursor: Any, existing: set[str]) -> None:
    """Have the tables of who may sign in, and see what, ask for the proof of whoever writes to them."""
    cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'proven'")
    for table in sorted((GUARDED & existing) - {name for (name,) in cursor.fetchall()}):
        cursor.execute(
            f"CREATE TRIGGER proven BEFORE INSERT OR UPDATE OR DELETE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION rollcall_require_proof()"
        )


def _listed(tables: Iterable[str]) -> str:
    return ", ".join(connection.ops.quote_name(table) for table in sorted(tables))
