"""Files that parts leave for each other, and files that only their owner may read."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.errors import SettingsError


def road_layer(data_dir: Path, region: str) -> Path:
    """Return where the lines of a region's roads lie, as gzipped GeoJSON for the map."""
    return data_dir / "roads" / f"{region}.geojson.gz"


def private_folder(path: Path) -> None:
    """Have a folder that only its owner may enter.

    Raises:
        SettingsError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"cannot make {path} ({error.strerror}); name a folder that you may write"
        ) from None


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Keep other processes that ask for the same file waiting meanwhile.

    Raises:
        SettingsError: its folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(
            f"cannot write beside {path} ({error.strerror}); name a folder that you may write"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; written beside and swapped, so always whole.

    Raises:
        SettingsError: it cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)  # an old one would keep its mode
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        raise SettingsError(
            f"cannot write {path} ({error.strerror}); name a folder that you may write"
        ) from None
