"""The ways between processes: a proxy on each, so that a fault may meet one process or all of them."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from tests.faults.broker import Broker
from tests.faults.database import Postgres
from tests.faults.proxy import Connect, Proxy
from tests.support.databases import named

BROKER, DATABASE, HTTP = "broker", "database", "http"


class Network:
    """The ways of some processes to the broker and to the database, and of clients to them."""

    def __init__(self, broker: Broker, postgres: Postgres, database: str, port_of: Callable[[str], int]) -> None:
        self._broker, self._database, self._port_of = broker, database, port_of
        self._targets: dict[str, Connect] = {BROKER: broker.connect, DATABASE: postgres.connect}
        self._proxies: dict[tuple[str, str], Proxy] = {}
        self._ports: dict[tuple[str, str], int] = {}

    async def open(self, names: Iterable[str]) -> None:
        """Make the ways of the processes of these names."""
        for name in names:
            for server, connect in {**self._targets, HTTP: partial(self._connect, name)}.items():
                proxy = self._proxies[name, server] = Proxy(connect)
                self._ports[name, server] = await proxy.open()

    async def _connect(self, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port_of(name))

    def url(self, name: str) -> str:
        """Return where clients find a process."""
        return f"http://127.0.0.1:{self._ports[name, HTTP]}"

    def settings(self, name: str) -> dict[str, str]:
        """Return the settings that lead a process over its own ways."""
        postgres = f"postgresql://adledger@127.0.0.1:{self._ports[name, DATABASE]}/?sslmode=disable"
        return {
            "ADLEDGER_AMQP_URL": self._broker.url_at(self._ports[name, BROKER]),
            "ADLEDGER_DATABASE_URL": named(postgres, self._database),
        }

    def to(self, server: str, kind: str = "") -> list[Proxy]:
        """Return the ways to a server of all processes of a kind, of one named whole, or of all."""
        return [proxy for (name, target), proxy in self._proxies.items() if target == server and name.startswith(kind)]

    def heal(self) -> None:
        """Let everything pass again."""
        for proxy in self._proxies.values():
            proxy.heal()

    async def close(self) -> None:
        """Take all ways away."""
        await asyncio.gather(*(proxy.close() for proxy in self._proxies.values()))
