"""What services say: one line an event, on stderr."""

import logging

from config.settings import Settings


def start_log(settings: Settings) -> None:
    """Begin to log as the settings say.

    The HTTP client stays quiet: it would write down each address it asks, and those of a road
    engine hold coordinates.
    """
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
