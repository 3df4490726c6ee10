"""Writes the API's description anew, docs/openapi.json: `make docs`."""

import json
import sys
from typing import Any

from api.app import create_app
from config.clock import RealClock
from config.region_folder import load_region
from config.settings import load_settings
from storage.database import Database


def describe() -> dict[str, Any]:
    """Return the OpenAPI description; it needs no database and is the same for all regions."""
    nowhere = Database("")
    return create_app(load_settings(), RealClock(), nowhere, load_region("example")).openapi()


def main() -> None:
    """Write the description as JSON."""
    json.dump(describe(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
