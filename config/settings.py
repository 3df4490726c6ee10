"""Settings from the environment, prefix `BINROUND_`; read once and passed on as an argument."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import SettingsError
from config.source import Source, TlsFiles


def _default_data_dir() -> Path:
    return Path.home() / ".local" / "share" / "binround"


class Settings(BaseSettings):
    """Everything that is set from outside. Secrets come from the environment only."""

    model_config = SettingsConfigDict(env_prefix="BINROUND_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Folder for everything that is kept: database, broker, road graphs.",
    )
    region: str = Field(
        default="bielefeld",
        description="The region: a name that ships with binround, or a folder.",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="PostgreSQL or TimescaleDB address; empty starts the embedded database.",
    )
    broker_url: str = Field(
        default="",
        description="MQTT broker, mqtt://host:port or mqtts://host:port; empty starts the "
        "embedded broker.",
    )
    broker_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the embedded broker; 0 picks and keeps one."
    )
    broker_admin_url: str = Field(
        default="",
        description="Where a NATS of your own takes orders about its streams, nats://host:port; "
        "empty: nowhere, and their age is limited by hand.",
    )
    broker_user: str = Field(default="binround-server", description="Our own user at the broker.")
    broker_password: SecretStr = Field(
        default=SecretStr(""), description="Password of our own user at the broker."
    )
    backup_dir: Path | None = Field(
        default=None,
        description="Folder of backups in which the worker deletes those that have outlived "
        "their span; empty: none.",
    )
    broker_ca: Path | None = Field(
        default=None,
        description="Certificates of the authority that signed the broker's, for mqtts; empty: "
        "the system's.",
    )
    broker_cert: Path | None = Field(
        default=None, description="Our own certificate, for a broker with mutual TLS."
    )
    broker_key: Path | None = Field(default=None, description="The private key of it.")
    broker_split: Literal["broker", "devices", "shared"] = Field(
        default="broker",
        description="How several ingesters divide the messages: `broker` (NATS with our "
        "configuration), `devices` (topics by name) or `shared` ($share).",
    )
    clock: str = Field(
        default="real",
        description="`real`, or the path of a simulated day's clock file (the demo sets it).",
    )
    api_host: str = Field(
        default="127.0.0.1",
        description="Where the API listens; only loopback until an identity provider is set.",
    )
    api_port: int = Field(default=8050, ge=0, le=65535, description="Port of the API; 0 picks one.")
    oidc_issuer: str = Field(
        default="", description="Identity provider (OpenID Connect issuer); empty: none."
    )
    oidc_audience: str = Field(
        default="binround", description="Audience that access tokens have to be made out for."
    )
    osrm_url: str = Field(
        default="", description="A running osrm-routed; empty uses the embedded road engine."
    )
    plan_budget_s: float = Field(
        default=20.0, gt=0, description="Seconds the solver may search for one day's tours."
    )
    engines: str = Field(
        default="",
        description="Engines that plan, names separated by commas: `search` (our own), "
        "`plain-search` (the same in Python), `ortools`; empty: our own, polished by OR-Tools.",
    )
    solver_memory_mb: int = Field(
        default=2048, ge=256, description="Memory limit of the solver's process."
    )
    ingest_batch_rows: int = Field(
        default=1000, ge=1, description="Messages in one transaction at most."
    )
    ingest_linger_ms: int = Field(
        default=20, ge=0, description="How long a batch waits for more messages."
    )
    ingest_queue_messages: int = Field(
        default=10_000, ge=1, description="Messages held in memory before the socket is not read."
    )
    ingest_metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port on loopback for the ingester's metrics (Prometheus); 0: none.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="`text`, or `json`: one JSON object a line."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR."
    )

    @field_validator("broker_url", "broker_admin_url", "osrm_url")
    @classmethod
    def _without_password(cls, address: str) -> str:
        """Refuse a password where it would be shown: addresses stand in logs and messages."""
        if "@" in urlsplit(address).netloc:
            raise ValueError("an address holds no user and no password; leave them out")
        return address

    @field_validator("backup_dir", mode="before")
    @classmethod
    def _empty_is_none(cls, folder: Any) -> Any:
        """Take an empty path for none, not for the present folder."""
        return folder or None

    @property
    def embedded_database(self) -> bool:
        """Whether we start the database ourselves."""
        return not self.database_url.get_secret_value()

    @property
    def embedded_broker(self) -> bool:
        """Whether we start the broker ourselves."""
        return not self.broker_url

    @property
    def engine_names(self) -> tuple[str, ...]:
        """The engines that plan, by name; none: the usual ones."""
        return tuple(name.strip() for name in self.engines.split(",") if name.strip())

    @property
    def broker_tls(self) -> TlsFiles:
        """Files for a broker that speaks TLS."""
        return TlsFiles(self.broker_ca, self.broker_cert, self.broker_key)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Args:
        **overrides: values that win over the environment, e.g. from command-line options.

    Raises:
        SettingsError: a value cannot be used; the message names the variable.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [
            f"BINROUND_{'_'.join(str(part) for part in item['loc']).upper()}: "
            + item["msg"].removeprefix("Value error, ")
            for item in error.errors()
        ]
        raise SettingsError("; ".join(lines)) from None


def source_passwords(sources: Iterable[Source]) -> Mapping[str, SecretStr]:
    """Read the password of each source, by the source's id; empty where none is set."""
    return {source.id: SecretStr(os.environ.get(source.variable, "")) for source in sources}
