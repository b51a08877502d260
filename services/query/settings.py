"""The settings of the query service."""

from pydantic import Field

from shared.settings import DatabaseSettings, HttpSettings


class QuerySettings(HttpSettings, DatabaseSettings):
    """What the query service reads at its start."""

    port: int = Field(default=8002, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    cache_bytes: int = Field(default=64 * 2**20, ge=0, description="How many bytes of answers are kept in memory.")
