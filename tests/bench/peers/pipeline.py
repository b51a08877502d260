"""The textbook pipeline: FastStream, one message a row, one upsert a message.

`pipeline.py consume AMQP DATABASE QUEUE` and `pipeline.py publish AMQP FILE QUEUE`; logging is off.
"""

import asyncio
import csv
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
from faststream import FastStream
from faststream.rabbit import RabbitBroker, RabbitQueue

UPSERT = """
    INSERT INTO stats (date, ad_group_id, device, impressions, clicks, conversions, cost)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (ad_group_id, date, device) DO UPDATE
    SET impressions = excluded.impressions, clicks = excluded.clicks,
        conversions = excluded.conversions, cost = excluded.cost
"""


async def consume(amqp: str, database: str, queue: str) -> None:
    """Upsert each message's row, for ever."""
    pool = await asyncpg.create_pool(database)
    broker = RabbitBroker(amqp, logger=None)

    @broker.subscriber(RabbitQueue(queue, durable=True))
    async def take(row: dict[str, Any]) -> None:
        await pool.execute(
            UPSERT,
            date.fromisoformat(row["date"]),
            int(row["ad_group_id"]),
            row["device"],
            int(row["impressions"]),
            int(row["clicks"]),
            Decimal(row["conversions"]),
            Decimal(row["cost"]),
        )

    await FastStream(broker, logger=None).run()


async def publish(amqp: str, file: str, queue: str) -> None:
    """Publish each row of a file as a persistent message."""
    async with RabbitBroker(amqp, logger=None) as broker:
        await broker.declare_queue(RabbitQueue(queue, durable=True))
        with Path(file).open(newline="") as rows:
            for row in csv.DictReader(rows):
                await broker.publish(row, queue, persist=True)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    asyncio.run({"consume": consume, "publish": publish}[what](*arguments))
