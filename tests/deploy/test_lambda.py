"""The Lambda zips: built twice with the same bytes, small enough, and run by Lambda's own runtime client."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.databases import EMPTY, database, execute
from tests.support.lambda_runtime import Function, http_api, run
from tests.support.rendering import ROOT, tool

LAMBDA = ROOT / "deploy" / "lambda"
DATA = ("campaigns.csv", "ad_groups.csv", "ad_group_stats.csv")

slow = pytest.mark.skipif("ADLEDGER_VERIFY_DEPLOY" not in os.environ, reason="slow: run make verify-deploy")


@pytest.fixture(scope="module")
def boto3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a stand-in for the Secrets Manager client of Lambda's runtime: a secret is its own name."""
    folder = tmp_path_factory.mktemp("boto3")
    (folder / "boto3.py").write_text(
        "class client:\n"
        "    def __init__(self, service):\n"
        "        assert service == 'secretsmanager'\n"
        "    def get_secret_value(self, SecretId):\n"
        "        return {'SecretString': SecretId}\n"
    )
    return folder


@pytest.fixture(scope="module")
def deployed(python: str, unpacked: Path, postgres: str, boto3: Path) -> Iterator[tuple[str, Function, Function]]:
    """The address of both functions on a migrated database, query with the role that only reads."""
    role = f"adledger_test_{uuid4().hex[:12]}"
    command = [python, "-m", "awslambdaric"]
    try:
        with database(postgres, EMPTY) as url, ExitStack() as stack:

            def function(which: str, name: str, **settings: str) -> Function:
                path = f"{unpacked / which}:{unpacked / 'runtime'}:{boto3}"
                environment = {"PYTHONPATH": path, "ADLEDGER_DATABASE_URL": url, **settings}
                return stack.enter_context(run([*command, f"functions.{name}.handler"], unpacked / which, environment))

            secret = json.dumps({"username": role, "password": "it's \\ secret"})
            migrate = function("query", "migrate", READER_SECRET=secret)
            for _ in range(2):
                assert migrate.invoke({}) == {"status": "the schema is up to date"}
            data_dir = str(unpacked / "tmp")
            writes = function("ingest", "ingest", ADLEDGER_DATA_DIR=data_dir)
            reads = function("query", "query", ADLEDGER_DATABASE_URL=url.replace("postgres@", f"{role}@", 1))
            with http_api(reads, writes) as address:
                for method in ("GET", "POST"):
                    httpx.request(method, f"{address}/health/live", timeout=60)
                yield address, reads, writes
    finally:
        asyncio.run(execute(postgres, f"DROP ROLE IF EXISTS {role}"))


@slow
def test_two_builds_are_the_same_bytes_and_small_enough(zips: Path, tmp_path: Path) -> None:
    sizes = {}
    for function in ("query", "ingest"):
        archive = zips / f"{function}.zip"
        folder = tmp_path / function
        shutil.unpack_archive(archive, folder)
        for path in folder.rglob("*"):
            os.utime(path, (1, 1))
        again = tmp_path / f"{function}.zip"
        subprocess.run([sys.executable, LAMBDA / "pack.py", folder, again], check=True, capture_output=True)
        assert again.read_bytes() == archive.read_bytes()
        sizes[function] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20
    assert sizes["query"] < 100
    assert sizes["ingest"] < 250


@slow
def test_a_function_starts_in_seconds(deployed: tuple[str, Function, Function], record_testsuite_property: Any) -> None:
    _, reads, writes = deployed
    for which, function in (("query", reads), ("ingest", writes)):
        record_testsuite_property(f"cold start of {which}", function.cold_start)
        assert function.cold_start is not None
        assert function.cold_start < 20


@slow
def test_the_sample_data_goes_in_and_the_right_numbers_come_out(deployed: tuple[str, Function, Function]) -> None:
    address = deployed[0]
    with ExitStack() as stack, httpx.Client(base_url=address, timeout=60) as http:
        files = [("file", (name, stack.enter_context((ROOT / "data" / name).open("rb")))) for name in DATA]
        answer = http.post("/uploads", files=files)
        assert answer.status_code == 202, answer.text
        assert {each["state"] for each in answer.json()["uploads"]} == {"applied"}
        assert http.get("/health/ready").json()["status"] == "ready"
        assert http.get("/", follow_redirects=True).status_code == 200
        campaigns = json.loads(http.get("/campaigns").text, parse_float=Decimal)
        assert len(campaigns) >= 4
        renamed = http.patch(f"/campaigns/{campaigns[0]['campaign_id']}", json={"name": "Zelte"})
        assert renamed.status_code == 200, renamed.text
        assert "Zelte" in http.get("/campaigns").text
        assert http.get("/campaigns?bogus=1").status_code in {200, 400}


@slow
def test_the_smoke_test_passes_against_the_functions(deployed: tuple[str, Function, Function]) -> None:
    smoke = ROOT / "tests" / "api"
    environment = os.environ | {"ADLEDGER_URL": deployed[0]}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", smoke],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_requirements_of_the_functions_are_adledgers_own_versions() -> None:
    pinned = set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
    for function in ("query", "ingest"):
        wanted = set(re.findall(r"^(\S+==\S+)", (LAMBDA / f"{function}.txt").read_text(), flags=re.MULTILINE))
        assert {each for each in wanted - pinned if not each.startswith("mangum==")} == set()


def test_the_address_is_made_of_the_secret(boto3: Path) -> None:
    secret = json.dumps({"username": "adledger", "password": "a/b c@d:e"})
    names = {"DATABASE_SECRET": secret, "DATABASE_HOST": "proxy.example.com", "DATABASE_NAME": "adledger"}
    environment = {"PYTHONPATH": f"{LAMBDA}:{boto3}", **names}
    script = "from functions.settings import database_url; print(database_url())"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    url = done.stdout.strip()
    assert url == "postgresql://adledger:a%2Fb%20c%40d%3Ae@proxy.example.com:5432/adledger?sslmode=require"


def test_the_template_is_valid() -> None:
    done = tool("cfn-lint", "--template", LAMBDA / "template.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


AWS = """#!/bin/bash
echo "$*" >>"$CALLS"
case "$*" in
*get-alias*addresses* | *get-alias*objects*) exit 255 ;;
*get-alias*) echo 7 ;;
*invoke*) echo None ;;
esac
"""


def test_a_deployment_migrates_first_and_is_rolled_back_to_the_versions_that_were_live(tmp_path: Path) -> None:
    if shutil.which("jq") is None:
        pytest.skip("there is no jq here")
    (tmp_path / "aws").write_text(AWS)
    (tmp_path / "aws").chmod(0o755)
    calls = tmp_path / "calls"
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls)}
    for script in (["deploy.sh", "adledger", "bucket", "before.json"], ["rollback.sh", "adledger", "before.json"]):
        subprocess.run([LAMBDA / script[0], *script[1:]], cwd=tmp_path, env=environment, check=True)
    assert json.loads((tmp_path / "before.json").read_text()) == {"query": "7", "ingest": "7"}
    made = [line.split()[1] for line in calls.read_text().splitlines()]
    assert made.index("invoke") < made.index("deploy")
    assert made[-2:] == ["update-alias", "update-alias"]
