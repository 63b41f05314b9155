"""Keys of sessions are signed in cookies: whoever reads the table of sessions has none."""

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client

from dashboard.models import User
from sync.models import SyncRun
from tests import factories
from tests.dashboard.secret_keys import use_secret_key

NAME = "sessionid"


def page_of(cookie: str) -> HttpResponse:
    client = Client()
    client.cookies[NAME] = cookie
    return client.get("/")


def signed_in(user: User) -> Client:
    client = Client()
    client.post("/sign-in/", {"login": user.email, "password": factories.PASSWORD})
    return client


def test_a_key_from_the_table_opens_nothing(alice: User, published: SyncRun) -> None:
    cookie = signed_in(alice).cookies[NAME].value
    key = Session.objects.get().session_key
    assert page_of(cookie).status_code == 200
    for forged in (key, f"{key}:", f"{key}:{'a' * 43}", cookie[:-1], cookie[1:], "x"):
        answer = page_of(forged)
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/"), forged
        assert answer.cookies[NAME].value == "", forged


def test_what_a_session_holds_opens_nothing_in_anothers_row(alice: User, published: SyncRun) -> None:
    """Injected SQL may write the table of sessions: what an administrator's holds is good under its own key alone."""
    signed_in(alice)
    hers = Session.objects.get()
    mine = signed_in(factories.MembershipFactory(account=published.account).user).cookies[NAME].value
    assert page_of(mine).status_code == 200
    Session.objects.exclude(pk=hers.pk).update(session_data=hers.session_data)
    assert page_of(mine).status_code == 302


@pytest.mark.parametrize(("fallbacks", "status"), [(True, 200), (False, 302)])
def test_a_session_outlives_its_key_as_a_fallback(
    alice: User, published: SyncRun, settings: LazySettings, *, fallbacks: bool, status: int
) -> None:
    cookie, old = signed_in(alice).cookies[NAME].value, settings.SECRET_KEY
    use_secret_key(settings, "another key, of some length as well, for this test", *([old] if fallbacks else []))
    assert page_of(cookie).status_code == status


def test_signing_out_takes_the_cookie_back(alice: User, published: SyncRun) -> None:
    client = signed_in(alice)
    client.post("/sign-out/")
    assert not Session.objects.exists()
    assert client.cookies[NAME].value == ""
