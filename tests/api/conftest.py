"""Fixtures of tests that know nothing but an address: ADLEDGER_URL, or else an adledger of their own."""

import os
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.client import Client
from tests.support.databases import database
from tests.support.running import running


@pytest.fixture(scope="session")
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the adledger that is tested."""
    given = os.environ.get("ADLEDGER_URL")
    if given:
        yield given
        return
    # Asked for only now: with an address given, no database is needed here.
    postgres, template = (request.getfixturevalue(name) for name in ("postgres", "template"))
    with database(postgres, template) as url:
        folder = tmp_path_factory.mktemp("api")
        with running(folder, "up", settings={"ADLEDGER_DATABASE_URL": url}) as started:
            yield started.url


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[Client]:
    """A client with ids of its own, which leaves the numbers as it found them."""
    with httpx.Client(base_url=address, timeout=30) as http:
        client = Client(http, run=time.time_ns() // 1000)
        yield client
        for upload_id in set(client.sent):
            client.take_back(upload_id)
