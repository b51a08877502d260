"""The inline transport while the database takes everything but rows."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer.applier import Applier
from services.local import InlineTransport
from shared.messages import Kind
from shared.transport import TransportUnavailableError
from tests.support.uploads import batches

pytestmark = pytest.mark.anyio

REFUSE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
"""
TRIGGER = "CREATE TRIGGER refusing BEFORE INSERT ON stat_entry EXECUTE FUNCTION refuse()"
ROW = (1, date(2026, 1, 1), 1, 10, 1, 0, 1_500_000)


async def test_a_full_disk_of_the_database_is_said_to_pass_and_then_the_same_upload_is_taken(
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        for statement in (REFUSE, TRIGGER):
            await connection.execute(text(statement))
    transport = InlineTransport(engine, Applier(engine))
    sent = batches(Kind.AD_GROUP_STATS, [ROW], datetime(2026, 1, 31, tzinfo=UTC))
    with pytest.raises(TransportUnavailableError):
        await transport.publish(sent)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TRIGGER refusing ON stat_entry"))
    assert await transport.publish(sent) == "applied"
