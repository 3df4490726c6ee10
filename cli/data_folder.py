"""A data folder that one process tree has for itself."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.errors import BinroundError, SettingsError


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Make the folder if need be, and hold it; the kernel lets go when the process ends.

    Raises:
        SettingsError: it cannot be written.
        BinroundError: another process holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a")
    except OSError as error:
        raise SettingsError(
            f"cannot write to {folder} ({error.strerror}); "
            "set BINROUND_DATA_DIR to a folder you may write"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BinroundError(
                f"a demo already runs on {folder}; end it, or set another BINROUND_DATA_DIR"
            ) from None
        yield
