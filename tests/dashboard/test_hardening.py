"""Headers for browsers, rate limits of readers, and what an error gives away."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from dashboard.rate_limits import seconds_to_wait
from sync.models import Account
from tests import factories

SERVER = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "0123456789 a long text that nobody guesses, for tests only",
    "ALLOWED_HOSTS": "rollcall.brackwater.example",
    "PUBLIC_URL": "https://rollcall.brackwater.example",
}
SHOW = (
    "import json; from django.conf import settings as s; import os;"
    "os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings';"
    "print(json.dumps({n: getattr(s, n) for n in ('SESSION_COOKIE_NAME', 'CSRF_COOKIE_NAME', 'SESSION_COOKIE_SECURE',"
    " 'CSRF_COOKIE_SECURE', 'SECURE_HSTS_SECONDS', 'SECURE_SSL_REDIRECT', 'DEBUG')}))"
)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run Python as on a server that is reached over https."""
    environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}} | SERVER
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=configured.BASE_DIR, capture_output=True, text=True, timeout=60
    )


@pytest.mark.slow
def test_a_servers_settings_pass_djangos_check() -> None:
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stdout + done.stderr


def test_over_https_cookies_are_this_hosts_alone() -> None:
    found = json.loads(run("-c", SHOW).stdout)
    assert found == {
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "CSRF_COOKIE_NAME": "__Host-csrftoken",
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_SSL_REDIRECT": True,
        "DEBUG": False,
    }


@pytest.mark.parametrize("address", ["/", "/sign-in/", "/nowhere/", "/people/999999/"])
def test_every_answer_carries_the_policies(as_alice: Client, address: str) -> None:
    headers = as_alice.get(address).headers
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "no-store" in headers["Cache-Control"]


def test_a_session_ends_with_the_working_day(client: Client, alice: Any) -> None:
    client.post("/sign-in/", {"login": alice.email, "password": factories.PASSWORD})
    cookie = client.cookies["sessionid"]
    assert cookie["max-age"] == 12 * 3600
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_whoever_searches_too_often_is_told_when_to_try_again(
    as_alice: Client, company: Account, settings: Any, redis_url: str
) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"search": (2, 60)}
    answers = [as_alice.post("/search/people/", {"q": "per"}) for _ in range(3)]
    if answers[2].status_code == 303:
        # The minute turned between two of them.
        answers = [as_alice.post("/search/people/", {"q": "per"}) for _ in range(3)]
    assert answers[2].status_code == 429
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert "That was too often." in answers[2].content.decode()
    assert as_alice.get("/people/").status_code == 200


def test_limits_are_each_readers_own_and_end_with_the_window(redis_url: str) -> None:
    at = 1_000_000_020.0
    waits = [seconds_to_wait("addresses", 1, at=at) for _ in range(31)]
    assert waits[:30] == [0] * 30
    assert waits[30] == 600 - at % 600
    assert seconds_to_wait("addresses", 2, at=at) == 0
    assert seconds_to_wait("addresses", 1, at=at + 600) == 0


def test_without_redis_nobody_is_refused(settings: Any) -> None:
    cache = settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": cache}
    assert [seconds_to_wait("addresses", 7, at=1.0) for _ in range(40)] == [0] * 40


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nowhere/", 404, "There is nothing here"),
        ("/?as_of=someday", 400, "could not be understood"),
        ("/settings/accounts/", 403, "Your role does not allow this"),
    ],
)
def test_errors_say_what_to_do_and_no_details(as_alice: Client, address: str, status: int, words: str) -> None:
    response = as_alice.get(address)
    text = response.content.decode()
    assert response.status_code == status
    assert words in text
    for detail in ("Traceback", "Exception", "dashboard.", "someday", "nowhere"):
        assert detail not in text


def test_too_many_fields_and_too_large_bodies_are_refused(as_ines: Client) -> None:
    many = {f"field{n}": "x" for n in range(1_500)}
    assert as_ines.post("/settings/", many).status_code == 400
    assert as_ines.post("/settings/", {"reason": "x" * 3_000_000}).status_code == 413
    assert as_ines.get("/people/", {f"p{n}": "x" for n in range(1_500)}).status_code == 400
