"""The settings of the consumer."""

from pydantic import Field

from shared.settings import ApplySettings, BrokerSettings, HttpSettings


class ConsumerSettings(HttpSettings, BrokerSettings, ApplySettings):
    """What the consumer reads at its start."""

    port: int = Field(default=8003, ge=0, le=65535, description="The port of health and metrics; 0: any free one.")
    abandon_minutes: float = Field(
        default=15.0,
        gt=0,
        description="After how long an upload whose sender went away is given up.",
    )
    prefetch: int = Field(default=4, ge=1, le=100, description="How many batches are taken from the queue at once.")
