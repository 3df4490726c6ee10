"""What is kept about people outside of the database: in the broker and in backups."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, time
from pathlib import Path

from pydantic import SecretStr

from config.clock import RealClock
from config.errors import BinroundError, BrokerError
from config.region import Retention
from config.settings import Settings
from ingest.broker import server_secret
from ingest.broker.age import RETAINED, holdings
from ingest.broker.embedded import embedded_address
from ingest.line import Login
from ingest.retained import retained_tours
from storage.backup_files import backups_in
from storage.privacy import Kept

OUT_OF_SIGHT = "cannot be seen from here"


def kept_elsewhere(
    settings: Settings, region: str, rules: Retention, now: datetime
) -> Iterator[Kept | str]:
    """Yield what is kept in the broker and as backups, or a line that says why that is not known.

    Args:
        settings: where they are.
        region: id of the region.
        rules: what it declares.
        now: the instant, by the caller's clock; the broker's own clock is a real one.
    """
    for look in (_waiting, _retained, _backups):
        try:
            yield look(settings, region, rules, now)
        except BinroundError as error:
            yield f"{look.__name__.strip('_')}: {OUT_OF_SIGHT} ({error})"


def _waiting(settings: Settings, _region: str, rules: Retention, _now: datetime) -> Kept:
    address = settings.broker_admin_url
    if settings.embedded_broker:
        address = embedded_address(_folder(settings))
    if not address:
        raise BrokerError(
            "the embedded broker does not run"
            if settings.embedded_broker
            else "a broker tells it over BINROUND_BROKER_ADMIN_URL, if it is a NATS"
        )
    found = [one for one in holdings(address, server_secret(settings)) if one.stream != RETAINED]
    oldest = min((one.oldest for one in found if one.oldest), default=None)
    count, real = sum(one.messages for one in found), RealClock().now()
    about = ("broker: waiting messages", "until they are stored", rules.positions_days)
    return Kept.judged(*about, count, oldest, real)


def _retained(settings: Settings, region: str, rules: Retention, now: datetime) -> Kept:
    url = settings.broker_url
    if settings.embedded_broker:
        with suppress(OSError, ValueError):
            url = f"mqtt://127.0.0.1:{int((_folder(settings) / 'port').read_text())}"
    if not url:
        raise BrokerError("the embedded broker does not run")
    secret = SecretStr(server_secret(settings))
    tours = retained_tours(Login(url, settings.broker_user, secret, SecretStr("")), region)
    first = min((tour.day for tour in tours if tour.day), default=None)
    oldest = datetime.combine(first, time(), UTC) if first else None
    about = ("broker: retained tours", "trucks that come late", rules.positions_days)
    return Kept.judged(*about, len(tours), oldest, now)


def _backups(settings: Settings, _region: str, rules: Retention, now: datetime) -> Kept:
    if settings.backup_dir is None:
        raise BinroundError("BINROUND_BACKUP_DIR names no folder")
    found = backups_in(settings.backup_dir)
    oldest = found[0].taken_at if found else None
    about = ("backups", "losses of the database", rules.backup_days)
    return Kept.judged(*about, len(found), oldest, now)


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "broker"
