"""Who sits at the command line, for the audit."""

import getpass
import os


def who() -> str:
    """Return the name of the machine's user, or its number where it has no name."""
    try:
        return f"cli/{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli/{os.getuid()}"
