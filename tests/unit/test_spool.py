import gzip
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import zstandard

from services.ingest.api.spool import CHUNK, BrokenArchiveError, Budget, Spool, TooLargeError, unpack, write

pytestmark = pytest.mark.anyio

PLENTY = 1 << 30
MEGABYTE = 1 << 20
CONTENT = b"".join(b"2024-01-%02d,%d\n" % (day % 28 + 1, day * 7919) for day in range(50_000))
NOISE = os.urandom(3 * CHUNK)

Pack = Callable[[bytes], bytes]

ALGORITHMS: dict[str, Pack] = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor(write_checksum=True).compress}
algorithms = pytest.mark.parametrize("pack", ALGORITHMS.values(), ids=ALGORITHMS.keys())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "0"
    path.write_bytes(content)
    return path


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@algorithms
@pytest.mark.parametrize("content", [CONTENT, NOISE, b"x", b""], ids=["text", "noise", "a byte", "nothing"])
def test_an_archive_is_replaced_by_its_content_and_hashed_as_that(pack: Pack, content: bytes, tmp_path: Path) -> None:
    path = file_of(tmp_path, pack(content))
    assert unpack(path, Budget(PLENTY)) == sha256(content)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@algorithms
def test_the_parts_of_an_archive_in_several_parts_are_joined(pack: Pack, tmp_path: Path) -> None:
    parts = [CONTENT, b"", NOISE, b"last\n"]
    path = file_of(tmp_path, b"".join(map(pack, parts)))
    assert unpack(path, Budget(PLENTY)) == sha256(b"".join(parts))
    assert path.read_bytes() == b"".join(parts)


def test_a_zstd_stream_of_unknown_size_and_a_skippable_frame_are_read(tmp_path: Path) -> None:
    writer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
    path = file_of(tmp_path, writer.compress(CONTENT) + writer.flush() + skippable)
    assert unpack(path, Budget(PLENTY)) == sha256(CONTENT)


@algorithms
def test_the_same_content_has_the_same_hash_however_it_was_packed(pack: Pack, tmp_path: Path) -> None:
    path = file_of(tmp_path, pack(CONTENT[:1000]) + pack(CONTENT[1000:]))
    assert unpack(path, Budget(PLENTY)) == unpack(file_of(tmp_path, gzip.compress(CONTENT, 1)), Budget(PLENTY))


def test_a_file_that_is_no_archive_is_left_as_it_is(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"date,cost\n")
    assert unpack(path, Budget(PLENTY)) is None
    assert path.read_bytes() == b"date,cost\n"


@algorithms
@pytest.mark.parametrize("content", [CONTENT, NOISE], ids=["text", "noise"])
@pytest.mark.parametrize("missing", [1, 4, 9, 100, 5000])
def test_a_truncated_archive_is_broken_wherever_it_is_cut(
    pack: Pack, content: bytes, missing: int, tmp_path: Path
) -> None:
    path = file_of(tmp_path, pack(content)[:-missing])
    with pytest.raises(BrokenArchiveError):
        unpack(path, Budget(PLENTY))


@pytest.mark.parametrize("says", [{}, {"write_checksum": True}, {"write_content_size": False}])
def test_a_zstd_archive_is_broken_wherever_it_is_cut_whatever_it_says_of_itself(
    says: dict[str, bool], tmp_path: Path
) -> None:
    packed = zstandard.ZstdCompressor(**says).compress(NOISE)
    whole_blocks = len(packed) * 2 // 3
    for cut in (whole_blocks, 12, 5, 4):
        with pytest.raises(BrokenArchiveError):
            unpack(file_of(tmp_path, packed[:cut]), Budget(PLENTY))


@algorithms
def test_an_archive_truncated_in_its_second_part_is_broken(pack: Pack, tmp_path: Path) -> None:
    with pytest.raises(BrokenArchiveError):
        unpack(file_of(tmp_path, pack(CONTENT) + pack(NOISE)[:-9]), Budget(PLENTY))


@algorithms
def test_an_archive_with_a_flipped_bit_is_broken(pack: Pack, tmp_path: Path) -> None:
    packed = bytearray(pack(NOISE))
    packed[len(packed) // 2] ^= 1
    with pytest.raises(BrokenArchiveError):
        unpack(file_of(tmp_path, bytes(packed)), Budget(PLENTY))


@algorithms
def test_an_archive_followed_by_something_else_is_broken(pack: Pack, tmp_path: Path) -> None:
    with pytest.raises(BrokenArchiveError):
        unpack(file_of(tmp_path, pack(CONTENT) + b"something else"), Budget(PLENTY))


@algorithms
def test_a_bomb_is_stopped_before_it_fills_the_disk(pack: Pack, tmp_path: Path) -> None:
    limit = MEGABYTE
    bomb = pack(bytes(64 * MEGABYTE))
    assert len(bomb) <= 64 * 1024 + 1024
    with pytest.raises(TooLargeError):
        unpack(file_of(tmp_path, bomb), Budget(limit))
    assert bytes_in(tmp_path) - len(bomb) <= limit + CHUNK


def test_a_zstd_bomb_is_unpacked_in_sips_so_that_it_fills_no_memory_either(tmp_path: Path) -> None:
    bomb = file_of(tmp_path, zstandard.ZstdCompressor(level=19).compress(bytes(512 * MEGABYTE)))
    script = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from services.ingest.api.spool import Budget, TooLargeError, unpack\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    unpack(Path(sys.argv[1]), Budget(1))\nexcept TooLargeError:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    grown = subprocess.run([sys.executable, "-c", script, bomb], capture_output=True, check=True, text=True)
    assert int(grown.stdout) < 64 * 1024


@algorithms
def test_content_of_just_the_limit_is_taken_and_one_byte_more_is_not(pack: Pack, tmp_path: Path) -> None:
    assert unpack(file_of(tmp_path, pack(NOISE)), Budget(len(NOISE))) == sha256(NOISE)
    with pytest.raises(TooLargeError, match=f"{len(NOISE) - 1:,} bytes"):
        unpack(file_of(tmp_path, pack(NOISE)), Budget(len(NOISE) - 1))


def test_files_that_share_a_budget_are_counted_together_packed_or_not(tmp_path: Path) -> None:
    budget = Budget(2500)
    unpack(file_of(tmp_path, b"x" * 1000), budget)
    unpack(file_of(tmp_path, gzip.compress(b"x" * 1000)), budget)
    with pytest.raises(TooLargeError):
        unpack(file_of(tmp_path, gzip.compress(b"x" * 1000)), budget)


async def test_a_stream_is_written_as_it_comes_and_hashed(tmp_path: Path) -> None:
    assert await write(stream(b"ab", b"", b"c"), tmp_path / "0", Budget(3)) == sha256(b"abc")
    assert (tmp_path / "0").read_bytes() == b"abc"


async def test_a_stream_over_the_limit_is_not_written_beyond_it(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError):
        await write(stream(*[b"x" * 100] * 20), tmp_path / "0", Budget(1000))
    assert bytes_in(tmp_path) == 1000


def test_a_request_s_folder_goes_with_all_it_holds_even_when_the_request_fails(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    folders = []

    def fail() -> None:
        with spool.folder() as folder:
            folders.append(folder)
            (folder / "deep" / "er").mkdir(parents=True)
            (folder / "deep" / "file").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [folder.exists() for folder in folders] == [False]


def test_requests_at_the_same_time_have_folders_of_their_own(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.folder() as one, spool.folder() as other:
        assert one != other
        assert one.is_dir()
        assert other.is_dir()


def test_a_closed_spool_leaves_nothing_but_its_lock(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "made" / "on the way")
    with spool.folder():
        spool.close()
    assert [path.name for path in (tmp_path / "made" / "on the way").iterdir()] == ["lock"]


DYING = """
import os, sys
from pathlib import Path
from services.ingest.api.spool import Spool
spool = Spool(Path(sys.argv[1]))
with spool.folder() as folder:
    (folder / "0").write_bytes(b"half an upload")
    print(folder, flush=True)
    sys.stdin.read(1)
    os._exit(9)
"""


def test_what_a_dead_process_left_is_swept_while_a_live_one_s_folder_is_left_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DYING, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().strip())
        Spool(tmp_path).close()
        assert (folder / "0").read_bytes() == b"half an upload"
        process.communicate("x")
    assert folder.exists()
    Spool(tmp_path).close()
    assert not folder.exists()
    assert not folder.parent.exists()


RESTLESS = """
import sys
from pathlib import Path
from services.ingest.api.spool import Spool
for _ in range(50):
    spool = Spool(Path(sys.argv[1]))
    with spool.folder() as folder:
        (folder / "0").touch()
    spool.close()
"""


def test_processes_that_start_together_do_not_sweep_each_other_away(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", RESTLESS, tmp_path]) for _ in range(8)]
    assert [process.wait(60) for process in processes] == [0] * 8
