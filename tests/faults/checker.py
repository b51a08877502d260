"""After things are quiet: what the database holds, against what the clients were promised.

Which sendings became complete is the system's choice only where no client was told: an attempt that nobody got a
202 for must lie in the time of a request that failed. All values then follow from the files alone, by the model.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aio_pika
import asyncpg

from shared.topology import Topology
from tests.faults.files import File
from tests.support.model import fold

ASK_SECONDS = 10.0
METRICS = "impressions, clicks, conversions, cost"
QUERIES = {
    "stats": f"SELECT ad_group_id, date, device, {METRICS} FROM ad_group_stat",
    "rollup": f"SELECT campaign_id, date, {METRICS} FROM campaign_day",
    "ad_groups": "SELECT ad_group_id, name, campaign_id FROM ad_group",
    "campaigns": "SELECT campaign_id, name, type FROM campaign",
}
KEY_WIDTHS = {"stats": 3, "rollup": 2, "ad_groups": 1, "campaigns": 1}
ATTEMPTS = """
    SELECT a.id, a.upload_id::text, a.received_at, least(a.received_at, a.first_seen) AS place, a.state,
           a.reason, a.batches, a.rows_accepted, a.rows_rejected,
           u.attempt_id = a.id AS speaks,
           (SELECT count(*) FROM receipt r WHERE r.attempt_id = a.id) AS receipts,
           (SELECT count(*) FROM rejection r WHERE r.attempt_id = a.id) AS rejections,
           CASE u.kind WHEN 'campaigns' THEN (SELECT count(*) FROM campaign_entry e WHERE e.attempt_id = a.id)
                       WHEN 'ad_groups' THEN (SELECT count(*) FROM ad_group_entry e WHERE e.attempt_id = a.id)
                       ELSE coalesce(n.entries, 0) END AS entries
    FROM attempt a JOIN upload u ON u.id = a.upload_id
    LEFT JOIN (SELECT attempt_id, count(*) AS entries FROM stat_entry GROUP BY attempt_id) n ON n.attempt_id = a.id
"""
REVERTS = """
    SELECT upload_id::text, requested_at, least(requested_at, first_seen) AS place, applied_at IS NOT NULL AS applied
    FROM revert
"""
BUSY = """
    SELECT (SELECT count(*) FROM attempt WHERE state = 'complete')
         + (SELECT count(*) FROM revert WHERE applied_at IS NULL)
"""


@dataclass
class Findings:
    """What is wrong, in words, and how many keys have too little and too much."""

    violations: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0


def micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 10**6 + moment.microsecond


async def depths(url: str, topology: Topology) -> dict[str, int]:
    """Return how many messages wait in each queue; raises `TimeoutError` when the broker does not say."""
    connection = await aio_pika.connect(url, timeout=5)
    async with asyncio.timeout(ASK_SECONDS), connection, connection.channel() as channel:
        queues = {name: await channel.declare_queue(name, passive=True) for name in topology.queues()}
        return {name: queue.declaration_result.message_count or 0 for name, queue in queues.items()}


async def unsettled(connection: asyncpg.Connection, files: list[File]) -> str:
    """Return what is still on its way, in words; empty when nothing is."""
    busy = await connection.fetchval(BUSY)
    rows = await connection.fetch("SELECT upload_id::text, received_at FROM attempt WHERE state = 'applied'")
    applied = {(row["upload_id"], row["received_at"]) for row in rows}
    waiting = [f.name for f in files for at in f.answered if (f.id, datetime.fromisoformat(at)) not in applied]
    return f"{busy} to be applied, {len(waiting)} promised and not applied: {waiting[:5]}" if busy or waiting else ""


async def check(connection: asyncpg.Connection, files: list[File], skews: set[float]) -> Findings:
    """Hold the whole database against the files that were sent; `skews` is how wrong senders' clocks have been."""
    findings = Findings()
    by_id = {file.id: file for file in files}
    for file in files:
        file.upload.complete.clear()
        file.upload.reverts.clear()
    seen = set()
    for attempt in await connection.fetch(ATTEMPTS):
        _check_attempt(attempt, by_id.get(attempt["upload_id"]), findings, skews)
        seen.add((attempt["upload_id"], attempt["received_at"], attempt["state"]))
    _check_reverts(await connection.fetch(REVERTS), by_id, findings, skews)
    for file in files:
        for at in file.answered:
            if (file.id, datetime.fromisoformat(at), "applied") not in seen:
                findings.violations.append(f"{file.name} was accepted at {at} and is not applied")
                findings.lost += file.accepted
    expected = fold([file.upload for file in files])
    for name, query in QUERIES.items():
        _compare(name, await connection.fetch(query), expected[name], findings)
    return findings


def _within(at: datetime, begin: float, end: float, skews: set[float]) -> bool:
    return any(begin - 0.01 <= at.timestamp() - skew <= end + 0.01 for skew in skews)


def _check_reverts(rows: list[asyncpg.Record], by_id: dict[str, File], findings: Findings, skews: set[float]) -> None:
    """Hold each revert against the requests of clients, and tell it to the model."""
    asked = {file.id: file.taken_back for file in by_id.values()}
    for row in rows:
        windows = asked.get(row["upload_id"], [])
        if not any(_within(row["requested_at"], window.begin, window.end, skews) for window in windows):
            findings.violations.append(f"nobody asked to take {row['upload_id']} back at {row['requested_at']}")
        elif row["applied"]:
            by_id[row["upload_id"]].upload.reverts.add(micros(row["place"]))
    for file in by_id.values():
        times = [row["requested_at"] for row in rows if row["upload_id"] == file.id and row["applied"]]
        for window in file.taken_back:
            if window.sure and not any(_within(at, window.begin, window.end, skews) for at in times):
                findings.violations.append(f"{file.name}: was said to be taken back, and is not")


def _check_attempt(attempt: asyncpg.Record, file: File | None, findings: Findings, skews: set[float]) -> None:
    """Hold one sending against what its client knows; one that is complete is told to the model."""
    said = findings.violations.append
    if file is None:
        return said(f"attempt {attempt['id']} is of an upload that nobody sent")
    at = attempt["received_at"]
    if at not in map(datetime.fromisoformat, file.answered) and not any(
        _within(at, begin, end, skews) for begin, end in file.unknown
    ):
        said(f"{file.name}: nobody sent it at {at}")
    if attempt["state"] not in {"applied", "staging"}:
        said(f"{file.name}: {attempt['state']}, {attempt['reason']}")
    if attempt["state"] != "applied":
        return None
    file.upload.complete.add(micros(attempt["place"]))
    if attempt["receipts"] != attempt["batches"]:
        said(f"{file.name}: {attempt['receipts']} receipts of {attempt['batches']} batches")
    found = attempt["entries"], attempt["rejections"]
    expected = (file.accepted, file.rejected) if attempt["speaks"] else (0, 0)
    if found != expected:
        said(f"{file.name}: {found} entries and rejections instead of {expected}")
        findings.lost += max(0, expected[0] - found[0])
        findings.doubled += max(0, found[0] - expected[0])
    return None


def _compare(name: str, rows: list[asyncpg.Record], expected: dict[Any, Any], findings: Findings) -> None:
    """Count a key as lost when it is absent or below its value, as doubled when there is too much of it."""
    width = KEY_WIDTHS[name]
    found = {tuple(row[:width]) if width > 1 else row[0]: [*row[width:]] for row in rows}
    wanted = {key: [*value] for key, value in expected.items()}
    wrong = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
    for key in wrong:
        more = key not in wanted or (key in found and name in {"stats", "rollup"} and found[key] > wanted[key])
        findings.doubled += more
        findings.lost += not more
    if wrong:
        examples = [(key, found.get(key), wanted.get(key)) for key in wrong[:3]]
        findings.violations.append(f"{name}: {len(wrong)} keys differ, such as (key, found, expected) {examples}")
