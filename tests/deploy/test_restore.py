"""The restore drill, with the commands of docs/operations.md as they stand there."""

import asyncio
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.databases import database
from tests.support.files import CAMPAIGNS, csv_of, exactly, send
from tests.support.pages import ROOT, commands, run_as_written
from tests.support.running import running

OPERATIONS = "docs/operations.md"


async def fetch(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.fixture
def programs(postgres: str) -> None:
    """PostgreSQL's programs, not older than the server: older ones refuse to dump it."""
    if shutil.which("pg_dump") is None:
        pytest.skip("there is no pg_dump here")
    told = subprocess.run(["pg_dump", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.", told)
    server = int(asyncio.run(fetch(postgres, "SHOW server_version_num"))) // 10000
    if found is None or int(found[1]) < server:
        pytest.skip(f"pg_dump is older than the server: {told.strip()}, {server}")


@pytest.mark.usefixtures("programs")
def test_a_restored_database_has_the_numbers_of_the_backup_and_takes_what_is_sent_again(
    database_url: str, postgres: str, tmp_path: Path
) -> None:
    with running(tmp_path, "up", settings={"ADLEDGER_DATABASE_URL": database_url}) as lost, lost.http() as http:
        for name in ("campaigns.csv", "ad_groups.csv", "ad_group_stats.csv"):
            send(http, (ROOT / "data" / name).read_bytes())
        backed_up = exactly(http.get("/campaigns"))
        [backup] = commands(OPERATIONS, "### Backup")
        run_as_written(backup, tmp_path, {"ADLEDGER_DATABASE_URL": database_url})
        send(http, csv_of(CAMPAIGNS, "1,After the backup,"))
        epoch, latest = asyncio.run(fetch(database_url, "SELECT epoch FROM dataset")), exactly(http.get("/campaigns"))
    with database(postgres, "template0") as restored:
        for step in commands(OPERATIONS, "### Restore"):
            run_as_written(step, tmp_path, {"RESTORED": restored})
        assert asyncio.run(fetch(restored, "SELECT epoch FROM dataset")) != epoch
        with running(tmp_path, "up", settings={"ADLEDGER_DATABASE_URL": restored}) as back, back.http() as http:
            assert exactly(http.get("/campaigns")) == backed_up
            send(http, csv_of(CAMPAIGNS, "1,After the backup,"))
            assert exactly(http.get("/campaigns")) == latest
