"""Fixtures: a running adledger for the tests of a module, on a database of the module's own."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.databases import database
from tests.support.running import Running, running


@pytest.fixture(scope="module")
def module_database_url(postgres: str, template: str) -> Iterator[str]:
    """The address of a migrated database that the tests of a module share."""
    with database(postgres, template) as url:
        yield url


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the data directory `data` of the module's adledger."""
    return tmp_path_factory.mktemp("adledger")


@pytest.fixture(scope="module")
def adledger(module_database_url: str, module_folder: Path) -> Iterator[Running]:
    """An adledger with the inline transport, which the tests of a module share."""
    with running(module_folder, "up", settings={"ADLEDGER_DATABASE_URL": module_database_url}) as started:
        yield started


@pytest.fixture(scope="module")
def http(adledger: Running) -> Iterator[httpx.Client]:
    """A client of the module's adledger."""
    with adledger.http() as client:
        yield client


@pytest.fixture
def said(engine: AsyncEngine) -> Iterator[list[str]]:
    """The statements that the engine runs."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine.sync_engine, "before_cursor_execute", note)
