"""What the city has told, written down, so that it can be compared with what was stored."""

import json
import threading
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from ingest.messages import Kind


class SentFile:
    """A file of JSON lines: device, time, seq and kind of each record; may be added to later."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Open it to add to it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._file:
            self._file.close()

    def note(self, device: str, instant: datetime, seq: int, kind: Kind) -> None:
        """Write one record."""
        said = {"device": device, "time": instant.isoformat(), "seq": seq, "kind": kind.value}
        with self._lock:
            if self._file:
                self._file.write(json.dumps(said) + "\n")
