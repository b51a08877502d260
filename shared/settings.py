"""Settings that more than one process reads; each process's own class adds to these.

Every setting is an environment variable with the prefix `ADLEDGER_`, or a file of that name in the folder
that `ADLEDGER_SECRETS_DIR` names, and is read when the class is constructed, never at import.
"""

import os
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override


class Settings(BaseSettings):
    """The frozen base of all settings classes."""

    model_config = SettingsConfigDict(env_prefix="ADLEDGER_", frozen=True, extra="ignore", case_sensitive=False)

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, first wins: arguments, environment, secret files."""
        secrets = SecretsSettingsSource(settings_cls, secrets_dir=os.environ.get("ADLEDGER_SECRETS_DIR"))
        return init_settings, env_settings, secrets


class HttpSettings(Settings):
    """Where a process listens."""

    host: str = Field(default="127.0.0.1", description="The address to listen on.")


class BrokerSettings(Settings):
    """How to reach RabbitMQ."""

    amqp_url: SecretStr = Field(
        default=SecretStr(""),
        description="RabbitMQ's address, `amqp://user:password@host:5672/vhost`; empty: the inline transport.",
    )
    queue_prefix: str = Field(default="adledger", description="What the names of the queues begin with.")


class DatabaseSettings(Settings):
    """How to reach PostgreSQL."""

    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="PostgreSQL's address, `postgresql://user:password@host:5432/name?sslmode=require`; "
        "empty: the embedded PostgreSQL, where it is installed.",
    )


class ApplySettings(DatabaseSettings):
    """How uploads are applied, by whichever process does it."""

    currency: str = Field(
        default="",
        pattern="^([A-Z]{3})?$",
        description="The one currency of all data, as its ISO 4217 code; empty: that of the first applied file that "
        "states one.",
    )


def default_data_dir() -> Path:
    """Return where data lives unless `ADLEDGER_DATA_DIR` says otherwise: `.adledger` in the home directory."""
    return Path.home() / ".adledger"
