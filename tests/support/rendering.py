"""Manifests as kubectl renders them, and the schemas they are held against; what is missing here skips the test."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.manifests import Manifest, Manifests

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
TOOLS = ROOT / "deploy" / ".venv" / "bin"
VERIFY = ROOT / "deploy" / "verify"


def render(overlay: Path) -> Manifests:
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl here")
    done = subprocess.run(["kubectl", "kustomize", overlay], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def is_custom(manifest: Manifest) -> bool:
    group = manifest["apiVersion"].partition("/")[0]
    return "." in group and (not group.endswith(".k8s.io") or group == "gateway.networking.k8s.io")


def tool(command: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of the tools of `make verify-deploy`; skips the test where they are not installed."""
    if not (TOOLS / command).exists():
        pytest.skip(f"{command} is not installed: run make verify-deploy")
    return subprocess.run([TOOLS / command, *arguments], capture_output=True, text=True, check=False)


def core_complaints(manifests: Manifests, version: str, folder: Path) -> list[str]:
    """Return what the schemas of a Kubernetes version say; a kind that has none is a complaint too."""
    rendered = folder / "core.yaml"
    rendered.write_text(yaml.safe_dump_all(manifests))
    done = tool("kubernetes-validate", "-k", version, "--strict", rendered)
    lines = (done.stdout + done.stderr).splitlines()
    wrong = [line for line in lines if not line.startswith("INFO")]
    passed = len(lines) - len(wrong)
    return wrong if wrong or passed == len(manifests) else [f"only {passed} of {len(manifests)} were looked at"]


def custom_complaints(manifests: Manifests) -> str:
    """Return what the schemas of custom resources say; skips the test where they cannot be had."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm here")
    if not (VERIFY / "node_modules").exists():
        if "ADLEDGER_VERIFY_DEPLOY" not in os.environ:
            pytest.skip("the schemas of custom resources are not installed: run make verify-deploy")
        install = [
            "npm",
            "install",
            "--no-package-lock",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefix",
            VERIFY,
        ]
        subprocess.run(install, capture_output=True, check=True)
    done = subprocess.run(
        ["node", VERIFY / "validate.js"], input=json.dumps(manifests), capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr
