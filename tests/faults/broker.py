"""A RabbitMQ node of our own, which may be killed and started again: own name, ports, directories and epmd."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import aio_pika
from aiormq.exceptions import AMQPError

from tests.support.running import free_port

PROGRAM, CONTROL = "rabbitmq-server", "rabbitmqctl"
LIBRARY = Path("/usr/lib/rabbitmq/bin")
"""Where packages keep the script itself; what is on the path may change users, directories and logs."""
FOLDER_VARIABLE = "ADLEDGER_FAULTS_RABBITMQ"
"""Names the folder of another RabbitMQ's programs."""
START_SECONDS = 60.0
CONTROL_SECONDS = 60.0

CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_user = adledger
default_pass = {password}
disk_free_limit.absolute = 50MB
log.console = true
"""


def program(name: str = PROGRAM) -> str | None:
    """Return where one of RabbitMQ's programs is, None where RabbitMQ is not installed."""
    packaged = Path(os.environ.get(FOLDER_VARIABLE, LIBRARY)) / name
    return str(packaged) if packaged.exists() else shutil.which(name)


class Broker:
    """One node over one directory; what a kill leaves there, the next start finds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port, self._distribution, self._names = free_port(), free_port(), free_port()
        self._node_name = f"faults-{self._port}@localhost"
        self.password = secrets.token_hex(8)
        self._node: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        (folder / "rabbitmq.conf").write_text(CONFIG.format(port=self._port, password=self.password))
        (folder / "enabled_plugins").write_text("[].\n")

    @property
    def url(self) -> str:
        return self.url_at(self._port)

    def url_at(self, port: int) -> str:
        """Return the node's address as it is reached by another port of this machine."""
        return f"amqp://adledger:{self.password}@127.0.0.1:{port}/"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a bare connection to the node."""
        return await asyncio.open_connection("127.0.0.1", self._port)

    @property
    def log(self) -> Path:
        return self._folder / "node.log"

    def launch(self) -> None:
        """Start the node; it answers a few seconds later."""
        if self._epmd is None:
            command = ["epmd", "-port", str(self._names), "-address", "127.0.0.1"]
            self._epmd = self._spawn(command, {})
        self._node = self._spawn([program() or PROGRAM], self._settings())

    async def answers(self) -> None:
        """Wait until the node takes connections; raises `TimeoutError` with its log when it never does."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(AMQPError, OSError, TimeoutError):
                connection = await aio_pika.connect(self.url, timeout=3)
                await connection.close()
                return
            await asyncio.sleep(0.1)
        raise TimeoutError(self.log.read_text()[-3000:])

    def signal(self, number: int) -> None:
        """Send the node a signal; after KILL it is gone when this returns."""
        assert self._node is not None
        self._node.send_signal(number)
        if number == signal.SIGKILL:
            self._node.wait(10)

    async def version(self) -> str:
        """Return which RabbitMQ it is."""
        connection = await aio_pika.connect(self.url)
        async with connection:
            return str(connection.transport.connection.server_properties["version"])

    async def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl`; raises `AssertionError` with what it said when it fails."""
        command = [program(CONTROL) or CONTROL, "--node", self._node_name, *arguments]
        process = await asyncio.create_subprocess_exec(
            *command,
            env=self._environment(self._settings()),
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), CONTROL_SECONDS)
        assert process.returncode == 0, said.decode()

    def close(self) -> None:
        """End the node and its epmd."""
        for process in filter(None, (self._node, self._epmd)):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(10)

    def _environment(self, settings: dict[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | settings

    def _spawn(self, command: list[str], settings: dict[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                command,
                env=self._environment(settings),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def _settings(self) -> dict[str, str]:
        folder = self._folder
        return {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._node_name,
            "RABBITMQ_DIST_PORT": str(self._distribution),
            # Only on this machine, and without threads that spin when there is nothing to do.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} "
            "+sbwt none +sbwtdcpu none +sbwtdio none",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # So that the script becomes the node instead of waiting beside it: our child is what we kill.
            "RUNNING_UNDER_SYSTEMD": "1",
        }
