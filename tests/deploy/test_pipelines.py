"""The workflows, and the scripts they are made of: linted, pinned, and run."""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from tests.support.rendering import K8S, ROOT, render, tool

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CI = ROOT / "deploy" / "ci"
SCRIPTS = sorted(path for path in (ROOT / "deploy").glob("*/*.sh"))
TARGETS = ("migrate", "ingest", "consumer", "query")


@pytest.mark.parametrize(
    "command", [("actionlint",), ("zizmor", "--offline", "--no-progress")], ids=lambda each: each[0]
)
def test_the_workflows_are_linted(command: tuple[str, ...]) -> None:
    done = tool(*command, *WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", [("shellcheck",), ("shfmt", "-i", "4", "-ci", "-d")], ids=lambda each: each[0])
def test_the_shell_scripts_are_linted(command: tuple[str, ...]) -> None:
    done = tool(*command, *SCRIPTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_is_linted() -> None:
    done = tool("hadolint", ROOT / "Dockerfile")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_and_says_which_version_that_is(workflow: Path) -> None:
    uses = re.findall(r"uses: (\S+)(.*)", workflow.read_text())
    foreign = [(action, comment) for action, comment in uses if not action.startswith("./")]
    assert all(re.search(r"@[0-9a-f]{40}$", action) and re.match(r" # v\d", comment) for action, comment in foreign)
    for action, _ in uses:
        if action.startswith("./"):
            assert (ROOT / action).exists()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_runs_exists(workflow: Path) -> None:
    text = workflow.read_text()
    for script in re.findall(r"deploy/[\w/-]+\.(?:sh|py)", text):
        assert os.access(ROOT / script, os.X_OK), f"{script} cannot be run"
    targets = re.findall(r"run: make (.+)", text)
    rules = re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert {target for line in targets for target in line.split()} <= set(rules)


@pytest.mark.parametrize(
    "workflow", [path for path in WORKFLOWS if path.name.startswith("deploy-")], ids=lambda path: path.name
)
def test_each_deployment_is_asked_over_http_and_rolled_back_when_it_answers_wrong(workflow: Path) -> None:
    steps = yaml.safe_load(workflow.read_text())["jobs"]["deploy"]["steps"]
    named = [step.get("name", "") for step in steps]
    asked, back = named.index("Ask the deployed address"), named.index("Roll back")
    assert steps[asked]["run"] == ".venv/bin/pytest tests/api"
    assert back > asked
    assert steps[back]["if"].startswith("failure()")


def digests(folder: Path) -> Path:
    folder.mkdir()
    for number, target in enumerate(TARGETS):
        (folder / f"{target}.txt").write_text(f"registry.test/owner/adledger-{target}@sha256:{str(number) * 64}\n")
    return folder


def test_the_images_of_a_release_are_written_into_the_overlay(tmp_path: Path) -> None:
    copied = shutil.copytree(K8S, tmp_path / "k8s") / "overlays" / "production"
    images = digests(tmp_path / "images")
    for _ in range(2):
        subprocess.run([CI / "set-images.sh", copied, images], check=True)
    rendered = render(copied)
    found = {
        container["image"]
        for each in rendered
        if each["kind"] in {"Deployment", "Job"}
        for container in each["spec"]["template"]["spec"]["containers"]
    }
    assert found == {(images / f"{target}.txt").read_text().strip() for target in TARGETS}


def test_an_image_without_a_digest_is_refused(tmp_path: Path) -> None:
    copied = shutil.copytree(K8S, tmp_path / "k8s") / "overlays" / "production"
    images = digests(tmp_path / "images")
    (images / "query.txt").write_text("registry.test/owner/adledger-query:latest\n")
    done = subprocess.run([CI / "set-images.sh", copied, images], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no image with a digest" in done.stderr


def git(folder: Path, *command: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    done = subprocess.run(["git", *identity, *command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_bump_is_pushed_over_what_was_merged_meanwhile_and_can_be_reverted(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(tmp_path, "clone", "--quiet", "origin.git", "one")
    one, two = tmp_path / "one", tmp_path / "two"
    overlay = one / "deploy" / "k8s" / "overlays" / "production"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text("old\n")
    git(one, "add", ".")
    git(one, "commit", "--quiet", "--message=begin")
    git(one, "push", "--quiet", "origin", "HEAD:main")
    git(tmp_path, "clone", "--quiet", "origin.git", "two")
    (two / "other").write_text("meanwhile\n")
    git(two, "add", ".")
    git(two, "commit", "--quiet", "--message=meanwhile")
    git(two, "push", "--quiet")
    environment = os.environ | {"GITHUB_TOKEN": "token"}
    (overlay / "kustomization.yaml").write_text("new\n")
    subprocess.run([CI / "push.sh", "Deploy v1"], cwd=one, env=environment, capture_output=True, check=True)
    assert git(tmp_path / "origin.git", "log", "--format=%s").splitlines() == ["Deploy v1", "meanwhile", "begin"]
    git(one, "revert", "--no-edit", "HEAD")
    subprocess.run([CI / "push.sh"], cwd=one, env=environment, capture_output=True, check=True)
    assert git(tmp_path / "origin.git", "show", "main:deploy/k8s/overlays/production/kustomization.yaml") == "old"
    assert "token" not in (one / ".git" / "config").read_text()


@contextmanager
def argocd(*states: tuple[str, str, str]) -> Iterator[str]:
    """Serve the states of an application, one an answer, the last for ever; yields the address."""
    left = list(states)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["Authorization"] == "Bearer token"
            revision, sync, health = left.pop(0) if len(left) > 1 else left[0]
            body = {"status": {"sync": {"revision": revision, "status": sync}, "health": {"status": health}}}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([("old", "Synced", "Healthy"), ("new", "OutOfSync", "Progressing"), ("new", "Synced", "Healthy")], 0),
        ([("old", "Synced", "Healthy"), ("new", "Synced", "Degraded")], 1),
        ([("old", "Synced", "Healthy")], 1),
    ],
    ids=["comes up", "degraded", "never synced"],
)
def test_the_pipeline_waits_for_argocd(states: list[tuple[str, str, str]], status: int) -> None:
    if shutil.which("jq") is None or shutil.which("curl") is None:
        pytest.skip("there is no jq or curl here")
    with argocd(*states) as address:
        settings = {"ARGOCD_SERVER": address, "ARGOCD_TOKEN": "token", "WAIT_SECONDS": "3", "PAUSE_SECONDS": "0.1"}
        environment = os.environ | settings
        done = subprocess.run([CI / "wait-for-argocd.sh", "new"], env=environment, capture_output=True, check=False)
    assert done.returncode == status
