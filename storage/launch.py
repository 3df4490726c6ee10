"""Becomes a PostgreSQL program: ends with its starter, and is never root.

Run as a script of its own (`python -I -S launch.py PARENT UID GID SIGNAL PROGRAM ...`), because
a fork inside a program with threads must not run Python code before it executes something else.

PostgreSQL refuses to run as root. Where we are root it runs as an unprivileged user that keeps
one capability, to search folders: root's home is closed to everybody else, and opening it for
the whole machine (as other wrappers do) would be worse. Programs also ask access(2) whether they
may run one another, and it answers by the capabilities of a change of user (capabilities(7),
SECBIT_NO_SETUID_FIXUP): without that bit `initdb` does not find the `postgres` beside it.
"""

import ctypes
import os
import sys
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT = 1, 8, 28, 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_CAPABILITY_VERSION_3 = 0x20080522


def _search_capability() -> int | None:
    """Return the smallest capability we hold that lets a process search closed folders."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            held = int(line.split()[1], 16)
            for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
                if held >> capability & 1:
                    return capability
    return None


def _become(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    capability = _search_capability() if sys.platform == "linux" else None
    if capability is not None:
        libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability is not None:
        bit = 1 << capability
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable
        libc.capset(header, sets)
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def main() -> None:
    """Drop root, tie our life to the parent's, and become the program."""
    parent, uid, gid, signal = (int(argument) for argument in sys.argv[1:5])
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        _become(libc, uid, gid)
    if signal and sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0)  # after the change of user, which clears it
        if os.getppid() != parent:
            sys.exit("its starter has gone")
    os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606 - an absolute path of ours


if __name__ == "__main__":
    main()
