"""Faults of PostgreSQL: stopped, cut off in the middle of things, locked by others, full."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from shared.database import APPLIERS_LOCK
from tests.faults.acts.processes import reaches
from tests.faults.filters import BEGIN, COMMITTED, cut_at
from tests.faults.scenario import Act, expect
from tests.faults.stage import Stage

DATABASE = "database"
WAITING = """
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


async def stopped(stage: Stage) -> None:
    """The database stops at once, as in a power cut, and comes back."""
    await asyncio.sleep(stage.chance.uniform(0.1, 2))
    await _restart(stage, stage.chance.uniform(0, 3))


async def _restart(stage: Stage, pause: float) -> None:
    stage.history.note("stop", process="database")
    await asyncio.to_thread(stage.postgres.stop_at_once)
    await asyncio.sleep(pause)
    await asyncio.to_thread(stage.postgres.start_again)


def stopped_at(point: str) -> Act:
    """The database stops at once while a consumer stands at a place in the code."""

    async def act(stage: Stage) -> None:
        await reaches(stage, stage.fleet.named("consumer")[0], point, "sleep")
        await _restart(stage, 0.5)

    return act


async def stopped_idle(stage: Stage) -> None:
    """The database stops at once while nobody asks it for anything."""
    await _restart(stage, 1)


async def restarted_fast(stage: Stage) -> None:
    """The database is restarted as operators do, which ends every connection."""
    await asyncio.to_thread(stage.postgres.stop_fast)
    await asyncio.to_thread(stage.postgres.start_again)


def backends_ended(limit: int, times: int) -> Act:
    """Some or all connections to the database are ended, the busy ones first."""

    async def act(stage: Stage) -> None:
        for _ in range(times):
            await asyncio.sleep(stage.chance.uniform(0.1, 0.8))
            stage.history.note("ended", backends=await stage.postgres.end_backends(limit))

    return act


def commit_unanswered(nth: int) -> Act:
    """The answer to a COMMIT of a consumer is lost with its connection, four times."""

    async def act(stage: Stage) -> None:
        for _ in range(4):
            for way in stage.network.to(DATABASE, "consumer"):
                way.rob(down=cut_at(COMMITTED, stage.chance.randint(1, nth)))
            await asyncio.sleep(0.7)

    return act


async def silent_after_begin(stage: Stage) -> None:
    """A consumer's connections fall silent as soon as one has begun a transaction; then they break."""
    (way,) = stage.network.to(DATABASE, "consumer-1")
    way.rob(up=cut_at(BEGIN, held=way.down))
    await asyncio.sleep(8 * stage.patience)
    way.reset()
    way.heal()


async def swallowed(stage: Stage) -> None:
    """Whatever the consumers ask of the database, and its answers, is swallowed; then the ways are free again."""
    ways = stage.network.to(DATABASE, "consumer")
    for way in ways:
        way.lose()
    await asyncio.sleep(6 * stage.patience)
    for way in ways:
        way.heal()


async def silent_database(stage: Stage) -> None:
    """The database takes connections and says nothing, to those that are open and to new ones."""
    ways = stage.network.to(DATABASE)
    for way in ways:
        way.reset()
        way.hold()
    await asyncio.sleep(8 * stage.patience)
    for way in ways:
        way.heal()


async def far_away(stage: Stage) -> None:
    """Every packet to and from the database takes 100 ms."""
    for way in stage.network.to(DATABASE):
        way.slow(delay=0.1)
    await asyncio.sleep(5)


@asynccontextmanager
async def _stranger(stage: Stage, *statements: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a session of somebody else that has run these statements in a transaction."""
    async with stage.connected() as connection:
        transaction = connection.transaction()
        await transaction.start()
        # Whoever waits in a circle with the stranger is ended, not the stranger.
        await connection.execute("SET LOCAL deadlock_timeout = '1h'")
        for statement in statements:
            await connection.execute(statement)
        try:
            yield connection
        finally:
            with contextlib.suppress(asyncpg.PostgresError):
                await transaction.rollback()


async def rows_locked(stage: Stage) -> None:
    """Somebody else holds locks on every row that is to be folded, and leaves."""
    await asyncio.sleep(1)
    async with _stranger(stage, "SELECT FROM ad_group_stat FOR UPDATE", "SELECT FROM campaign_day FOR UPDATE"):
        await asyncio.sleep(6 if stage.patience == 1 else 30)


async def table_locked(stage: Stage) -> None:
    """Somebody else locks the ledger against all, as a careless migration does, and leaves."""
    async with _stranger(stage, "LOCK TABLE stat_entry, attempt IN ACCESS EXCLUSIVE MODE"):
        await asyncio.sleep(5 if stage.patience == 1 else 30)


async def deadlocked(stage: Stage) -> None:
    """Somebody else holds rows that a fold waits for, and asks for the appliers' lock: PostgreSQL ends the fold."""
    rows = "SELECT FROM ad_group_stat FOR UPDATE"
    async with _stranger(stage, rows) as session, stage.connected() as observer:
        for _ in range(600):
            if await observer.fetchval(WAITING):
                break
            await asyncio.sleep(0.05)
        await asyncio.wait_for(session.execute(f"SELECT pg_advisory_xact_lock({APPLIERS_LOCK})"), 30)
        # Statistics are told at the end of a transaction, and at most once a second.
        await asyncio.sleep(1.5)
        expect(stage, await observer.fetchval(DEADLOCKS), "a deadlock")


async def disk_full(stage: Stage) -> None:
    """Every COPY into the ledger fails as on a full disk, for a while."""
    async with stage.connected() as connection:
        await connection.execute("""
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
            END $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON stat_entry EXECUTE FUNCTION full_disk();
        """)
        await asyncio.sleep(4)
        await connection.execute("DROP TRIGGER full_disk ON stat_entry; DROP FUNCTION full_disk()")
