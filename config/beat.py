"""Celery's beat on a clock that may be set back: its own would send nothing until the clock has caught up."""

from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler

# Clocks are corrected by less than this without anybody noticing.
UNNOTICED = timedelta(seconds=5)


class Scheduler(PersistentScheduler):
    """Celery's scheduler; tasks that it remembers to have sent in the future are due at once."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send one task that is due, and return how many seconds to wait."""
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at - now > UNNOTICED]
        if ahead:
            for entry in ahead:
                entry.last_run_at = now - getattr(entry.schedule, "run_every", timedelta(0))
            # The order of what comes next was worked out by the other clock, too.
            self._heap = None
        return super().tick(*args, **kwargs)
