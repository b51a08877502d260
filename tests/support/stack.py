"""The compose stack on a real engine, as tests use it; where there is none, or nobody asked, they are skipped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import pytest

from tests.support.oracle import expected_campaigns, expected_series
from tests.support.running import free_port

ROOT = Path(__file__).parents[2]
NAMES = ("campaigns.csv", "ad_groups.csv", "ad_group_stats.csv")


@dataclass(frozen=True)
class Stack:
    """A compose project of the test's own, on a port of its own."""

    project: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *command: str, **settings: str) -> str:
        return self.run("docker", "compose", "--project-name", self.project, *command, **settings)

    def run(self, *command: str, **settings: str) -> str:
        environment = os.environ | {"ADLEDGER_PUBLISH_PORT": str(self.port)} | settings
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def up(self, *options: str, **settings: str) -> None:
        self.compose("up", "--detach", "--wait", *options, **settings)

    def container(self, service: str) -> str:
        return self.compose("ps", "--all", "--quiet", service).split()[0]

    def inspect(self, service: str, template: str) -> str:
        return self.run("docker", "inspect", "--format", template, self.container(service)).strip()

    def upload(self, folder: Path) -> int:
        command = [sys.executable, "-m", "services.cli", "upload", "--url", self.url, "--timeout", "120"]
        return subprocess.run([*command, *(folder / name for name in NAMES)], cwd=ROOT, check=False).returncode

    def send(self, campaign: str) -> str:
        """Send a file that names a campaign of its own, and return the upload's id without waiting for it."""
        content = f"campaign_id,campaign_name,campaign_type\n{crc32(campaign.encode())},{campaign},SEARCH_STANDARD\n"
        answer = httpx.post(f"{self.url}/uploads", files={"file": ("campaigns.csv", content)}, timeout=30)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["uploads"][0]["id"])

    def outcome(self, upload_id: str) -> str:
        """Return what became of an upload within a minute."""
        state = ""
        end = time.monotonic() + 60
        while state != "applied" and time.monotonic() < end:
            answer = httpx.get(f"{self.url}/uploads/{upload_id}", timeout=30)
            state = answer.json()["state"] if answer.is_success else ""
            time.sleep(0.2)
        return state

    def get(self, path: str) -> Any:
        end = time.monotonic() + 60
        while (answer := httpx.get(f"{self.url}{path}", timeout=30)).status_code == 503 and time.monotonic() < end:
            time.sleep(1)
        assert answer.is_success, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def holds(self, folder: Path) -> None:
        known = expected_campaigns(folder)
        found = {campaign["campaign_id"]: campaign for campaign in self.get("/campaigns")}
        assert {key: found.get(key) for key in known} == known
        campaigns = "&".join(f"campaign_ids={key}" for key in known)
        for step in ("day", "week", "month"):
            series = self.get(f"/performance-time-series?aggregate_by={step}&{campaigns}")
            assert series == expected_series(folder, step)

    def health(self, service: str) -> str:
        return self.inspect(service, "{{.State.Health.Status}}")

    def crash(self, service: str) -> None:
        """Kill the process as a crash would, where that is allowed; the engine starts it again only then."""
        try:
            os.kill(int(self.inspect(service, "{{.State.Pid}}")), signal.SIGKILL)
        except (PermissionError, ProcessLookupError):
            self.run("docker", "kill", self.container(service))
            self.run("docker", "start", self.container(service))


@contextmanager
def compose_stack(project: str) -> Iterator[Stack]:
    """Build and start the stack, and leave nothing of it."""
    if "ADLEDGER_VERIFY_DEPLOY" not in os.environ:
        pytest.skip("slow: run make verify-deploy")
    if shutil.which("docker") is None:
        pytest.skip("there is no docker here")
    stack = Stack(project, free_port())
    try:
        stack.up("--build")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans")
