"""Lines of the log name nobody and repeat no row."""

import logging

import pytest

from config.log_format import Formatter


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Mail to ann.example@brackwater.example failed", "Mail to (address) failed"),
        ("<ann@brackwater.example>, 'bob@x.example'", "<(address)>, '(address)'"),
        ('"GET /people/?q=Ann+Example HTTP/1.1" 200', '"GET /people/?(left out) HTTP/1.1" 200'),
        ("refused.\nDETAIL:  Key (email)=(ann) exists.\nCONTEXT: x", "refused.\nDETAIL: (left out)\nCONTEXT: x"),
        ("Not Found: /invitation/Zx9_secret-1/", "Not Found: /invitation/(left out)/"),
        ("Gone: /password/reset/1a-cx2-0f9e8d/", "Gone: /password/reset/(left out)/"),
        ("Not Found: /Invitation/Zx9_secret-1/", "Not Found: /Invitation/(left out)/"),
        ("Not Found: /invitation//Zx9_secret-1/", "Not Found: /invitation//(left out)/"),
        ("Not Found: /PASSWORD/reset//1a-cx2-0f9e8d", "Not Found: /PASSWORD/reset//(left out)"),
        (f"Not Found: /x/invitatoin/{'Zx9_-' * 8}/y", "Not Found: /x/invitatoin/(left out)/y"),
        (f"Not Found: /people/{'a' * 39}/", f"Not Found: /people/{'a' * 39}/"),
        ("Not Found: /password/reset/sent/x", "Not Found: /password/reset/sent/x"),
        ("Synced 12 pages; is that so?", "Synced 12 pages; is that so?"),
    ],
)
def test_addresses_rows_and_queries_are_left_out(said: str, written: str) -> None:
    assert Formatter("%(message)s").format(logging.LogRecord("x", 20, "x", 1, said, None, None)) == written


def test_of_an_exception_too() -> None:
    try:
        raise ValueError("no such reader: ann@brackwater.example")
    except ValueError as error:
        record = logging.LogRecord("x", 40, "x", 1, "Failed", None, (type(error), error, error.__traceback__))
    text = Formatter("%(message)s").format(record)
    assert "no such reader: (address)" in text
    assert "ann@" not in text
