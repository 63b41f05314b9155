"""One terminal for many processes: each line under the padded name of the process that wrote it."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

_COLORS = {"run": "1", "web": "36", "worker": "32", "beat": "35", "simulator": "33", "sync": "34"}
_WIDTH = 9


class Terminal:
    """Writes whole lines, colored on a terminal unless NO_COLOR is set."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_tty = self.stream.isatty()
        self.is_colored = self.is_tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._held: list[str] | None = None

    def line(self, name: str, text: str) -> None:
        """Write one line of one process, now or when `release` is called."""
        prefix = f"{name:<{_WIDTH}} |"
        if self.is_colored:
            prefix = f"\x1b[{_COLORS.get(name, '37')}m{prefix}\x1b[0m"
        line = f"{prefix} {text}".rstrip() + "\n"
        if self._held is not None:
            self._held.append(line)
        else:
            self._write(line)

    def hold(self) -> None:
        """Keep lines back while another program draws on the terminal itself."""
        self._held = []

    def release(self) -> None:
        """Write what was held back."""
        held, self._held = self._held, None
        self._write("".join(held or []))

    def box(self, lines: Sequence[str]) -> None:
        """Write lines in a frame."""
        width = max(len(line) for line in lines)
        frame = [
            "",
            f"╭{'─' * (width + 4)}╮",
            *(f"│  {line:<{width}}  │" for line in lines),
            f"╰{'─' * (width + 4)}╯",
            "",
        ]
        self._write("\n".join(frame) + "\n")

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except UnicodeEncodeError:
            # A terminal in the C locale: the words matter, the frame does not.
            encoding = self.stream.encoding or "ascii"
            self.stream.write(text.encode(encoding, "replace").decode(encoding))
            self.stream.flush()
        except BrokenPipeError:
            # Whoever read our lines left; the processes go on until they are told to stop.
            self.stream = open(os.devnull, "w")  # noqa: SIM115, PTH123


def sign_in_box(
    address: str, account: str, title: str, sign_ins: Sequence[dict[str, str]], *, link: str = "", email: str = ""
) -> list[str]:
    """Return the lines that tell where the pages are and who can sign in, or by which link the first one does."""
    lines = [f"Rollcall is ready: {address}"]
    if account:
        lines.append(f"Account: {account}")
    if sign_ins:
        roles = max(len(entry["role"]) for entry in sign_ins)
        emails = max(len(entry["email"]) for entry in sign_ins)
        lines += ["", f"{title}:"]
        lines += [f"  {entry['role']:<{roles}}  {entry['email']:<{emails}}  {entry['password']}" for entry in sign_ins]
    if link:
        whom = f" ({email})" if email else ""
        lines += ["", f"First administrator{whom}: open this link within 24 hours. It works once.", f"  {link}"]
    return [*lines, "", "Ctrl-C stops everything; the data stays."]
