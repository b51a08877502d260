"""The order of an upgrade: the code of before the latest migration works on the schema of now, beside that of now."""

import subprocess
import sys
import tarfile
import time
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from alembic.script import ScriptDirectory

from shared.database import alembic_config
from shared.topology import Topology
from tests.support.files import AD_GROUPS, CAMPAIGNS, STATS, csv_of, exactly, send
from tests.support.running import running

ROOT = Path(__file__).parents[2]
FILES = (
    csv_of(CAMPAIGNS, "1,Tents,SEARCH_STANDARD"),
    csv_of(AD_GROUPS, "10,Small tents,1"),
    csv_of(
        STATS, "2025-01-31,10,MOBILE,100,7,2,5.25", "2025-02-01,10,DESKTOP,50,3,0.5,2.75", "2025-02-01,10,TV,1,2,3,4"
    ),
)
EXPECTED = {
    "campaign_id": 1,
    "campaign_name": "Tents",
    "campaign_type": "SEARCH_STANDARD",
    "num_ad_groups": 1,
    "ad_group_names": ["Small tents"],
    "average_monthly_cost": 4,
    "average_cost_per_conversion": Decimal("3.2"),
}
PROCESSES = {"ingest": ("serve", "ingest"), "consumer": ("consume",), "query": ("serve", "query")}
NEW = ROOT
APPLIED_SECONDS = 60


def git(*command: str) -> str:
    return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code as it was right before the latest migration came, in a folder of its own."""
    head = ScriptDirectory.from_config(alembic_config()).get_revision("head")
    try:
        came = git("log", "-1", "--diff-filter=A", "--format=%H", "--", str(Path(head.path).relative_to(ROOT)))
        folder = tmp_path_factory.mktemp("old")
        git("archive", "--output", str(folder / "old.tar"), f"{came}^", "services", "shared")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the history of the repository is not here")
    with tarfile.open(folder / "old.tar") as archive:
        archive.extractall(folder, filter="data")
    assert not (folder / Path(head.path).relative_to(ROOT)).exists()
    if subprocess.run([sys.executable, "-c", "import services.cli"], cwd=folder, check=False).returncode != 0:
        pytest.skip("what the old code needs is not installed")
    return folder


@pytest.mark.parametrize(
    "renewed",
    [(), ("consumer",), ("consumer", "query"), ("consumer", "query", "ingest")],
    ids=["migrated", "then the consumers", "then query", "then ingest"],
)
def test_each_step_of_an_upgrade_takes_uploads_and_answers_right(
    renewed: tuple[str, ...], old: Path, database_url: str, rabbitmq: str, topology: Topology, tmp_path: Path
) -> None:
    settings = {
        "ADLEDGER_DATABASE_URL": database_url,
        "ADLEDGER_AMQP_URL": rabbitmq,
        "ADLEDGER_QUEUE_PREFIX": topology.prefix,
    }
    with ExitStack() as stack:
        started = {
            process: stack.enter_context(
                running(tmp_path, *command, settings=settings, code=NEW if process in renewed else old)
            )
            for process, command in PROCESSES.items()
        }
        writes, reads = (stack.enter_context(started[each].http()) for each in ("ingest", "query"))
        for content in FILES:
            applied(reads, send(writes, content)["id"])
        assert exactly(reads.get("/campaigns")) == [EXPECTED]
        renamed = writes.patch("/campaigns/1", json={"name": "Zelte"})
        assert renamed.status_code == 200, renamed.text
        assert exactly(reads.get("/campaigns")) == [EXPECTED | {"campaign_name": "Zelte"}]


def applied(reads: httpx.Client, upload_id: str) -> None:
    """Wait until an upload counts."""
    end, state = time.monotonic() + APPLIED_SECONDS, ""
    while state != "applied":
        assert time.monotonic() < end, f"the upload is {state or 'unknown'}"
        answer = reads.get(f"/uploads/{upload_id}")
        state = answer.json()["state"] if answer.is_success else ""
        time.sleep(0.1)
