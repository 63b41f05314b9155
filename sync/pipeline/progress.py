"""Progress of a run, written where the pages and the terminal can read it."""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sync.models import SyncRun
from sync.pipeline.lists import ReadList
from sync.pipeline.staging import ListProgress

# Often enough for a live page, seldom enough to cost nothing.
WRITE_EVERY = 0.5
BEAT_EVERY = 20.0


class Progress:
    """The steps of one run, kept in `SyncRun.resources` and told to a listener (the terminal's progress bar)."""

    def __init__(
        self,
        run: SyncRun,
        *,
        expected: Mapping[str, int],
        listener: Callable[[SyncRun], None] | None = None,
        now: Callable[[], datetime],
    ) -> None:
        self.run = run
        self.expected = expected
        self.listener = listener
        self.now = now
        self._lists: dict[str, set[str]] = {}
        self._written = 0.0
        run.resources = {}

    def begin(self, lists: Iterable[ReadList], done: Mapping[str, ListProgress]) -> None:
        """Announce lists to come, counting what an earlier attempt already read of them."""
        for wanted in lists:
            step = self._step(wanted)
            before = done.get(wanted.key)
            if before:
                step["rows"] += before.rows
                step["rejected"] += before.rejected
                step["requests"] += before.requests
            if not (before and before.is_done):
                self._lists[wanted.step].add(wanted.key)
            elif not self._lists[wanted.step]:
                step["state"] = "done"
        self.write()

    def reading(self, wanted: ReadList) -> None:
        """Mark the list's step as the one being read."""
        self._step(wanted)["state"] = "reading"
        self.write()

    def page(self, wanted: ReadList, *, rows: int, rejected: int, requests: int) -> None:
        """Count a page."""
        step = self._step(wanted)
        step["rows"] += rows
        step["rejected"] += rejected
        step["requests"] += requests
        self.run.requests_made = sum(entry["requests"] for entry in self.run.resources.values())
        if time.monotonic() - self._written >= WRITE_EVERY:
            self.write()

    def done(self, wanted: ReadList) -> None:
        """Mark the list as read whole; its step is done when all its lists are."""
        self._lists[wanted.step].discard(wanted.key)
        if not self._lists[wanted.step]:
            self._step(wanted)["state"] = "done"
        self.write()

    def phase(self, phase: SyncRun.Phase) -> None:
        """Enter the next phase of the run."""
        self.run.phase = phase
        self.write()

    def write(self) -> None:
        """Save the progress and tell the listener."""
        self._written = time.monotonic()
        self.run.heartbeat_at = self.now()
        self.run.save(update_fields=["phase", "resources", "requests_made", "heartbeat_at"])
        if self.listener:
            self.listener(self.run)

    def _step(self, wanted: ReadList) -> dict[str, Any]:
        if wanted.step not in self.run.resources:
            self._lists.setdefault(wanted.step, set())
            self.run.resources[wanted.step] = {
                "title": wanted.title,
                "rows": 0,
                "rejected": 0,
                "requests": 0,
                "expected": self.expected.get(wanted.step),
                "state": "waiting",
                # JSONB keeps no order of keys.
                "position": len(self.run.resources),
            }
        return self.run.resources[wanted.step]
