"""What docs/operations.md says about a lost broker and new passwords, done to the compose stack on a real engine."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.pages import commands, run_as_written
from tests.support.stack import Stack, compose_stack

OPERATIONS = "docs/operations.md"
PROJECT = "adledger-drills"
NEW = {"POSTGRES_PASSWORD": "new1", "READER_PASSWORD": "new2", "RABBITMQ_PASSWORD": "new3"}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with compose_stack(PROJECT) as started:
        yield started


def test_after_a_broker_lost_its_data_the_page_tells_what_to_send_again(stack: Stack, tmp_path: Path) -> None:
    before = stack.send("Before")
    assert stack.outcome(before) == "applied"
    stack.compose("stop", "consumer")
    queued = {stack.send(f"Queued {number}") for number in range(3)}
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    stack.run("docker", "volume", "rm", f"{PROJECT}_rabbitmq")
    stack.up("--no-recreate")
    after = stack.send("After")
    assert stack.outcome(after) == "applied", "a broker that came back empty is used as if nothing had happened"
    logged = stack.compose("logs", "--no-color", "--no-log-prefix", "ingest")
    (tmp_path / "ingest.log").write_text(logged)
    [look] = commands(OPERATIONS, "## What was accepted and is not there")
    told = run_as_written(look, tmp_path, {"ADLEDGER_URL": stack.url}).splitlines()
    assert {line.split()[0] for line in told} == queued
    assert {line.split()[1] for line in told} == {"gone"}
    again = {stack.send(f"Queued {number}") for number in range(3)}
    assert again == queued, "what is sent again keeps its id"
    assert {stack.outcome(each) for each in again} == {"applied"}


@contextmanager
def uploads_under_way(stack: Stack) -> Iterator[list[str]]:
    """Send small uploads one after the other, again where one was not accepted; yields the accepted ones' ids."""
    accepted: list[str] = []
    done = threading.Event()

    def send() -> None:
        number = 0
        while not done.is_set():
            try:
                accepted.append(stack.send(f"Under way {number}"))
                number += 1
            except (AssertionError, httpx.TransportError):
                time.sleep(0.2)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield accepted
    finally:
        done.set()
        sender.join()


def test_passwords_are_changed_while_uploads_run_and_none_is_lost(stack: Stack) -> None:
    processes = ("ingest", "consumer", "query")
    psql = ("exec", "-T", "postgres", "psql", "--username", "adledger", "--quiet", "--command")
    with uploads_under_way(stack) as accepted:
        stack.compose(*psql, f"ALTER ROLE adledger PASSWORD '{NEW['POSTGRES_PASSWORD']}'")
        stack.compose(*psql, f"ALTER ROLE adledger_reader PASSWORD '{NEW['READER_PASSWORD']}'")
        rabbitmqctl = ("exec", "-T", "rabbitmq", "rabbitmqctl", "--quiet")
        stack.compose(*rabbitmqctl, "change_password", "adledger", NEW["RABBITMQ_PASSWORD"])
        between = len(accepted)
        stack.up("--no-deps", *processes, **NEW)
        renewed = len(accepted)
        while len(accepted) < renewed + 5:
            time.sleep(0.2)
    assert {stack.outcome(each) for each in accepted} == {"applied"}
    assert renewed >= between
    for process, password in (("consumer", "new1"), ("query", "new2"), ("ingest", "new3")):
        assert password in stack.inspect(process, "{{.Config.Env}}")
    with pytest.raises(AssertionError, match="invalid credentials"):
        stack.compose(*rabbitmqctl, "authenticate_user", "adledger", "adledger")
    old = "postgresql://adledger:adledger@postgres/adledger"
    with pytest.raises(AssertionError, match="password authentication failed"):
        stack.compose("exec", "-T", "postgres", "psql", old, "--command", "SELECT 1")
