"""Let Python sleep where libfaketime moves the clock: on the path of `bin/test --clock`, and nowhere else.

Debian's libfaketime, told to leave the monotonic clock alone, yet refuses the way in which Python sleeps from 3.11 on
(https://github.com/wolfcw/libfaketime/issues/426).
"""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep
