"""The periods of a trend."""

from dashboard.figures.selection import By

PERIODS = {By.QUARTER.value: By.QUARTER, By.MONTH.value: By.MONTH}
