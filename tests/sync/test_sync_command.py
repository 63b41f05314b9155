"""`manage.py sync` as a terminal sees it."""

from io import StringIO

import pytest
from django.core.management.base import CommandError

from sync.management.commands.sync import Command
from sync.simulator.faults import Fault


def as_typed(*words: str) -> tuple[int, str]:
    """Return the exit status and what went where errors go."""
    errors = StringIO()
    command = Command(stderr=errors, no_color=True)
    command._called_from_command_line = True
    options = vars(command.create_parser("manage.py", "sync").parse_args(words))
    with pytest.raises(SystemExit) as ended:
        command.execute(*options.pop("args", ()), **options)
    return ended.value.code, errors.getvalue()


@pytest.mark.parametrize(("fault", "code"), [("unauthorized-midway", 4), ("repeated-cursor", 3)])
def test_what_went_wrong_is_one_sentence_with_its_exit_status(connected, simulator, fault, code):
    simulator.faults.append(Fault.parse(f"{fault}:after=0"))
    status, said = as_typed()
    assert status == code
    assert "CommandError" not in said
    assert said.startswith(("Failed: ", "Held: "))
    assert len(said.strip().splitlines()) == 1


@pytest.mark.usefixtures("connected")
def test_an_account_that_is_not_there_is_one_sentence():
    assert as_typed("--account", "Nowhere") == (1, "Say which account with --account; there are: Demo.\n")


@pytest.mark.usefixtures("connected")
def test_the_traceback_can_be_had():
    command = Command(stderr=StringIO(), no_color=True)
    command._called_from_command_line = True
    options = vars(command.create_parser("manage.py", "sync").parse_args(["--account", "Nowhere", "--traceback"]))
    with pytest.raises(CommandError):
        command.execute(**options)
