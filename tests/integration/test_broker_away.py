"""Without its broker the ingest API says so, in bounded time, and works again when the broker is back."""

import time
from pathlib import Path

from shared.topology import Topology
from tests.support.running import running, wait_for

CSV = b"campaign_id,campaign_name\n1,Tents\n"
BOUND_SECONDS = 20


def test_an_upload_without_a_broker_is_a_503_that_says_when_to_try_again(tmp_path: Path) -> None:
    settings = {"ADLEDGER_AMQP_URL": "amqp://guest:guest@127.0.0.1:1/"}
    with running(tmp_path, "serve", "ingest", settings=settings, ready=False) as ingest, ingest.http() as http:
        wait_for(ingest, "/health/live")
        assert http.get("/health/ready").status_code == 503
        begun = time.monotonic()
        answers = [
            http.post("/uploads", content=CSV),
            http.patch("/campaigns/1", json={"name": "Boots"}),
            http.delete("/uploads/0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11"),
        ]
        assert time.monotonic() - begun < 3 * BOUND_SECONDS
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0
        assert "again" in answer.json()["detail"]


def test_nothing_stays_on_disk_of_an_upload_that_could_not_be_sent(tmp_path: Path) -> None:
    settings = {"ADLEDGER_AMQP_URL": "amqp://guest:guest@127.0.0.1:1/"}
    with running(tmp_path, "serve", "ingest", settings=settings, ready=False) as ingest, ingest.http() as http:
        wait_for(ingest, "/health/live")
        assert http.post("/uploads", content=CSV).status_code == 503
        spooled = [path for path in (tmp_path / "data" / "spool").rglob("*") if path.is_file()]
        assert {path.name for path in spooled} <= {"lock", ".lock"}


def test_separate_processes_are_ready_within_seconds(
    database_url: str, rabbitmq: str, topology: Topology, tmp_path: Path
) -> None:
    settings = {
        "ADLEDGER_DATABASE_URL": database_url,
        "ADLEDGER_AMQP_URL": rabbitmq,
        "ADLEDGER_QUEUE_PREFIX": topology.prefix,
    }
    for process in (("serve", "query"), ("serve", "ingest"), ("consume",)):
        with running(tmp_path, *process, settings=settings) as started:
            assert started.stop() == 0
            assert "Traceback" not in started.log.read_text()
