"""Account that KNOWBE4_API_KEY, KNOWBE4_REGION and KNOWBE4_BASE_URL describe.

The installation remembers it (`Account.is_from_environment`). Where the environment suddenly names another place, it is
asked which account is meant: a key that is sent to another place may open another organization, and another region may
be a mistake of typing.
"""

import shlex
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from config.processes import SIMULATOR_KEY
from sync.models.account import Account

DEMO_NAME = "Demo"
# Of an account that the environment gives no key: its figures come from the console's CSV, or a key is entered later.
WITHOUT_KEY = "My organization"
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
LIMITS = ("requests_per_second", "requests_per_minute", "requests_per_day")


class WhichAccountError(Exception):
    """The environment names another place than before; the message says what to choose between.

    `account` is the one it described before, `place` where the environment points now, in words.
    """

    def __init__(self, account: Account, place: str) -> None:
        name = account.name
        before = place_in_words(account.region, account.base_url, apart_from=settings.KNOWBE4_BASE_URL)
        super().__init__(
            f'The environment names KnowBe4 at {place}, but the account "{name}" is read from {before}: run manage.py '
            f"prepare --move {shlex.quote(name)} to read that account from {place} from now on, or manage.py prepare "
            "--add to add another account beside it, or set KNOWBE4_ACCOUNT to the name of the account that is meant."
        )
        self.account, self.place = account, place


class UnknownAccountError(Exception):
    """No account that the environment may describe has the name that was given; the message says what to do."""


@dataclass
class Described:
    """The account that the environment describes, and what became of it: which fields changed, and what to tell."""

    account: Account
    is_new: bool = False
    changed: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def is_demo() -> bool:
    """Return whether the environment is the one that `bin/run` makes for the simulator it started itself."""
    return (
        settings.DEMO_SIGN_INS
        and settings.LOCAL_MODE
        and settings.KNOWBE4_API_KEY == SIMULATOR_KEY
        and (urlsplit(settings.KNOWBE4_BASE_URL).hostname or "") in LOCAL_HOSTS
    )


def place_in_words(region: str, base_url: str, *, apart_from: str = "") -> str:
    """Return where KnowBe4 is read: the region, or host and port of another address, never a user or password.

    The address is given with scheme and path where only these tell it from `apart_from`.
    """
    host = _host(base_url)
    if not host:
        return f"region {region}"
    if host == _host(apart_from) and base_url.rstrip("/") != apart_from.rstrip("/"):
        return urlsplit(base_url)._replace(netloc=host).geturl()
    return host


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


@transaction.atomic
def describe(*, move: str = "", add: bool = False, without_demo: bool = False) -> Described | None:
    """Make or update the account that the environment describes, and return it.

    Without a key it is the account of before, or, where there is none at all, a new one without a key; None where only
    the demo's is there, unless `without_demo`. WhichAccountError when the environment names another place than before
    and neither `move` (the name of the account to read from there), `add` nor KNOWBE4_ACCOUNT says what is meant;
    UnknownAccountError for a name that no account has, or the demo's. Two at once wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('rollcall account of the environment'))")
    if is_demo():
        return _demo()
    if Account.objects.filter(is_demo=True, name=settings.KNOWBE4_ACCOUNT).exists():
        raise UnknownAccountError(
            f"KNOWBE4_ACCOUNT is {settings.KNOWBE4_ACCOUNT!r}, the name of the demo's account: choose another name."
        )
    real = Account.objects.filter(is_demo=False)
    if not settings.KNOWBE4_API_KEY:
        if move:
            raise UnknownAccountError("KNOWBE4_API_KEY is not set: set the key that opens the account to move.")
        found = real.filter(is_from_environment=True).first() or real.order_by("pk").first()
        if found is not None:
            return _without_key(found)
        if Account.objects.exists() and not without_demo:
            return None
        return _new(settings.KNOWBE4_ACCOUNT or WITHOUT_KEY)
    return _resting(_meant(move=move, add=add))


def _demo() -> Described:
    account = Account.objects.filter(is_demo=True).first() or Account(name=_free(DEMO_NAME), is_demo=True)
    described = Described(account, is_new=account.pk is None)
    account.is_sync_enabled = True
    _write(described)
    return described


def _without_key(found: Account) -> Described:
    """Return the account that KNOWBE4_ACCOUNT names, else `found`, and tell that none has the name."""
    name = settings.KNOWBE4_ACCOUNT
    named = _named(name) if name else found
    if named is not None:
        return Described(named)
    return Described(found, said=[f"KNOWBE4_ACCOUNT is not heeded. {_unknown(name)}"])


def _meant(*, move: str, add: bool) -> Described:
    """Return the account meant, read from the place and with the key that the environment names."""
    before = _before()
    if move:
        found = _named(move)
        if found is None:
            raise _unknown(move)
        return _take(found, before)
    if settings.KNOWBE4_ACCOUNT:
        found = _named(settings.KNOWBE4_ACCOUNT)
        return _take(found, before) if found else _new(settings.KNOWBE4_ACCOUNT, before)
    if before is not None and _is_there(before) and (not add or _holds(before)):
        return _take(before, before)
    # An account that is read there already, with this very key, is meant beyond doubt.
    again = [one for one in Account.objects.filter(is_demo=False) if _is_there(one) and _holds(one)]
    if len(again) == 1:
        return _take(again[0], before)
    if add or before is None:
        return _new(_own_name(), before)
    # One without a key was read from nowhere: it gets its first.
    if before.encrypted_key:
        place = place_in_words(settings.KNOWBE4_REGION, settings.KNOWBE4_BASE_URL, apart_from=before.base_url)
        raise WhichAccountError(before, place)
    return _take(before, before)


def _before() -> Account | None:
    """Return the account that the environment described before.

    Of an installation that did not remember it: the only one at its place that has its key, or the name it would give.
    """
    real = Account.objects.filter(is_demo=False)
    found = real.filter(is_from_environment=True).first()
    if found is not None:
        return found
    alike = [one for one in real if _is_there(one) and (_holds(one) or one.name == _own_name())]
    return alike[0] if len(alike) == 1 else None


def _named(name: str) -> Account | None:
    """Return the account of this name, its own or KnowBe4's; None unless there is exactly one."""
    found = list(Account.objects.filter(Q(name=name) | Q(knowbe4_name=name), is_demo=False))
    exact = [account for account in found if account.name == name]
    return (exact or found)[0] if len(exact or found) == 1 else None


def _unknown(name: str) -> UnknownAccountError:
    known = ", ".join(Account.objects.filter(is_demo=False).order_by("name").values_list("name", flat=True))
    return UnknownAccountError(f"There is no account named {name!r}; there are: {known or 'none'}.")


def _is_there(account: Account) -> bool:
    """Return whether the account is read where the environment points: another address overrides the region."""
    base_url = settings.KNOWBE4_BASE_URL.rstrip("/")
    if account.base_url.rstrip("/") != base_url:
        return False
    return bool(base_url) or account.region == settings.KNOWBE4_REGION


def _holds(account: Account) -> bool:
    return account.holds_key(settings.KNOWBE4_API_KEY)


def _own_name() -> str:
    """Return how an account of the environment is called until KnowBe4 says its own name: by its place."""
    parts = urlsplit(settings.KNOWBE4_BASE_URL)
    host = parts.hostname or ""
    if host in LOCAL_HOSTS:
        return f"KnowBe4 through {_host(settings.KNOWBE4_BASE_URL)}"
    return host or f"KnowBe4 {settings.KNOWBE4_REGION.upper()}"


def _free(name: str) -> str:
    """Return the name, with a number behind it where another account has it."""
    taken = set(Account.objects.values_list("name", flat=True))
    return next(one for one in (name, *(f"{name} ({n})" for n in range(2, len(taken) + 3))) if one not in taken)


def _new(name: str, before: Account | None = None) -> Described:
    described = Described(Account(name=_free(name)), is_new=True)
    _succeed(described, before)
    return described


def _take(account: Account, before: Account | None) -> Described:
    described = Described(account)
    was = place_in_words(account.region, account.base_url, apart_from=settings.KNOWBE4_BASE_URL)
    before_url = account.base_url
    is_moved = not _is_there(account) and bool(account.encrypted_key)
    _succeed(described, before)
    if is_moved:
        now = place_in_words(account.region, account.base_url, apart_from=before_url)
        described.said.append(f"{account} is read from {now} from now on, before it was {was}; its history stays.")
    return described


def _succeed(described: Described, before: Account | None) -> None:
    """Write the account as the environment's, in the place of the one before, which goes on by itself."""
    account = described.account
    if before is not None and before.pk != account.pk:
        Account.objects.filter(pk=before.pk).update(is_from_environment=False)
        after = "goes on being synced" if before.is_sync_enabled else "is not synced"
        described.said.append(
            f"The environment now describes {account}. {before} keeps its data and its key and {after}: change that "
            "under Accounts."
        )
    account.is_from_environment = True
    _write(described)


def _write(described: Described) -> None:
    """Write place, key and limits as the environment gives them, and note which of them changed."""
    account = described.account
    if settings.KNOWBE4_API_KEY:
        place = {"region": settings.KNOWBE4_REGION, "base_url": settings.KNOWBE4_BASE_URL}
        for name, value in place.items():
            if getattr(account, name) != value:
                setattr(account, name, value)
                described.changed.append(name)
        if not _holds(account):
            account.api_key = settings.KNOWBE4_API_KEY
            described.changed.append("key")
        if described.changed:
            account.is_connected, account.connection_message, account.connection_tested_at = None, "", None
        _limit(account)
    account.save()


def _limit(account: Account) -> None:
    """Switch the request limits off where the environment says so, and on again where it no longer does."""
    if not settings.KNOWBE4_LIMITS:
        for limit in LIMITS:
            setattr(account, limit, None)
    elif all(getattr(account, limit) is None for limit in LIMITS):
        # They were off; a tenant that is read without them locks its reader out.
        untouched = Account()
        for limit in LIMITS:
            setattr(account, limit, getattr(untouched, limit))


def _resting(described: Described) -> Described:
    """Let the demo's scheduled syncs rest while the environment names another account: its simulator does not run."""
    Account.objects.filter(is_demo=True, is_sync_enabled=True).update(is_sync_enabled=False)
    return described
