"""How many things this process may do at once."""

import os


def cores() -> int:
    """Return the number of cores that this process may use: its affinity, not the machine's size.

    A container or `taskset` gives fewer than the machine has; where the system knows no affinity
    (it is not Linux) all cores count.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
