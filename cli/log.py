"""What services say: one line an event, on stderr, as text or as JSON."""

import json
import logging
from datetime import UTC, datetime

from config.settings import Settings


def start_log(settings: Settings, speaker: str = "") -> None:
    """Begin to log as the settings say.

    Args:
        settings: what is logged, and in which form.
        speaker: which of several processes of a kind this is; stands before each message.

    The HTTP client stays quiet: it would write down each address it asks, and those of a road
    engine hold coordinates.
    """
    name = f"%(name)s {speaker}".strip()
    logging.basicConfig(
        level=settings.log_level, format=f"%(asctime)s %(levelname)s {name} %(message)s"
    )
    if settings.log_format == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines(speaker))
    logging.getLogger("httpx").setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and speaker and error if any."""

    def __init__(self, speaker: str = "") -> None:
        super().__init__()
        self._speaker = speaker

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line; line breaks inside are escaped."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if self._speaker:
            line["speaker"] = self._speaker
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)
