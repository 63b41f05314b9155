"""One lane per enrollment on a shared axis of time, as numbers for SVG: enrolled to done, a tick where it is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString

from dashboard.local_days import local_midnight
from dashboard.markup import Markup, joined
from dashboard.metrics import State
from dashboard.queries.person import Owed

LONGEST = timedelta(days=3 * 366)
SHORTEST = timedelta(days=180)
# So many labels fit above the lanes.
MOST_LABELS = 9
_LEFT, _RIGHT = 2.0, 97.0
_LINE = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
_DUE = Markup('<svg y="50%" overflow="visible">{}</svg>')
_END = Markup('<circle class="lane-end l-{}" cx="{}" cy="50%" r="4.5"/>')


@dataclass(frozen=True)
class Tick:
    """The beginning of a quarter on the axis, in percent of its width; without a label where there is no room."""

    x: str
    label: str


@dataclass(frozen=True)
class Lane:
    """One enrollment: its line from `start` to `turn` and on to `end`, each in percent of the width.

    The part from `turn` on lies beyond the due date; `ahead` is where a due date to come is. `due` is the tick, empty
    without a date on the axis.
    """

    tone: str
    start: str
    turn: str
    end: str
    due: str
    ahead: str
    is_over: bool
    is_late: bool

    @property
    def drawn(self) -> SafeString:
        """The lane as SVG: a person has dozens, and a template takes ten times as long over them."""
        parts = []
        if self.ahead:
            parts.append(_line("lane-line l-ahead", self.end, self.ahead))
        parts.append(_line(f"lane-line l-{self.tone}", self.start, self.turn))
        if self.is_over:
            parts.append(_line(f"lane-line is-over{' is-late' if self.is_late else ''}", self.turn, self.end))
        if self.due:
            parts.append(_DUE(_line("lane-due", self.due, self.due, "-8", "8")))
        parts.append(_END(self.tone, self.end))
        return joined(parts)


def _line(kind: str, start: str, end: str, top: str = "50%", foot: str = "50%") -> SafeString:
    return _LINE(kind, start, end, top, foot)


@dataclass(frozen=True)
class Axis:
    """The time that all lanes share."""

    begins: datetime
    ends: datetime
    now: datetime
    zone: ZoneInfo

    @classmethod
    def of(cls, rows: Sequence[Owed], now: datetime, zone: ZoneInfo) -> "Axis":
        """Return an axis that shows everything of the last three years, and what falls due next."""
        moments = [owed.enrollment.enrolled_at for owed in rows]
        ahead = [row.due_at for owed in rows if (row := owed.enrollment).due_at is not None and row.due_at > now]
        first = min([*moments, now - SHORTEST])
        begins = _quarter(max(first, now - LONGEST).astimezone(zone).date())
        # A due date far ahead does not squeeze the past: half a year to come is enough.
        ends = min(max([*ahead, now + timedelta(days=14)]), now + SHORTEST)
        return cls(local_midnight(begins, zone), ends, now, zone)

    def x(self, moment: datetime) -> str:
        """Return where a moment is, at the ends what lies beyond them."""
        share = (moment - self.begins) / (self.ends - self.begins)
        return f"{_LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0):.2f}%"

    @cached_property
    def grid(self) -> SafeString:
        """The quarters and the moment of the page as SVG, the same behind every lane."""
        upright = [("c-grid", tick.x) for tick in self.ticks] + [("lane-today", self.x(self.now))]
        return joined(_line(kind, x, x, "0", "100%") for kind, x in upright)

    @cached_property
    def ticks(self) -> list[Tick]:
        """The quarters; labels stand at as many of them as fit, always the first quarters of years."""
        days, quarter = [], self.begins.astimezone(self.zone).date()
        while local_midnight(quarter, self.zone) < self.ends:
            days.append(quarter)
            quarter = _quarter(quarter + timedelta(days=95))
        step = 1 if len(days) <= MOST_LABELS else 2 if len(days) <= 2 * MOST_LABELS else 4
        # The last one needs room for its label before the axis ends.
        room = (self.ends - self.begins) * 0.06
        return [
            Tick(
                self.x(local_midnight(day, self.zone)),
                f"Q{(day.month + 2) // 3} {day:%y}"
                if (day.month // 3) % step == 0 and local_midnight(day, self.zone) + room <= self.ends
                else "",
            )
            for day in days
        ]

    def lane(self, owed: Owed) -> Lane:
        """Draw one enrollment."""
        row = owed.enrollment
        is_done = owed.state == State.COMPLETED and row.completed_at is not None
        ended = row.completed_at if is_done and row.completed_at is not None else self.now
        ended = max(ended, row.enrolled_at)
        due = row.due_at
        is_over = due is not None and row.enrolled_at < due < ended
        return Lane(
            tone=owed.state.mark,
            start=self.x(row.enrolled_at),
            turn=self.x(due) if is_over and due is not None else self.x(ended),
            end=self.x(ended),
            due=self.x(due) if due is not None and self.begins <= due <= self.ends else "",
            ahead=self.x(due) if due is not None and due > ended and not is_done else "",
            is_over=is_over,
            is_late=owed.is_late,
        )


def _quarter(day: date) -> date:
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
