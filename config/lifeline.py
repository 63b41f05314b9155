"""Children that do not outlive their parent, however it ends."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(sign: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` for Popen after which the child gets `sign` when the calling thread's process ends.

    Linux only; None elsewhere, where a parent that was killed leaves its children to the next start. Call it from the
    main thread of a process without others: the kernel ties the signal to the thread that forked.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
        # The parent may have ended between fork and prctl.
        if os.getppid() != parent:
            os._exit(1)

    return tie
