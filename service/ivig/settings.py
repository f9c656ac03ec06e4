"""Settings from the environment, each with the prefix `IVIG_`. Nothing needs setting to begin with."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "IVIG_"


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

    @property
    def zone(self) -> tzinfo:
        return zone_of(self.timezone)

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
    return f"{name}={error['input']}: {error['msg'].removeprefix('Value error, ')}"


def listed(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Name, value, default and meaning of every setting."""
    return [
        (PREFIX + name.upper(), str(getattr(settings, name)), str(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
