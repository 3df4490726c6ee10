"""What has to hold for the brokers that a region names besides our own."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.mqtt_filter import lets_through_only
from config.region_source import Declared, FactList, Mistakes
from config.region_source import Source as File
from config.source import SHAPES, Family, Source

FILES = ("ca", "certificate", "key")
_STORAGE_PATH = re.compile(
    r"/api/v3/as/applications/(?P<application>[a-z0-9-]+)/packages/storage/uplink_message"
)


def find_files(raw: Mapping[str, Any], path: Path, file: File, mistakes: Mistakes) -> None:
    """Make the names of PEM files full paths, so that nobody has to know the folder later."""
    items = raw.get("sources")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        for field in FILES if isinstance(item, dict) else ():
            name = item.get(field)
            if isinstance(name, str):
                if not (path / name).is_file():
                    line = file.line(("sources", index, field))
                    mistakes.add(file.file, line, field, f"no file {name!r} in the folder")
                item[field] = str(path / name)


def check_sources(sources: FactList, mistakes: Mistakes) -> None:
    """Note what does not fit together in a source, and between sources."""
    sessions: dict[tuple[str, str], str] = {}
    for declared in sources:
        source: Source = declared.value
        _topics_of_its_family(declared, mistakes)
        _files_of_use(declared, mistakes)
        if source.storage is not None:
            _storage_of_its_application(declared, source.storage, mistakes)
        if source.client_id is not None:
            other = sessions.setdefault((source.url, source.client_id), source.id)
            if other != source.id:
                message = f"{other!r} has it at the same broker; they would throw each other off"
                mistakes.about(declared, "client_id", message)


def _topics_of_its_family(declared: Declared[Source], mistakes: Mistakes) -> None:
    source = declared.value
    shapes = SHAPES[source.family]
    for index, topic in enumerate(source.topics):
        if not lets_through_only(topic, shapes):
            good = " or ".join(shapes).replace("#/", "")
            message = f"{topic!r} brings more than messages of {source.family}; use {good}"
            mistakes.about(declared, ("topics", index), message)


def _files_of_use(declared: Declared[Source], mistakes: Mistakes) -> None:
    source = declared.value
    if (source.certificate is None) != (source.key is None):
        lone, missing = ("certificate", "key") if source.certificate else ("key", "certificate")
        mistakes.about(declared, lone, f"goes with a {missing}, which is missing")
    secured = {urlsplit(url).scheme for url in (source.url, source.storage or "")}
    for field in FILES:
        if getattr(source, field) is not None and not secured & {"mqtts", "https"}:
            mistakes.about(declared, field, "is for TLS; use an mqtts:// address")


def _storage_of_its_application(
    declared: Declared[Source], storage: str, mistakes: Mistakes
) -> None:
    source = declared.value
    found = _STORAGE_PATH.fullmatch(urlsplit(storage).path)
    if source.family is not Family.THINGS_STACK:
        mistakes.about(declared, "storage", f"only {Family.THINGS_STACK} has one, leave it out")
    elif found is None:
        end = "/api/v3/as/applications/APPLICATION/packages/storage/uplink_message"
        mistakes.about(declared, "storage", f"its path is not {end}")
    elif source.user.partition("@")[0] != found["application"]:
        message = f"is of application {found['application']!r}, but user is {source.user!r}"
        mistakes.about(declared, "storage", message)
