"""Child processes that do not outlive their parent, and orphans that the parent adopts and reaps."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


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


def adopt_orphans() -> None:
    """Make this process the parent of what its children leave behind (Linux; elsewhere the first process is)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_children(seconds: float) -> None:
    """Collect the exit statuses of all children, adopted ones too, waiting at most `seconds` for those that still run.

    For the very end of a process: whoever waits for a child of its own later finds it gone.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.01)
