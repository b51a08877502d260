"""PostgreSQL from the wheel: it starts anywhere, outlives nothing, and survives being killed."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from services.embedded import EmbeddedPostgres, EmbeddedPostgresError, embedded_postgres

OWNER = """
import sys, time
from pathlib import Path
from services.embedded import embedded_postgres
with embedded_postgres(Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a space in its name, which the server's user can reach: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="adledger-tests-") as parent:
        Path(parent).chmod(0o711)
        yield Path(parent) / "a b"


def query(url: str, statement: str = "SELECT 1") -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


def gone(pid: int, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_data_survive_a_stop_and_a_start(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        query(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        first = postmaster(folder)
    assert gone(first)
    with embedded_postgres(folder) as server:
        assert query(server.url, "SELECT answer FROM kept") == 42


def test_no_port_is_opened_and_the_socket_is_private(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        assert query(server.url, "SHOW listen_addresses") == ""
        sockets = Path(server.url.partition("host=")[2])
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not sockets.exists()


def test_the_server_ends_with_an_owner_that_is_killed(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, folder], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert query(owner.stdout.readline().strip()) == 1
        server = postmaster(folder)
        owner.kill()
    assert gone(server)
    with embedded_postgres(folder) as again:
        assert query(again.url) == 1


def test_a_killed_server_is_started_again(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        assert not server.restart_if_dead()
        os.kill(postmaster(folder), signal.SIGKILL)
        end = time.monotonic() + 10
        while not server.restart_if_dead() and time.monotonic() < end:
            time.sleep(0.05)
        assert query(server.url) == 1


def test_a_stale_pid_file_that_names_a_living_process_does_not_hinder(folder: Path) -> None:
    with embedded_postgres(folder):
        lines = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    lines[0] = str(os.getpid())
    (folder / "postgres" / "postmaster.pid").write_text("\n".join(lines))
    with embedded_postgres(folder) as server:
        assert query(server.url) == 1


def test_a_second_process_on_the_same_folder_is_told_so(folder: Path) -> None:
    with (
        embedded_postgres(folder),
        pytest.raises(EmbeddedPostgresError, match="ADLEDGER_DATA_DIR"),
        embedded_postgres(folder),
    ):
        pass


def test_modes_of_folders_that_are_not_ours_stay_as_they_are(folder: Path) -> None:
    folder.mkdir(mode=0o750)
    folder.chmod(0o751)
    before = {path: path.stat().st_mode for path in (folder, *folder.parents)}
    with embedded_postgres(folder) as server:
        assert query(server.url) == 1
    assert {path: path.stat().st_mode for path in before} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be kept out of reach of its own server")
def test_root_may_use_a_folder_that_its_server_cannot_reach(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with embedded_postgres(closed / "data") as server:
        assert query(server.url) == 1
        place = (closed / "data" / "postgres").resolve()
        assert query(server.url, "SHOW data_directory") == str(place)
    shutil.rmtree(place)
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="no Python that everybody can reach")
def test_an_ordinary_user_can_use_it_after_root_has(folder: Path) -> None:
    with embedded_postgres(folder / "of root"):
        pass
    user = pwd.getpwnam("daemon")
    theirs = folder / "of daemon"
    theirs.mkdir()
    os.chown(theirs, user.pw_uid, user.pw_gid)
    # The wheel is found through the path, since the environment's own Python may be out of the user's reach.
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *(path for path in sys.path if path)])
    done = subprocess.run(
        ["/usr/bin/python3", "-c", OWNER.replace("time.sleep(60)", "pass"), theirs],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd="/",
        env={"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("postgresql://")


def test_without_the_wheel_the_message_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    folder.mkdir()
    with pytest.raises(EmbeddedPostgresError, match="ADLEDGER_DATABASE_URL"):
        EmbeddedPostgres(folder)
