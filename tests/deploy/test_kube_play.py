"""The local overlay, run: each of its pods by podman, on a real engine, with its own user, root, mounts and limits."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.support.manifests import Manifest, Manifests, name, of_kind, pod, quantity, workloads
from tests.support.podman import Podman, container_of, podman
from tests.support.rendering import K8S, ROOT, render
from tests.support.running import free_port
from tests.support.stack import NAMES

RUNNER = "adledger-kube-play"
PROCESSES = ("ingest", "consumer", "query", "gateway")
IMAGES = ("migrate", "ingest", "consumer", "query")
SECONDS = 120

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Cluster:
    """The overlay while it runs."""

    podman: Podman
    manifests: Manifests
    url: str

    def play(self, kind: str) -> None:
        """Run what is of a kind, with the files it mounts."""
        self.podman.play(of_kind(self.manifests, "Secret", "ConfigMap", kind))

    def workload(self, process: str) -> Manifest:
        return next(each for each in workloads(self.manifests) if name(each) == process)

    def wait(self, what: str, done: Callable[[Manifest], bool]) -> None:
        """Wait until something is true of a workload."""
        workload = self.workload(what)
        end = time.monotonic() + SECONDS
        while not done(workload):
            assert time.monotonic() < end, f"{what}: {self.podman.run('podman', 'logs', container_of(workload))}"
            time.sleep(1)

    def is_ready(self, workload: Manifest) -> bool:
        return self.podman.answers(workload, "readinessProbe")

    def is_done(self, workload: Manifest) -> bool:
        state = self.podman.state(workload)["State"]
        return (state["Status"], state["ExitCode"]) == ("exited", 0)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """The overlay, begun in the order in which its parts need each other: servers, migration, processes."""
    if "ADLEDGER_VERIFY_DEPLOY" not in os.environ:
        pytest.skip("slow: run make verify-deploy")
    if shutil.which("docker") is None:
        pytest.skip("there is no docker here")
    manifests = render(K8S / "overlays" / "local")
    for target in IMAGES:
        build = ["docker", "build", "--quiet", "--target", target, "--tag", f"adledger-{target}:local", ROOT]
        subprocess.run(build, check=True, capture_output=True)
    port = free_port()
    with podman(RUNNER, port, "postgres", "rabbitmq", "ingest", "query") as started:
        started.load({each["image"] for workload in workloads(manifests) for each in pod(workload)["containers"]})
        running = Cluster(started, manifests, f"http://127.0.0.1:{port}")
        running.play("StatefulSet")
        for server in ("postgres", "rabbitmq"):
            running.wait(server, running.is_ready)
        running.play("Job")
        running.wait("migrate", running.is_done)
        running.play("Deployment")
        for process in PROCESSES:
            running.wait(process, running.is_ready)
        yield running


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_every_probe_gets_its_answer(cluster: Cluster, process: str, probe: str) -> None:
    assert cluster.podman.answers(cluster.workload(process), probe)


def test_the_sample_data_go_in_and_the_smoke_test_passes(cluster: Cluster) -> None:
    upload = [sys.executable, "-m", "services.cli", "upload", "--url", cluster.url, "--timeout", "120"]
    sample = [ROOT / "data" / each for each in NAMES]
    assert subprocess.run([*upload, *sample], check=False).returncode == 1, "the sample has rows to reject"
    environment = os.environ | {"ADLEDGER_URL": cluster.url}
    command = [sys.executable, "-m", "pytest", "-q", ROOT / "tests" / "api"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("process", PROCESSES)
def test_a_pod_has_the_user_the_root_and_the_memory_that_its_manifest_says(cluster: Cluster, process: str) -> None:
    workload = cluster.workload(process)
    found = cluster.podman.state(workload)
    assert cluster.podman.run("podman", "exec", container_of(workload), "id", "-u").strip() == "10001"
    assert found["HostConfig"]["ReadonlyRootfs"]
    assert not found["EffectiveCaps"]
    assert found["HostConfig"]["Memory"] == quantity(pod(workload)["containers"][0]["resources"]["limits"]["memory"])


def test_a_consumer_that_is_stopped_ends_cleanly_and_nothing_it_was_to_take_is_lost(cluster: Cluster) -> None:
    consumer = container_of(cluster.workload("consumer"))
    cluster.podman.run("podman", "stop", "--time", "60", consumer)
    assert cluster.is_done(cluster.workload("consumer"))
    content = "campaign_id,campaign_name\n77,Sent while no consumer ran\n"
    accepted = httpx.post(f"{cluster.url}/uploads", content=content, timeout=30).json()["uploads"][0]["id"]
    cluster.podman.run("podman", "start", consumer)
    end, state = time.monotonic() + SECONDS, ""
    while state != "applied":
        assert time.monotonic() < end, f"the upload is {state or 'unknown'}"
        answer = httpx.get(f"{cluster.url}/uploads/{accepted}", timeout=30)
        state = answer.json()["state"] if answer.is_success else ""
        time.sleep(0.5)
