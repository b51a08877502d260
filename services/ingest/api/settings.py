"""The settings of the ingest API."""

from pathlib import Path

from pydantic import Field

from shared.settings import BrokerSettings, HttpSettings, default_data_dir


class IngestSettings(HttpSettings, BrokerSettings):
    """What the ingest API reads at its start."""

    port: int = Field(default=8001, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Where uploads are kept on disk while they are read; may be shared by processes.",
    )
    max_upload_bytes: int = Field(default=4 * 2**30, gt=0, description="The most an upload may hold, unpacked.")
    parse_memory: str = Field(default="160MB", description="How much memory reading files may take; more spills.")
    sender_header: str = Field(
        default="X-Forwarded-User",
        description="The header in which a gateway says who sends; where it is absent, the address is kept.",
    )
