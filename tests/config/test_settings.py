"""The settings as environments make them: which hosts the site answers to."""

import json
import os
import subprocess
import sys

import pytest

from config.local import embedded

SERVER = {"DATABASE_URL": "postgresql:///none", "REDIS_URL": "redis://none", "SECRET_KEY": "0123456789abcdef" * 2}
OWN = ["127.0.0.1", "localhost", "[::1]"]
SHOW = "import json; from config import settings as s; print(json.dumps([s.ALLOWED_HOSTS, s.OUTSIDE_HOSTS]))"


def settings(environment: dict[str, str], *, show: str = SHOW) -> subprocess.CompletedProcess[str]:
    """Read the settings in an environment of nothing else, and print both lists of hosts, or what `show` does."""
    kept = {name: os.environ[name] for name in ("PATH", "ROLLCALL_VAR") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", show],
        cwd=embedded.BASE_DIR,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "outside"),
    [
        ({}, []),
        ({"PUBLIC_URL": "http://127.0.0.1:8041"}, []),
        ({"PUBLIC_URL": "http://[::1]:8041"}, []),
        ({"ALLOWED_HOSTS": " localhost, 127.0.0.1 "}, []),
        (
            {"ALLOWED_HOSTS": "rollcall.example", "PUBLIC_URL": "https://rollcall.example"},
            ["rollcall.example"],
        ),
        ({"PUBLIC_URL": "https://rollcall.example:8443/"}, ["rollcall.example"]),
        (
            {"ALLOWED_HOSTS": "a.example, .b.example,", "PUBLIC_URL": "https://c.example"},
            ["a.example", ".b.example", "c.example"],
        ),
        ({"ALLOWED_HOSTS": "*"}, ["*"]),
        ({"PUBLIC_URL": "https://[2001:db8::7]:8443"}, ["[2001:db8::7]"]),
    ],
)
def test_with_the_embedded_database_hosts_are_added_to_this_machines(environment, outside):
    done = settings(environment)

    allowed, seen_outside = json.loads(done.stdout)
    assert allowed[:3] == OWN
    assert seen_outside == outside == [host for host in allowed if host not in OWN]


def test_a_server_answers_to_what_it_is_told_alone():
    done = settings(SERVER | {"ALLOWED_HOSTS": "a.example,b.example", "PUBLIC_URL": "https://c.example"})

    assert json.loads(done.stdout)[0] == ["a.example", "b.example", "c.example"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ALLOWED_HOSTS", "https://a.example", "ALLOWED_HOSTS names 'https://a.example': write names alone, "),
        ("ALLOWED_HOSTS", "b.example, a.example:8000", "ALLOWED_HOSTS names 'a.example:8000': write names alone, "),
        ("ALLOWED_HOSTS", "a.example b.example", "ALLOWED_HOSTS names 'a.example b.example': write names alone, "),
        ("PUBLIC_URL", "rollcall.example", "PUBLIC_URL is 'rollcall.example': write where people reach this site, "),
        (
            "PUBLIC_URL",
            "https://a.example/x/",
            "PUBLIC_URL is 'https://a.example/x': Rollcall needs a host name of its own",
        ),
        ("PUBLIC_URL", "https://", "PUBLIC_URL is 'https:': write where people reach this site, "),
        ("PUBLIC_URL", "https://[::1", "PUBLIC_URL is 'https://[::1': write where people reach this site, "),
        ("PORT", "many", "PORT is 'many': it must be a number from 1 to 65535."),
        ("KNOWBE4_BASE_URL", "http://[::1", "KNOWBE4_BASE_URL is 'http://[::1': it must start with https:// and "),
        ("KNOWBE4_BASE_URL", "http://a.example:b", "KNOWBE4_BASE_URL is 'http://a.example:b': it must start with "),
        ("EMAIL_URL", "smtp://h:port", "EMAIL_URL must read smtp://, smtp+tls:// or smtps://user:password@host:port."),
        ("EMAIL_URL", "smtp://[::1", "EMAIL_URL must read smtp://, smtp+tls:// or smtps://user:password@host:port."),
        ("EMAIL_FROM", "Rollcall", "EMAIL_FROM is 'Rollcall': write one address, such as Rollcall <rollcall@example."),
        ("EMAIL_CA_FILE", "/nowhere.pem", "EMAIL_CA_FILE is '/nowhere.pem': name a file of certificates (PEM) that "),
        ("EMAIL_CA_FILE", "docs", "EMAIL_CA_FILE is 'docs': name a file of certificates (PEM) that "),
        ("REQUESTS_CA_BUNDLE", "README.md", "REQUESTS_CA_BUNDLE is 'README.md': name a file of certificates (PEM) "),
        ("HSTS_SUBDOMAINS", "maybe", "HSTS_SUBDOMAINS is 'maybe': write yes or no."),
        ("ADMIN_EMAIL", "ann@-example.com", "ADMIN_EMAIL is 'ann@-example.com': write one address like ann@"),
        ("ADMIN_EMAIL", "ann@a.example,b@b.example", "ADMIN_EMAIL is 'ann@a.example,b@b.example': write one address"),
        ("ADMIN_EMAIL", f"a@{'b' * 60}.{'c.' * 100}example", "ADMIN_EMAIL is 'a@bbb"),
    ],
)
def test_what_cannot_be_meant_is_refused(name, value, sentence):
    done = settings({name: value})

    assert done.returncode == 1
    assert (
        done.stderr.splitlines()[-1].removeprefix("django.core.exceptions.ImproperlyConfigured: ").startswith(sentence)
    )


@pytest.mark.parametrize("url", ["https://ann:pears@proxy.example", "http://ann:pears@[::1", "ann:pears@proxy.example"])
def test_password_in_knowbe4_base_url_is_refused_and_not_shown(url):
    done = settings({"KNOWBE4_BASE_URL": url})

    assert done.returncode == 1
    assert "KNOWBE4_BASE_URL holds a user or password" in done.stderr
    assert "pears" not in done.stderr


def test_a_server_that_mails_says_whom_from():
    server = SERVER | {"ALLOWED_HOSTS": "a.example", "EMAIL_URL": "smtp://mail.example"}

    done = settings(server)
    assert done.returncode == 1
    assert "EMAIL_FROM is not set: mail servers ask whom mail is from" in done.stderr.splitlines()[-1]

    show = "from config import settings; print(settings.DEFAULT_FROM_EMAIL)"
    for allowed in (server | {"EMAIL_FROM": "Röll <r@a.example>"}, {"EMAIL_URL": "smtp://mail.example"}):
        done = settings(allowed, show=show)
        assert done.stdout.strip() == allowed.get("EMAIL_FROM", "Rollcall <rollcall@localhost>"), done.stderr


@pytest.mark.parametrize(
    ("environment", "includes"),
    [
        ({}, False),
        ({"HSTS_SUBDOMAINS": "yes"}, False),
        ({"PUBLIC_URL": "https://a.example"}, False),
        ({"PUBLIC_URL": "https://a.example", "HSTS_SUBDOMAINS": "yes"}, True),
    ],
)
def test_hosts_below_are_bound_to_https_by_a_switch(environment, includes):
    done = settings(environment, show="from config import settings; print(settings.SECURE_HSTS_INCLUDE_SUBDOMAINS)")

    assert done.stdout.strip() == str(includes)


def test_links_follow_the_port():
    done = settings({"PORT": "8123"}, show="from config import settings; print(settings.PUBLIC_URL)")

    assert done.stdout == "http://127.0.0.1:8123\n"


@pytest.mark.parametrize("key", ["short", "0123456789abcdef0123456789abcde", "ab" * 40])
def test_a_server_refuses_a_secret_key_that_could_be_guessed(key):
    done = settings(SERVER | {"ALLOWED_HOSTS": "a.example", "SECRET_KEY": key})

    assert "SECRET_KEY could be guessed: set a random one of 32 characters or more" in done.stderr
    assert key not in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("value", "fallbacks"),
    [("", []), ("short", ["short"]), (" one two , three ,", ["one two", "three"]), ('["a,b", "c"]', ["a,b", "c"])],
)
def test_fallbacks_are_texts_between_commas_or_a_list(value, fallbacks):
    show = "import json; from config import settings as s; print(json.dumps(s.SECRET_KEY_FALLBACKS))"
    done = settings(SERVER | {"ALLOWED_HOSTS": "a.example", "SECRET_KEY_FALLBACKS": value}, show=show)

    assert json.loads(done.stdout) == fallbacks


@pytest.mark.parametrize("value", ["[one, two]", '["one", 2]', '[""]'])
def test_a_list_of_fallbacks_that_is_none_is_refused(value):
    done = settings(SERVER | {"ALLOWED_HOSTS": "a.example", "SECRET_KEY_FALLBACKS": value})

    assert "SECRET_KEY_FALLBACKS is no JSON list of texts" in done.stderr


@pytest.mark.slow
def test_what_only_monitoring_needs_is_not_needed_to_start():
    absent = "import sys; sys.modules.update(dict.fromkeys(('pythonjsonlogger', 'prometheus_client', 'sentry_sdk')));"
    start = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; import django; django.setup();"
    done = settings({}, show=f"{absent}{start} from config.urls import urlpatterns; print(len(urlpatterns))")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
