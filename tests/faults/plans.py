"""Which faults are caused, and how often: a slice for every test run, the suite, and the full count."""

from tests.faults.scenarios import (
    Scenario,
    backends_ended,
    broker_killed,
    broker_stopped,
    consumer_fails_at,
    consumer_killed_at,
    consumer_stopped,
    consumers_killed,
    database_stopped,
    deep_broker_killed,
    ingest_killed_at,
    poisoned,
)

KILL_CONSUMER = "kill -9 of one of two consumers"
KILL_INGEST = "kill -9 of ingest"
CONSUMER_POINTS = (
    ("on delivery", "delivered", 6),
    ("after the receipt", "receipted", 6),
    ("after the copy, before COMMIT", "appended", 6),
    ("after COMMIT, before the ack", "committed", 6),
    ("amid the fold", "folding", 4),
    ("after the fold, before COMMIT", "folded", 3),
)
INGEST_POINTS = (
    ("before the first confirms", "publishing", 4),
    ("amid the window", "confirmed", 4),
    ("all confirmed, before the 202", "all-confirmed", 6),
)


def slice_() -> list[Scenario]:
    """Return what fits into a minute."""
    return [
        Scenario(KILL_CONSUMER, "after COMMIT, before the ack", consumer_killed_at("committed", 6)),
        Scenario("kill -9 of the broker", "publishing and consuming", broker_killed),
        Scenario("PostgreSQL stops at once", "under load", database_stopped),
    ]


def suite(times: int = 1) -> list[Scenario]:
    """Return every scenario; `times` multiplies the runs and the kills."""
    points = [
        Scenario(KILL_CONSUMER, moment, consumer_killed_at(point, latest), 2 * times, large=1)
        for moment, point, latest in CONSUMER_POINTS
    ]
    ingest = [
        Scenario(KILL_INGEST, moment, ingest_killed_at(point, latest), 2 * times, large=2)
        for moment, point, latest in INGEST_POINTS
    ]
    return [
        *points,
        Scenario("consumer raises the unknown", "after the receipt", consumer_fails_at("receipted"), times),
        Scenario("kill -9 of consumers x 20", "every 0.2 to 3 s", consumers_killed(20), 2 * times, large=1),
        Scenario("SIGSTOP of a consumer, 20 s", "holding the appliers' lock", consumer_stopped, times),
        *ingest,
        Scenario("kill -9 of the broker", "publishing and consuming", broker_killed, 5 * times, large=1),
        Scenario("kill -9 of the broker", "60 uploads deep, no consumer", deep_broker_killed, times),
        Scenario("SIGSTOP of the broker, 14 s", "publishing and consuming", broker_stopped, times),
        Scenario("PostgreSQL stops at once", "under load", database_stopped, 3 * times, large=1),
        Scenario("all backends ended x 3", "under load", backends_ended, 3 * times, large=1),
        Scenario("poison", "among healthy batches", poisoned, times),
    ]
