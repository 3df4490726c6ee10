"""Children that never outlive the process that started them, however it ends."""

import ctypes
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(stop: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """Return a `preexec_fn` that has the kernel signal the child when its parent dies.

    Linux only (prctl(2)); elsewhere None, and the parent's own clean-up has to do. The kernel
    watches the thread that started the child, so start children from a thread that lives on.

    Args:
        stop: the signal the child gets.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, stop)

    return tie
