"""Lines of many processes in one terminal."""

import io

import pytest

from config.local.console import Terminal, sign_in_box


class TtyText(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_line_has_the_padded_name():
    stream = io.StringIO()
    Terminal(stream).line("web", "Listening")
    assert stream.getvalue() == "web       | Listening\n"


def test_line_is_colored_on_a_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    stream = TtyText()
    Terminal(stream).line("web", "Listening")
    assert stream.getvalue() == "\x1b[36mweb       |\x1b[0m Listening\n"


def test_no_color_is_honored(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    stream = TtyText()
    Terminal(stream).line("web", "Listening")
    assert stream.getvalue() == "web       | Listening\n"


def test_held_lines_come_afterwards_in_order():
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.hold()
    terminal.line("web", "one")
    terminal.line("beat", "two")
    assert stream.getvalue() == ""
    terminal.release()
    assert stream.getvalue() == "web       | one\nbeat      | two\n"


def test_a_terminal_without_unicode_still_gets_the_words():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Terminal(stream).box(["Rollcall is ready"])
    stream.seek(0)
    assert "Rollcall is ready" in stream.read()


@pytest.mark.parametrize("sign_ins", [[], [{"role": "Auditor", "email": "a@brackwater.example", "password": "x-y"}]])
def test_box_lines_are_equally_wide(sign_ins):
    stream = io.StringIO()
    Terminal(stream).box(sign_in_box("http://127.0.0.1:8000", "Brackwater Mutual", "Demo sign-ins", sign_ins))
    lines = [line for line in stream.getvalue().splitlines() if line]
    assert len({len(line) for line in lines}) == 1
    assert any("http://127.0.0.1:8000" in line for line in lines)
    assert ("Auditor" in stream.getvalue()) == ("Demo sign-ins" in stream.getvalue()) == bool(sign_ins)


def test_box_names_the_first_administrators_link():
    lines = sign_in_box("http://x", "", "", [], link="http://x/invitation/abc/", email="ann@brackwater.example")
    assert "First administrator (ann@brackwater.example): open this link within 24 hours. It works once." in lines
    assert "  http://x/invitation/abc/" in lines
