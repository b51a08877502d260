"""Fixtures: AWS in small, and the Lambda zips unpacked as Lambda has them."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.rendering import ROOT, TOOLS
from tests.support.running import free_port

LAMBDA = ROOT / "deploy" / "lambda"
OUTCOMES = ("passed", "failed", "error", "skipped")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was verified as a table, a line a file of tests."""
    if "ADLEDGER_VERIFY_DEPLOY" not in os.environ:
        return
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in OUTCOMES:
        for report in terminalreporter.stats.get(outcome, []):
            counts[Path(report.nodeid.partition("::")[0]).stem.removeprefix("test_")][outcome] += 1
    terminalreporter.section("what was verified")
    lines = [("", *OUTCOMES), *((area, *(str(found[each]) for each in OUTCOMES)) for area, found in counts.items())]
    for area, *cells in lines:
        terminalreporter.write_line(f"{area:<20}" + "".join(f"{cell:>9}" for cell in cells))


@pytest.fixture(scope="session")
def aws() -> Iterator[dict[str, str]]:
    """The environment in which AWS is a server of moto's."""
    if "ADLEDGER_VERIFY_DEPLOY" not in os.environ:
        pytest.skip("slow: run make verify-deploy")
    if not (TOOLS / "moto_server").exists():
        pytest.skip("moto is not installed: run make verify-deploy")
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [TOOLS / "python", ROOT / "tests" / "support" / "moto_server.py", str(port)]
    # Terraform refuses to speak to a proxy about this machine, and needs no credentials that are any.
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-central-1"}
    environment = os.environ | credentials | {"AWS_ENDPOINT_URL": url}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end:
                try:
                    httpx.get(f"{url}/moto-api/data.json", timeout=5)
                    break
                except httpx.TransportError:
                    time.sleep(0.2)
            yield environment
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def python() -> str:
    """A Python of the version that the functions run on."""
    for name in ("python3.12", sys.executable):
        found = shutil.which(name)
        look = [found or "false", "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 12))"]
        if found and subprocess.run(look, capture_output=True, check=False).returncode == 0:
            return found
    pytest.skip("there is no Python 3.12 here, which the functions run on")


@pytest.fixture(scope="session")
def zips() -> Path:
    subprocess.run([LAMBDA / "build.sh"], env=os.environ | {"PYTHON": sys.executable}, check=True, capture_output=True)
    return LAMBDA / "dist"


@pytest.fixture(scope="session")
def unpacked(zips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both zips, unpacked, and beside them the runtime client, as in Lambda."""
    folder = tmp_path_factory.mktemp("lambda")
    for function in ("query", "ingest"):
        shutil.unpack_archive(zips / f"{function}.zip", folder / function)
    platforms = [option for platform in PLATFORMS for option in ("--platform", platform)]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
    ]
    target = ["--implementation", "cp", "--python-version", "3.12", *platforms, "--target", folder / "runtime"]
    requirements = ROOT / "deploy" / "verify" / "lambda-runtime.txt"
    subprocess.run([*command, *target, "--requirement", requirements], check=True, capture_output=True)
    return folder
