"""Faults in messages: poison of every kind, and messages of other versions that are none."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
import msgspec

from shared import wire
from shared.messages import Batch, Kind
from tests.faults.files import FIRST_DAY, File, stats_file
from tests.faults.stage import Stage
from tests.support.uploads import batches

HUGE = 5 * 2**20

Letter = tuple[dict[str, Any], bytes]


def poison() -> list[Letter]:
    """Return messages that nobody can take, each for a reason of its own."""
    rows = [(n, FIRST_DAY, 1, 1, 1, 1, 1) for n in range(1, 50)]
    good = batches(Kind.AD_GROUP_STATS, rows, datetime.now(UTC))[0]
    headers = dict(wire.batch_headers(good))
    return [
        ({**headers, wire.VERSION_HEADER: 99}, good.body),
        ({**headers, wire.SHA256_HEADER: "00"}, good.body),
        ({**headers, wire.MANIFEST_HEADER: "{}"}, good.body),
        ({**headers, wire.MANIFEST_HEADER: 7}, good.body),
        ({**headers, wire.NUMBER_HEADER: 7}, good.body),
        ({**headers, wire.PART_HEADER: "pictures"}, good.body),
        ({}, b'{"hello": "world"}'),
        ({}, b""),
        (headers, good.body[:-1]),
        *((dict(wire.batch_headers(each)), each.body) for each in _unloadable(good)),
    ]


def _unloadable(good: Batch) -> list[Batch]:
    """Return batches whose SHA-256 is right, and whose bodies are no rows."""
    line = b"1\t2026-01-01\t1\t1\t1\t1\t1\n"
    bodies = [
        b"",
        line[:-1],
        line.replace(b"1\t1\t1\t1", b"99999999999999999999\t1\t1\t1"),
        line.replace(b"\t1\n", b"\t\x00\n"),
        line.replace(b"2026-01-01", b"2026-02-30"),
        line.replace(b"1\n", b"1\t1\n"),
        b"\xff" * 100 + b"\n",
        b"x" * HUGE + b"\n",
    ]
    return [msgspec.structs.replace(good, body=body) for body in bodies]


async def poisoned(stage: Stage) -> None:
    """Messages that nobody can take come among the healthy ones."""
    for headers, body in poison():
        await asyncio.sleep(stage.chance.uniform(0, 0.2))
        await publish(stage, headers, body)
        stage.poison += 1


async def publish(stage: Stage, headers: dict[str, Any], body: bytes) -> None:
    """Send something to the queue of batches, as any program may that knows the queue."""
    connection = await aio_pika.connect(stage.broker.url)
    async with connection, connection.channel() as channel:
        message = aio_pika.Message(body, headers=headers, content_type=wire.BATCH_TYPE)
        await channel.default_exchange.publish(message, routing_key=stage.topology.batches)


async def other_versions(stage: Stage) -> None:
    """Batches of an earlier version, whose manifest says less, and of a later one, whose manifest says more."""
    for n, change in enumerate((_older, _newer)):
        value = stage.chance.randrange(1, 10**9)
        file = stats_file(f"version-{n}", {(500 + n, FIRST_DAY + timedelta(n), 1): [value, value, value, value]})
        batch = batches(Kind.AD_GROUP_STATS, file.upload.rows, datetime.now(UTC))[0]
        headers = dict(wire.batch_headers(batch))
        headers[wire.MANIFEST_HEADER] = change(str(headers[wire.MANIFEST_HEADER]))
        await publish(stage, headers, batch.body)
        _promised(stage, file, batch)


def _promised(stage: Stage, file: File, batch: Batch) -> None:
    file.id = str(batch.manifest.upload_id)
    file.answered.append(batch.manifest.received_at.isoformat())
    stage.load.add(file)


def _older(manifest: str) -> str:
    said = msgspec.json.decode(manifest)
    needed = {name: value for name, value in said.items() if name not in {"fixes", "sender", "currency"}}
    return msgspec.json.encode(needed).decode()


def _newer(manifest: str) -> str:
    return msgspec.json.encode({**msgspec.json.decode(manifest), "from_the_future": [1, 2, 3]}).decode()
