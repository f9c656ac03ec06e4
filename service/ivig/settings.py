"""Settings from the environment, each with the prefix `IVIG_`. Nothing needs setting to begin with."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "IVIG_"
# Of an address: what stands between `scheme://user:` and the last @ before the path.
_PASSWORD = re.compile(r"(://[^/@:]*:).*@")


class SettingsFault(Exception):
    """A setting cannot be used; one line for each."""


def zone_of(name: str) -> tzinfo:
    """The time zone of this name.

    Raises:
        ValueError: there is none.
    """
    if name == "UTC":  # also on a machine without a zone database
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no known time zone; write it like Europe/Berlin, America/New_York or UTC") from None


def _zone_name(name: str) -> str:
    zone_of(name)
    return name


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, text.split(",")) if part)


class Settings(BaseSettings):
    """What a site can set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    policy: Annotated[
        str,
        Field(
            description="the policy to judge by: us-default, uk, australia, ontario, or the path of a page of your own"
        ),
    ] = "us-default"
    timezone: Annotated[
        str, AfterValidator(_zone_name), Field(description="the time zone of orders that state no offset")
    ] = "UTC"
    max_body_mb: Annotated[int, Field(ge=1, le=1024, description="the largest request body, in MiB")] = 16
    auth: Annotated[
        Literal["on", "off"],
        Field(description="off takes CDS Hooks calls without a token: for development only, and says so at start-up"),
    ] = "on"
    clients: Annotated[
        str, Field(description="the YAML page of the CDS Hooks clients: who may call, with which keys; see README")
    ] = ""
    public_base_url: Annotated[
        str,
        Field(description="the address clients call, such as https://ivig.example.org; else the one a call came to"),
    ] = ""
    fhir_servers: Annotated[
        str,
        Field(
            description="FHIR bases that may be asked for what a call lacks, with commas; a client's page may add its own"
        ),
    ] = ""
    private_addresses: Annotated[
        Literal["refused", "allowed"],
        Field(description="whether FHIR servers and key sets may lie at private addresses, and be called without TLS"),
    ] = "refused"
    fetch_deadline_ms: Annotated[
        int,
        Field(ge=0, le=10_000, description="how long a call waits for all that is fetched together; 0 fetches nothing"),
    ] = 400
    data_dir: Annotated[str, Field(description="where the journal, the embedded store and its key lie")] = str(
        Path("~/.local/state/ivig-order-check").expanduser()
    )
    database_url: Annotated[
        str,
        Field(
            description="the store of what was shown, such as postgresql+asyncpg://user@host/name; else SQLite in the data directory"
        ),
    ] = ""
    retention_days: Annotated[
        int, Field(ge=1, le=36_500, description="how long the store keeps what was shown and what became of it")
    ] = 400
    hash_key: Annotated[
        SecretStr,
        Field(description="the key of the hashes of patients and users; else one is made in the data directory"),
    ] = SecretStr("")
    keep_free_text: Annotated[
        bool, Field(description="whether the store keeps the comments that users write when they override")
    ] = False
    calls_per_minute: Annotated[
        int,
        Field(ge=0, le=10_000_000, description="how many calls of one client are taken in a minute; 0 for no limit"),
    ] = 6_000
    cors_origins: Annotated[
        str, Field(description="origins of browser clients that may call, with commas; none by default")
    ] = ""

    @property
    def zone(self) -> tzinfo:
        return zone_of(self.timezone)

    @property
    def listed_fhir_servers(self) -> tuple[str, ...]:
        return _split(self.fhir_servers)

    @property
    def listed_cors_origins(self) -> tuple[str, ...]:
        return _split(self.cors_origins)

    @property
    def max_body(self) -> int:
        """The largest request body in bytes."""
        return self.max_body_mb * 1024 * 1024


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsFault: names every setting that cannot be used, its value and why.
    """
    try:
        return Settings()
    except ValidationError as fault:
        raise SettingsFault("\n".join(_line(error) for error in fault.errors())) from None


def _line(error: ErrorDetails) -> str:
    name = PREFIX + "_".join(map(str, error["loc"])).upper()
    return f"{name}={_shown(error['input'])}: {error['msg'].removeprefix('Value error, ')}"


def listed(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Name, value, default and meaning of every setting; no key and no password."""
    return [
        (PREFIX + name.upper(), _shown(getattr(settings, name)), _shown(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def _shown(value: object) -> str:
    return _PASSWORD.sub(r"\1***@", str(value))
