"""Backups in a folder: how old they are, and which have to go.

Files that are not ours are left alone, whatever their names.
"""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from config.errors import DatabaseError
from storage.backup import DRAFT, MANIFEST


class BackupFile(NamedTuple):
    """A backup, or the draft of one that was never finished.

    Attributes:
        path: the file.
        taken_at: when it was taken; of a draft, when it was last written.
    """

    path: Path
    taken_at: datetime


def backups_in(folder: Path) -> list[BackupFile]:
    """Return the backups in a folder, oldest first.

    Raises:
        DatabaseError: the folder cannot be read.
    """
    try:
        return sorted(_look(folder), key=lambda found: found.taken_at)
    except OSError as error:
        raise DatabaseError(
            f"cannot read the folder of backups {folder} ({error.strerror}); "
            "name it with BINROUND_BACKUP_DIR"
        ) from None


def prune(folder: Path, before: datetime) -> list[Path]:
    """Delete the backups taken before an instant; returns their files.

    Raises:
        DatabaseError: the folder cannot be read, or a file cannot be deleted.
    """
    old = [found.path for found in backups_in(folder) if found.taken_at < before]
    for path in old:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DatabaseError(
                f"cannot delete the backup {path} ({error.strerror}); its time is over, delete it"
            ) from None
    return old


def _look(folder: Path) -> Iterator[BackupFile]:
    for path in folder.iterdir():
        if not path.is_file():
            continue
        if path.name.endswith(DRAFT):
            yield BackupFile(path, datetime.fromtimestamp(path.stat().st_mtime, UTC))
        elif taken_at := _taken_at(path):
            yield BackupFile(path, taken_at)


def _taken_at(path: Path) -> datetime | None:
    """Return when a backup of ours was taken, by any version; None for another file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return datetime.fromisoformat(json.loads(archive.read(MANIFEST))["taken_at"])
    except (zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError):
        return None
