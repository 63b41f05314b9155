"""`manage.py`: which commands start the services, and how it says that it cannot run."""

import importlib.util
import os
import socket
import subprocess
import sys
from types import ModuleType

import pytest

from config.local import embedded

SECRET = "0123456789abcdef" * 2


@pytest.fixture(scope="module")
def manage() -> ModuleType:
    spec = importlib.util.spec_from_file_location("manage", embedded.BASE_DIR / "manage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("", False),
        ("help migrate", False),
        ("migrate --help", False),
        ("check", False),
        ("check --database default", True),
        ("simulator --port 0", False),
        ("collectstatic --noinput", False),
        ("migrate", True),
        ("makemigrations --check", True),
        ("sync --if-never", True),
        ("shell", True),
    ],
)
def test_needs_services(manage, line, needs):
    assert manage.needs_services(line.split()) is needs


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=embedded.BASE_DIR,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_createsuperuser_says_what_to_do_instead():
    done = run("createsuperuser")

    assert done.returncode == 1
    assert done.stderr.startswith("Users come by invitation: run manage.py invite EMAIL --role administrator")


def test_a_missing_variable_is_named_in_one_sentence():
    done = run("migrate", DATABASE_URL="postgresql://rollcall@127.0.0.1/rollcall")

    assert done.returncode == 1
    assert done.stderr.startswith("REDIS_URL is not set: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("email", ["ann", "ann@host", "ann@example.com, bob@example.com"])
def test_an_administrators_address_that_is_none_is_one_sentence(email):
    done = run("check", ADMIN_EMAIL=email)

    assert done.returncode == 1
    assert done.stderr == f"ADMIN_EMAIL is {email!r}: write one address like ann@example.com.\n"


@pytest.mark.slow
def test_a_database_that_is_not_there_is_one_sentence():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"postgresql://rollcall@127.0.0.1:{probe.getsockname()[1]}/rollcall"
        done = run(
            "migrate",
            DATABASE_URL=url,
            REDIS_URL="redis://127.0.0.1:1/0",
            SECRET_KEY=SECRET,
            ALLOWED_HOSTS="x",
        )

    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer: ")
    assert len(done.stderr.splitlines()) == 1


def test_without_the_packages_it_says_how_to_get_them():
    # Isolated (-S): the standard library alone, as on a machine where bin/run never ran.
    code = "import sys; sys.path.insert(0, '.'); sys.argv = ['manage.py', 'migrate']; import manage; manage.main()"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=embedded.BASE_DIR, capture_output=True, text=True, check=False
    )

    assert done.stderr == "django is not installed: run bin/run once, then .venv/bin/python manage.py.\n"
