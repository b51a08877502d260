"""The schema: up, down, up again, and no difference from what the code says."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer.applier import lock
from services.processes import migrate
from shared.database import (
    AHEAD_LOCK,
    APPLIERS_LOCK,
    SchemaOutdatedError,
    alembic_config,
    check_schema,
    create_writer,
)
from tests.support.databases import database
from tests.support.running import running
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


def test_every_revision_can_be_undone_and_done_again(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    for revision in revisions:
        command.upgrade(config, revision.revision)
        command.downgrade(config, "-1")
        command.upgrade(config, revision.revision)
    command.downgrade(config, "base")
    command.upgrade(config, "head")


def test_the_migrated_schema_is_the_one_the_code_describes(database_url: str) -> None:
    command.check(alembic_config(database_url))


def test_plain_alembic_works_from_the_root(empty_database_url: str) -> None:
    alembic = Path(sys.executable).with_name("alembic")
    environment = {"ADLEDGER_DATABASE_URL": empty_database_url, "PATH": "/usr/bin:/bin"}
    subprocess.run([alembic, "upgrade", "head"], cwd=ROOT, env=environment, check=True, capture_output=True)
    command.check(alembic_config(empty_database_url))


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    command.check(alembic_config(database_url))


def test_a_database_of_another_encoding_is_refused_with_the_statement_that_makes_a_right_one(postgres: str) -> None:
    refused = pytest.raises(SystemExit, match=r"encoding is SQL_ASCII.*\n.*ENCODING 'UTF8'")
    with database(postgres, "template0 ENCODING 'SQL_ASCII' LOCALE 'C'") as url, refused:
        migrate(url)


@pytest.mark.anyio
async def test_an_empty_database_is_refused_with_the_command_that_mends_it(empty_database_url: str) -> None:
    engine = create_writer(empty_database_url)
    async with engine.connect() as connection:
        with pytest.raises(SchemaOutdatedError, match="adledger migrate"):
            await check_schema(connection)
    await engine.dispose()


@pytest.mark.anyio
async def test_a_migrated_database_is_accepted(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await check_schema(connection)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "working",
    [f"pg_advisory_xact_lock({APPLIERS_LOCK})", f"pg_advisory_xact_lock_shared({AHEAD_LOCK})"],
    ids=["applies", "writes ahead"],
)
async def test_reads_go_on_while_a_migration_waits_for_one_that(
    working: str, engine: AsyncEngine, database_url: str
) -> None:
    await asyncio.to_thread(command.downgrade, alembic_config(database_url), "-1")
    async with engine.connect() as applying, engine.connect() as reading:
        await applying.execute(text(f"SELECT {working}"))
        await applying.execute(text("SELECT * FROM dataset"))
        migrating = asyncio.create_task(asyncio.to_thread(migrate, database_url))
        await eventually(lambda: _is_waiting(engine))
        await reading.execute(text("SET lock_timeout = '1s'"))
        await reading.execute(text("SELECT version FROM dataset"))
        await reading.rollback()
        await applying.rollback()
        await migrating
    await asyncio.to_thread(command.check, alembic_config(database_url))


@pytest.mark.anyio
async def test_where_nothing_is_to_be_migrated_no_applier_is_waited_for(engine: AsyncEngine, database_url: str) -> None:
    async with engine.connect() as applying:
        await lock(applying)
        async with asyncio.timeout(15):
            await asyncio.to_thread(migrate, database_url)


async def _is_waiting(engine: AsyncEngine) -> bool:
    """Tell whether anybody waits for a lock of the database."""
    waiting = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with engine.connect() as connection:
        return bool(await connection.scalar(text(f"SELECT EXISTS (SELECT {waiting})")))


@pytest.mark.parametrize("process", [("serve", "query"), ("serve", "ingest"), ("consume",)])
def test_a_process_refuses_to_start_on_an_old_schema(
    process: tuple[str, ...], empty_database_url: str, tmp_path: Path
) -> None:
    settings = {"ADLEDGER_DATABASE_URL": empty_database_url}
    if process == ("consume",):
        settings["ADLEDGER_AMQP_URL"] = "amqp://guest:guest@127.0.0.1:1/"
    with running(tmp_path, *process, settings=settings, ready=False) as started:
        assert started.process.wait(20) == 2
    assert "Run: adledger migrate" in started.log.read_text()
    assert "Traceback" not in started.log.read_text()


@pytest.mark.anyio
async def test_a_schema_newer_than_the_code_is_accepted(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await check_schema(connection)
