"""Children that never outlive the process that started them, however it ends."""

import ctypes
import fcntl
import os
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


def die_with_pipe(pipe: int) -> None:
    """Have the kernel kill this process when the other end of a pipe is closed.

    For a child whose parent in the kernel's eyes is not the process that it works for, as with a
    fork server. It needs no thread, so it works within code that keeps Python's lock. Linux only
    (fcntl(2), `F_SETSIG`); elsewhere nothing happens.

    Args:
        pipe: file descriptor of the reading end; nothing may be written to it any more.
    """
    if not sys.platform.startswith("linux"):
        return
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
