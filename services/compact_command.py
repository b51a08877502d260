"""`adledger compact`: fold old uploads into a base, so that the ledger takes less space."""

import asyncio
from datetime import UTC, datetime

import rich_click as click
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from services.client_commands import REFUSED, UNREACHABLE, stop
from services.ingest.consumer.compacting import CompactionError, compact, try_out
from services.processes import ConfigurationError, database_url
from shared.database import SchemaOutdatedError, check_schema, create_writer, is_connection_lost
from shared.settings import ApplySettings


@click.command("compact")
@click.option(
    "--before",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="Fold what was received before this day (UTC).",
)
@click.option("--dry-run", is_flag=True, help="Do it, say what came of it, and take it back.")
def compact_command(before: datetime, *, dry_run: bool) -> None:
    """Fold old uploads into a base, in the database at ADLEDGER_DATABASE_URL; no number changes.

    The ledger keeps what every upload says about every key. Of uploads that were received before the day it keeps
    from then on only what they say together. So they can no longer be taken back or mended: that is final. Files that
    were received earlier and are still on their way will fail, with the advice to send them again; choose a day that
    is long enough ago.

    While it runs, uploads are accepted and wait, and reads go on.
    """
    try:
        asyncio.run(_compact(before.replace(tzinfo=UTC), dry_run=dry_run))
    except ValidationError as error:
        stop(str(error.errors()[0]["msg"]), REFUSED)
    except (ConfigurationError, SchemaOutdatedError, CompactionError) as error:
        stop(str(error), REFUSED)
    except (OSError, SQLAlchemyError) as error:
        if not is_connection_lost(error):
            raise
        stop(f"The database does not answer: {error}", UNREACHABLE)


async def _compact(before: datetime, *, dry_run: bool) -> None:
    settings = ApplySettings()
    if before > datetime.now(UTC):
        raise CompactionError("Give a day that has begun: what is yet to come cannot be folded.")
    engine = create_writer(database_url(settings))
    try:
        async with engine.connect() as connection:
            await check_schema(connection)
        work = try_out if dry_run else compact
        await work(engine, before, settings.currency or None, click.echo)
    finally:
        await engine.dispose()
    if dry_run:
        click.echo("Nothing was changed.")
