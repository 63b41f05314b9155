"""The memory of a process that answers for days."""

import gc


def keep_what_is_loaded() -> None:
    """Take everything that is loaded by now out of the garbage collector's sight, for as long as the process lives.

    Modules, models and templates never become garbage; without this each full collection walks over all of them, which
    takes a tenth of a second in the middle of somebody's page.
    """
    gc.collect()
    gc.freeze()
