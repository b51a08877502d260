"""The compose stack on a real engine: right numbers, a kill of each container, more consumers, and nothing left.

Takes minutes and builds images, so it runs where it is asked for: `make verify-deploy`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.stack import ROOT, Stack, compose_stack

SEED = ROOT.parent / "shared" / "seed-data"
PROJECT = "adledger-verify"
SERVICES = ("gateway", "query", "ingest", "consumer", "rabbitmq", "postgres")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with compose_stack(PROJECT) as started:
        yield started


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The customer's files where they are beside the project, else other numbers than the sample's under its keys."""
    if SEED.exists():
        return SEED
    folder = tmp_path_factory.mktemp("seed")
    (folder / "campaigns.csv").write_text("campaign_id,campaign_name,campaign_type\n7,Seven,SEARCH_STANDARD\n")
    (folder / "ad_groups.csv").write_text("ad_group_id,ad_group_name,campaign_id\n70,Seventy,7\n")
    (folder / "ad_group_stats.csv").write_text(
        "date,ad_group_id,device,impressions,clicks,conversions,cost\n2024-01-05,70,MOBILE,10,3,2,1.5\n"
    )
    return folder


def test_the_sample_data_and_the_seed_come_back_as_the_right_numbers(stack: Stack, seed: Path) -> None:
    assert stack.upload(ROOT / "data") == 1, "the sample has rows to reject"
    assert stack.upload(seed) == 0
    stack.holds(seed)


def test_the_smoke_test_passes(stack: Stack) -> None:
    environment = os.environ | {"ADLEDGER_URL": stack.url}
    command = [sys.executable, "-m", "pytest", "-q", ROOT / "tests" / "api"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_the_gateway_is_reached_from_outside_and_only_from_this_machine(stack: Stack) -> None:
    published = {service: stack.inspect(service, "{{json .HostConfig.PortBindings}}") for service in SERVICES}
    assert json.loads(published.pop("gateway"))["8000/tcp"][0]["HostIp"] == "127.0.0.1"
    assert {bindings for bindings in published.values() if bindings != "null"} <= {"{}"}


@pytest.mark.parametrize("service", ["ingest", "consumer", "query", "gateway"])
def test_a_process_is_not_root_writes_nowhere_and_has_no_capability(stack: Stack, service: str) -> None:
    assert stack.inspect(service, "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}") == "true [ALL]"
    assert stack.compose("exec", "-T", service, "id", "-u").strip() in {"10001", "65534"}


def test_ingest_does_not_reach_the_database_nor_query_the_broker(stack: Stack) -> None:
    look = "import socket, sys; sys.exit(0 if any(socket.getaddrinfo(sys.argv[1], None)) else 1)"
    for service, host in (("ingest", "postgres"), ("query", "rabbitmq")):
        with pytest.raises(AssertionError, match="gaierror"):
            stack.compose("exec", "-T", service, "python", "-c", look, host)


def test_an_image_reads_its_settings_from_mounted_files(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "ADLEDGER_DATABASE_URL").write_text("postgresql://adledger:adledger@postgres:5432/adledger\n")
    tmp_path.chmod(0o755)
    network = ("--network", f"{PROJECT}_database", "--read-only", "--cap-drop", "ALL")
    secrets = (
        "--volume",
        f"{tmp_path}:/run/secrets/adledger:ro",
        "--env",
        "ADLEDGER_SECRETS_DIR=/run/secrets/adledger",
    )
    assert "up to date" in stack.run("docker", "run", "--rm", *network, *secrets, "adledger-migrate")


def test_the_gateway_of_kubernetes_is_understood_by_nginx(stack: Stack) -> None:
    gateway = ROOT / "deploy" / "k8s" / "components" / "ingress" / "gateway.conf"
    hosts = ("--add-host", "ingest:127.0.0.1", "--add-host", "query:127.0.0.1", "--user", "10001:10001")
    image = stack.inspect("gateway", "{{.Config.Image}}")
    mounted = ("--volume", f"{gateway}:/etc/adledger/gateway.conf:ro")
    command = ("nginx", "-t", "-c", "/etc/adledger/gateway.conf")
    stack.run("docker", "run", "--rm", "--entrypoint", "", *hosts, *mounted, image, *command)


@pytest.mark.parametrize("service", SERVICES)
def test_what_was_accepted_before_a_container_is_killed_counts_when_it_is_back(
    stack: Stack, seed: Path, service: str
) -> None:
    accepted = [stack.send(f"{service} {number}") for number in range(5)]
    stack.crash(service)
    end = time.monotonic() + 90
    while stack.health(service) != "healthy" and time.monotonic() < end:
        time.sleep(0.5)
    stack.up("--no-recreate")
    assert [stack.outcome(each) for each in accepted] == ["applied"] * 5
    assert {f"{service} {number}" for number in range(5)} <= {each["campaign_name"] for each in stack.get("/campaigns")}
    assert stack.upload(seed) == 0
    stack.holds(seed)


def test_consumers_come_and_go_while_uploads_run(stack: Stack, seed: Path) -> None:
    with ThreadPoolExecutor() as pool:
        uploads = pool.submit(lambda: [stack.upload(folder) for folder in [ROOT / "data", seed] * 5])
        stack.up("--no-recreate", "--scale", "consumer=3")
        assert len(stack.compose("ps", "--quiet", "consumer").split()) == 3
        stack.up("--no-recreate", "--scale", "consumer=1")
        assert uploads.result() == [1, 0] * 5
    stack.holds(seed)


def test_sigterm_ends_each_process_cleanly_within_its_grace(stack: Stack, seed: Path) -> None:
    start = time.monotonic()
    stack.compose("stop")
    assert time.monotonic() - start < 60
    processes = ("ingest", "consumer", "query", "gateway")
    assert {each: stack.inspect(each, "{{.State.ExitCode}}") for each in processes} == dict.fromkeys(processes, "0")
    stack.up("--no-recreate")
    stack.holds(seed)


def test_volumes_keep_the_data_and_down_with_volumes_leaves_nothing(stack: Stack, seed: Path) -> None:
    stack.compose("down")
    stack.up()
    stack.holds(seed)
    stack.compose("down", "--volumes")
    label = f"label=com.docker.compose.project={PROJECT}"
    for kind in (("ps", "--all"), ("volume", "ls"), ("network", "ls")):
        assert stack.run("docker", *kind, "--quiet", "--filter", label) == ""
