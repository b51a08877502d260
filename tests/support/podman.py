"""Podman in a container, to run manifests with: a cluster of one machine without a cluster.

What podman does not do is translated here: a StatefulSet becomes a Deployment with its claims, a probe by HTTP or TCP
becomes the same question asked inside the container, and files of secrets are readable without the pod's fsGroup.
"""

import copy
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import yaml

from tests.support.manifests import Manifest, Manifests, pod, workloads
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
        whole = f"docker save {' '.join(sorted(images))} | docker exec --interactive {self.container} podman load"
        done = subprocess.run(["bash", "-o", "pipefail", "-c", whole], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def play(self, manifests: Manifests) -> None:
        """Run manifests, translated."""
        translated = [each for manifest in manifests for each in _translated(manifest)]
        self.run("podman", "kube", "play", "--network", "host", "-", given=yaml.safe_dump_all(translated))

    def state(self, name: str) -> Manifest:
        """Return what podman says about a container."""
        [found] = yaml.safe_load(self.run("podman", "container", "inspect", name))
        state: Manifest = found
        return state


@contextmanager
def podman(name: str, port: int, *hosts: str) -> Iterator[Podman]:
    """Start podman, with port 8000 published as `port` on this machine, and the names of hosts leading to itself."""
    tag = f"{name}-runner"
    build = ["docker", "build", "--quiet", "--tag", tag, VERIFY / "podman"]
    subprocess.run(build, check=True, capture_output=True)
    capabilities = [option for each in CAPABILITIES for option in ("--cap-add", each)]
    known = [option for host in hosts for option in ("--add-host", f"{host}:127.0.0.1")]
    storage = ["--volume", f"{name}:/var/lib/containers", "--publish", f"127.0.0.1:{port}:8000"]
    start = ["docker", "run", "--detach", "--name", name, *capabilities, *UNCONFINED, *CGROUPS, *known, *storage, tag]
    try:
        subprocess.run(start, check=True, capture_output=True)
        yield Podman(name)
    finally:
        for end in (("rm", "--force", name), ("volume", "rm", "--force", name), ("rmi", "--force", tag)):
            subprocess.run(["docker", *end], check=False, capture_output=True)


def _translated(manifest: Manifest) -> Manifests:
    translated = copy.deepcopy(manifest)
    claims = [_claim(each) for each in translated["spec"].pop("volumeClaimTemplates", ())] if "spec" in manifest else []
    for workload in workloads([translated]):
        for volume in pod(workload).get("volumes", ()):
            volume.get("secret", {}).pop("defaultMode", None)
        for claim in claims:
            name = claim["metadata"]["name"]
            volume = {"name": name, "persistentVolumeClaim": {"claimName": name}}
            pod(workload).setdefault("volumes", []).append(volume)
        for container in pod(workload)["containers"]:
            _ask_inside(container)
    if translated["kind"] == "StatefulSet":
        translated["kind"] = "Deployment"
    return [*claims, translated]


def _claim(template: Manifest) -> Manifest:
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **template}


def _ask_inside(container: Manifest) -> None:
    ports = {each["name"]: each["containerPort"] for each in container.get("ports", ())}
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = container.get(kind, {})
        if "httpGet" in probe:
            asked = probe.pop("httpGet")
            script = ASK.format(port=ports[asked["port"]], path=asked["path"], seconds=probe.get("timeoutSeconds", 1))
            probe["exec"] = {"command": ["python", "-c", script]}
        if "tcpSocket" in probe:
            port = ports[probe.pop("tcpSocket")["port"]]
            probe["exec"] = {"command": ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"]}
