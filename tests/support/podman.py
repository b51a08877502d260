"""Podman in a container, to run manifests with: a cluster of one machine without a cluster.

What podman does not do is translated here: a StatefulSet becomes a Deployment with its claims, a volume gets a name of
its pod's own, and files of secrets are readable without the pod's fsGroup. Probes are asked by the test, inside the
container, since podman needs systemd to ask them. PostgreSQL and RabbitMQ start as their images do by themselves:
the manifests name the users of the official images, and others may stand in for these.
"""

import copy
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import yaml

from tests.support.manifests import Manifest, Manifests, name, pod, workloads
from tests.support.rendering import VERIFY

CAPABILITIES = (
    "SYS_ADMIN",
    "NET_ADMIN",
    "NET_RAW",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "MKNOD",
    "SETFCAP",
    "DAC_READ_SEARCH",
)
UNCONFINED = ("--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined")
CGROUPS = ("--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup")
ASK = "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}{path}', timeout={seconds})"


@dataclass(frozen=True)
class Podman:
    """A container with podman in it; every pod shares its network."""

    container: str

    def run(self, *command: str, given: str | None = None) -> str:
        """Run a command there, with `given` on its standard input, and return what it prints; it must succeed."""
        whole = ["docker", "exec", "--interactive", self.container, *command]
        done = subprocess.run(whole, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def load(self, images: set[str]) -> None:
        """Hand images of the engine over to podman."""
        piped = f"docker save {' '.join(sorted(images))} | docker exec --interactive {self.container} podman load"
        whole = ["bash", "-o", "pipefail", "-c", piped]
        done = subprocess.run(whole, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def play(self, manifests: Manifests) -> None:
        """Run manifests, translated."""
        translated = [each for manifest in manifests for each in _translated(manifest)]
        self.run("podman", "kube", "play", "--network", "host", "-", given=yaml.safe_dump_all(translated))

    def answers(self, workload: Manifest, probe: str) -> bool:
        """Ask a probe of a workload's container."""
        question = _question(pod(workload)["containers"][0], probe)
        whole = ["docker", "exec", self.container, "podman", "exec", container_of(workload), *question]
        return subprocess.run(whole, capture_output=True, check=False).returncode == 0

    def state(self, workload: Manifest) -> Manifest:
        """Return what podman says about a workload's container."""
        [found] = yaml.safe_load(self.run("podman", "container", "inspect", container_of(workload)))
        state: Manifest = found
        return state


def container_of(workload: Manifest) -> str:
    """Return what podman calls the container of a workload."""
    return f"{name(workload)}-pod-{name(workload)}"


@contextmanager
def podman(runner: str, port: int, *hosts: str) -> Iterator[Podman]:
    """Start podman, with port 8000 published as `port` on this machine, and the names of hosts leading to itself."""
    tag = f"{runner}-image"
    build = ["docker", "build", "--quiet", "--tag", tag, VERIFY / "podman"]
    subprocess.run(build, check=True, capture_output=True)
    capabilities = [option for each in CAPABILITIES for option in ("--cap-add", each)]
    known = [option for host in hosts for option in ("--add-host", f"{host}:127.0.0.1")]
    storage = ["--volume", f"{runner}:/var/lib/containers", "--publish", f"127.0.0.1:{port}:8000"]
    start = ["docker", "run", "--detach", "--name", runner, *capabilities, *UNCONFINED, *CGROUPS, *known, *storage, tag]
    try:
        subprocess.run(start, check=True, capture_output=True)
        yield Podman(runner)
    finally:
        for end in (["rm", "--force", runner], ["volume", "rm", "--force", runner], ["rmi", "--force", tag]):
            whole = ["docker", *end]
            subprocess.run(whole, check=False, capture_output=True)


def _translated(manifest: Manifest) -> Manifests:
    translated = copy.deepcopy(manifest)
    templates = translated["spec"].pop("volumeClaimTemplates", []) if "spec" in translated else []
    claims = [_claim(each, name(translated)) for each in templates]
    for workload in workloads([translated]):
        _name_volumes(workload)
        for volume in pod(workload).get("volumes", ()):
            volume.get("secret", {}).pop("defaultMode", None)
        for template, claim in zip(templates, claims, strict=True):
            volume = {"name": f"{name(template)}-{name(workload)}", "persistentVolumeClaim": {"claimName": name(claim)}}
            pod(workload)["volumes"].append(volume)
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            pod(workload)["containers"][0].pop(probe, None)
    if translated["kind"] == "StatefulSet":
        translated["kind"] = "Deployment"
        del pod(translated)["securityContext"], pod(translated)["containers"][0]["securityContext"]
    return [*claims, translated]


def _name_volumes(workload: Manifest) -> None:
    for each in (*pod(workload).get("volumes", ()), *pod(workload)["containers"][0].get("volumeMounts", ())):
        each["name"] = f"{each['name']}-{name(workload)}"


def _claim(template: Manifest, of: str) -> Manifest:
    metadata = {"name": f"{name(template)}-{of}"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"]}


def _question(container: Manifest, kind: str) -> list[str]:
    """Return a probe as a command to run inside its container."""
    probe = container[kind]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    if "exec" in probe:
        command: list[str] = probe["exec"]["command"]
        return command
    if "tcpSocket" in probe:
        return ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{ports[probe['tcpSocket']['port']]}"]
    asked = probe["httpGet"]
    script = ASK.format(port=ports[asked["port"]], path=asked["path"], seconds=probe.get("timeoutSeconds", 1))
    return ["python", "-c", script]
