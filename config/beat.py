"""Celery's beat on a clock that may be set back: its own would send nothing until the clock has caught up."""

import os
from datetime import timedelta
from pathlib import Path
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

    def sync(self) -> None:
        """Write down what was sent, and the time of that to its file, whose ending depends on the database library.

        ndbm, which Debian's own Python takes, writes nothing before it is closed: health would take beat for gone.
        """
        super().sync()
        schedule = Path(self.schedule_filename)
        for file in schedule.parent.glob(f"{schedule.name}*"):
            os.utime(file)
