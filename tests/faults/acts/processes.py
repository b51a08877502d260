"""Faults of our own processes: killed, stopped, told to end, at a place in the code or at any time."""

import asyncio
import resource
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from tests.faults.files import File
from tests.faults.scenario import REACH_SECONDS, Act, expect
from tests.faults.stage import CONSUMERS, SPARES, Stage

STOP_SECONDS = 17.0
"""Longer than a transaction may be idle (`shared.database.WRITER_TIMEOUTS`)."""
GRACE_SECONDS = 40.0
SPARE_CONSUMER, SPARE_INGEST = SPARES


def killed_at(kind: str, point: str, latest: int) -> Act:
    """One of two processes kills itself at a failpoint, and is started again."""

    async def act(stage: Stage) -> None:
        name = stage.fleet.named(kind)[0]
        await reaches(stage, name, point, "kill", latest)
        expect(stage, await stage.fleet.dies(name, 5), f"the death of {name}")
        stage.fleet.restart(name)

    return act


async def reaches(stage: Stage, name: str, point: str, action: str, latest: int = 1) -> None:
    """Let something happen when a process comes to a place in the code, and wait until it does."""
    failpoint = f"{point}:{stage.chance.randint(1, latest)}:{action}"
    stage.history.note("armed", process=name, failpoint=failpoint)
    stage.fleet.arm(name, failpoint)
    expect(stage, await stage.fleet.reaches(name, f"Failpoint {point}: {action}", REACH_SECONDS), failpoint)


def fails_at(point: str, action: str) -> Act:
    """A consumer does something at a failpoint, once, and lives on."""

    async def act(stage: Stage) -> None:
        await reaches(stage, stage.fleet.named("consumer")[0], point, action, 3)

    return act


async def consumer_hangs(stage: Stage) -> None:
    """The handler of a consumer's message hangs for ever; its process is told to end, and another one takes over."""
    name = stage.fleet.named("consumer")[0]
    await reaches(stage, name, "receipted", "hang", 3)
    await stage.recovers()
    await stage.fleet.stop(name)
    stage.fleet.start(name)


def consumers_killed(times: int, large: int = 0) -> Act:
    """Consumers are killed at random moments, and started again at once, amid large uploads if so many are wanted."""

    async def act(stage: Stage) -> None:
        for _ in range(times):
            stage.large = large
            await asyncio.sleep(stage.chance.uniform(0.2, 3))
            name = stage.chance.choice(CONSUMERS)
            stage.history.note("kill", process=name)
            stage.fleet.restart(name)
        await stage.fleet.ready(*CONSUMERS)

    return act


async def consumer_stopped(stage: Stage) -> None:
    """A consumer that holds the appliers' lock stands still; the others take over before it goes on."""
    name = stage.fleet.named("consumer")[0]
    await reaches(stage, name, "folded", "sleep")
    stage.fleet.signal(name, signal.SIGSTOP)
    await asyncio.sleep(STOP_SECONDS * max(1, 3 * (stage.patience > 1)))
    seconds = await stage.recovers()
    stage.history.note("others went on", seconds=seconds)
    stage.fleet.signal(name, signal.SIGCONT)


async def consumer_told_to_end(stage: Stage) -> None:
    """A consumer is told to end amid a batch: it finishes that, and is gone within the time for it."""
    name = stage.fleet.named("consumer")[0]
    await reaches(stage, name, "appended", "sleep")
    await stage.fleet.stop(name)
    stage.fleet.start(name)


async def ingest_told_to_end(stage: Stage) -> None:
    """An ingest is told to end amid an upload: it takes that, and is gone within the time for it."""
    name = stage.fleet.named("ingest")[0]
    file = stage.load.new(stage.chance)
    begun = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        for n in range(20):
            yield file.content[n : n + 1]
            begun.set()
            await asyncio.sleep(0.1)
        yield file.content[20:]

    sending = asyncio.create_task(_send(f"{stage.fleet[name].url}/uploads", file, body()))
    await begun.wait()
    await stage.fleet.stop(name)
    answer = await sending
    expect(stage, answer.status_code == 202, f"a 202 ({answer.text})")
    stage.load.accepted(file, answer.json()["uploads"][0])
    stage.fleet.start(name)


async def _send(url: str, file: File, body: AsyncIterator[bytes]) -> httpx.Response:
    parameters = {"mode": file.mode.value, "kind": file.upload.kind.value, "filename": file.name}
    headers = {"Idempotency-Key": file.key} if file.key else {}
    async with httpx.AsyncClient(timeout=GRACE_SECONDS) as http:
        return await http.post(url, params=parameters, headers=headers, content=body)


async def clock_jumps(stage: Stage) -> None:
    """An ingest whose clock is hours ahead, and one whose clock is hours late, send among the others."""
    for hours in (5, -5):
        stage.skews.add(hours * 3600.0)
        stage.fleet.start(SPARE_INGEST, skew=hours * 3600)
        await stage.fleet.ready(SPARE_INGEST)
        await asyncio.sleep(2)
        await stage.fleet.stop(SPARE_INGEST)


async def deep_queue(stage: Stage) -> None:
    """Consumers start on a queue that has grown without them, and one of them is killed at once."""
    await stage.fleet.stop(*CONSUMERS)
    await asyncio.gather(*(stage.load.probe() for _ in range(40)))
    for name in CONSUMERS:
        stage.fleet.start(name)
    await stage.fleet.ready(*CONSUMERS)
    stage.fleet.restart(CONSUMERS[0])


async def started_too_early(stage: Stage) -> None:
    """A consumer and an ingest are started while neither broker nor database let anybody in."""
    ways = [*stage.network.to("broker", "consumer-3"), *stage.network.to("database", "consumer-3")]
    ways += stage.network.to("broker", SPARE_INGEST)
    for way in ways:
        way.refuses = True
    stage.fleet.start(SPARE_CONSUMER)
    stage.fleet.start(SPARE_INGEST)
    await asyncio.sleep(2.5)
    for way in ways:
        way.heal()
    await stage.fleet.ready(SPARE_CONSUMER, SPARE_INGEST)
    await stage.recovers()
    await stage.fleet.stop(SPARE_CONSUMER, SPARE_INGEST)


async def name_unknown(stage: Stage) -> None:
    """The broker's host has no address for an ingest: it says 503, and the others go on."""
    settings = {"ADLEDGER_AMQP_URL": "amqp://adledger:secret@broker.invalid/"}
    stage.fleet.start(SPARE_INGEST, settings=settings)
    expect(stage, await _lives(stage, SPARE_INGEST), "an ingest that lives")
    async with httpx.AsyncClient(timeout=20) as http:
        answer = await http.post(f"{stage.fleet[SPARE_INGEST].url}/uploads", content=stage.load.files[-1].content)
    expect(stage, answer.status_code == 503, f"a 503 ({answer.status_code} {answer.text})")
    await stage.fleet.stop(SPARE_INGEST)


async def _lives(stage: Stage, name: str) -> bool:
    async with httpx.AsyncClient(timeout=5) as http:
        for _ in range(200):
            try:
                return (await http.get(f"{stage.fleet[name].url}/health/live")).is_success
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    return False


def _count_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


async def out_of_files(stage: Stage) -> None:
    """The ingest may not open another file for a while."""
    pid = stage.fleet[stage.fleet.named("ingest")[0]].process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (_count_files(pid) + 1, limits[1]))
    await asyncio.sleep(4)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


async def disk_full_for_ingest(stage: Stage) -> None:
    """The ingest may not write more than a few bytes into a file for a while, as on a full disk."""
    pid = stage.fleet[stage.fleet.named("ingest")[0]].process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (16, limits[1]))
    await asyncio.sleep(3)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
