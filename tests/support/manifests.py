"""Rendered Kubernetes manifests: what is in them, and where."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from services.ingest.api.settings import IngestSettings
from services.ingest.consumer.settings import ConsumerSettings
from services.query.settings import QuerySettings
from shared.settings import DatabaseSettings

Manifest = dict[str, Any]
Manifests = list[Manifest]
Policy = Callable[[Manifests], Iterator[str]]

SETTINGS: dict[str, type[BaseSettings]] = {
    "ingest": IngestSettings,
    "consumer": ConsumerSettings,
    "query": QuerySettings,
    "migrate": DatabaseSettings,
}
PORTS = {"ingest": 8001, "query": 8002, "consumer": 8003}
UNITS = {"": 1.0, "m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 1e3, "M": 1e6, "G": 1e9}


def of_kind(manifests: Manifests, *kinds: str) -> Manifests:
    """Return the manifests of these kinds."""
    return [each for each in manifests if each["kind"] in kinds]


def name(manifest: Manifest) -> str:
    """Return a manifest's name."""
    return str(manifest["metadata"]["name"])


def pod(workload: Manifest) -> Manifest:
    """Return the pod's specification in a Deployment, StatefulSet or Job."""
    spec: Manifest = workload["spec"]["template"]["spec"]
    return spec


def workloads(manifests: Manifests) -> Manifests:
    """Return all that runs pods."""
    return of_kind(manifests, "Deployment", "StatefulSet", "Job", "DaemonSet", "Pod", "CronJob")


def ours(manifests: Manifests) -> dict[str, tuple[Manifest, Manifest]]:
    """Return each process of adledger: its workload and its container, by name."""
    found = {name(each): each for each in workloads(manifests) if name(each) in SETTINGS}
    return {process: (workload, pod(workload)["containers"][0]) for process, workload in found.items()}


def quantity(text: str) -> float:
    """Return a Kubernetes quantity as a number; raises `ValueError` or `KeyError` for one that is none."""
    digits = text.rstrip("KMGTimk")
    return float(digits) * UNITS[text[len(digits) :]]


def kustomizations(root: Path) -> list[Path]:
    """Return the overlays that a cluster can be given."""
    return sorted(path.parent for path in root.glob("overlays/*/kustomization.yaml"))
