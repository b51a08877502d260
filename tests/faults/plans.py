"""Which faults are caused, and how often: a slice for every test run, the suite, and the full count."""

from tests.faults.acts import broker, clients, database, enormous, messages, mixed, network, processes
from tests.faults.acts.processes import killed_at
from tests.faults.scenario import Scenario

CONSUMER_POINTS = (
    ("on delivery", "delivered", 6),
    ("after the receipt", "receipted", 5),
    ("after the copy, before COMMIT", "appended", 5),
    ("after COMMIT, before the ack", "committed", 5),
    ("amid the fold of many uploads", "folding", 3),
    ("after the fold, before COMMIT", "folded", 2),
    ("having written ahead of its turn", "ahead", 3),
)
INGEST_POINTS = (
    ("before the first confirms", "publishing", 3),
    ("amid the window", "confirmed", 3),
    ("all confirmed, before the 202", "all-confirmed", 3),
)


def slice_() -> list[Scenario]:
    """Return what fits into a minute: a consumer, the broker, the database and the network."""
    return [
        Scenario("kill -9 of a consumer", "after COMMIT, before the ack", killed_at("consumer", "committed", 3)),
        Scenario("all backends ended x 2", "under load", database.backends_ended(1000, 2)),
        Scenario("every connection reset x 3", "under load", network.connections_reset),
        Scenario("COMMIT's answer is lost x 4", "storing and applying", database.commit_unanswered(3)),
        Scenario("poison", "among healthy batches", messages.poisoned),
        Scenario("kill -9 of the broker", "publishing and consuming", broker.brokers_killed(1)),
    ]


def _processes() -> list[Scenario]:
    consumers = [
        Scenario("kill -9 of a consumer", moment, killed_at("consumer", point, latest), large=1, row="2")
        for moment, point, latest in CONSUMER_POINTS
    ]
    ingests = [
        Scenario("kill -9 of an ingest", moment, killed_at("ingest", point, latest), large=2, row="1")
        for moment, point, latest in INGEST_POINTS
    ]
    return [
        *ingests,
        *consumers,
        Scenario("kill -9 of consumers x 8", "every 0.2 to 3 s", processes.consumers_killed(8), large=1, row="3"),
        Scenario("SIGTERM of a consumer", "amid a batch", processes.consumer_told_to_end, row="4"),
        Scenario("SIGTERM of an ingest", "amid an upload", processes.ingest_told_to_end, row="4"),
        Scenario("SIGSTOP of a consumer", "holding the appliers' lock", processes.consumer_stopped, row="5"),
        Scenario(
            "a consumer raises the unknown", "after the receipt", processes.fails_at("receipted", "raise"), row="20"
        ),
        Scenario("a consumer hangs", "after the receipt", processes.consumer_hangs, row="20"),
        Scenario("start on a deep queue, one killed", "40 uploads deep", processes.deep_queue, row="22"),
        Scenario("started before servers let in", "start", processes.started_too_early),
        Scenario("clocks 5 h ahead and late", "sending", processes.clock_jumps),
        Scenario("the broker's name is unknown", "start", processes.name_unknown),
        Scenario("ingest may open no more files", "under load", processes.out_of_files),
        Scenario("ingest's disk is full", "under load", processes.disk_full_for_ingest),
    ]


def _servers() -> list[Scenario]:
    return [
        Scenario("SIGSTOP of the broker", "publishing and consuming", broker.broker_stopped, row="6"),
        Scenario("kill -9 of the broker", "publishing and consuming", broker.brokers_killed(1), large=1, row="7"),
        Scenario("kill -9 of the broker", "50 uploads deep, no consumer", broker.deep_broker_killed, row="7"),
        Scenario("stop_app, start_app", "under load", broker.application_stopped, row="8"),
        Scenario("the broker closes all connections", "under load", broker.connections_closed, row="8"),
        Scenario("memory alarm", "publishing", broker.memory_alarm, row="9"),
        Scenario("disk alarm", "publishing", broker.disk_alarm, row="9"),
        Scenario("queue full (3 messages)", "publishing", broker.queue_full, large=1, row="10"),
        Scenario("queue deleted x 3", "publishing", broker.queue_deleted, row="11"),
        Scenario("permissions taken", "publishing", broker.permissions_taken),
        Scenario("the broker says nothing", "connecting", broker.silent_broker),
        Scenario("PostgreSQL stops at once", "under load", database.stopped, large=1, row="14"),
        Scenario("PostgreSQL stops at once", "amid the copy", database.stopped_at("appended"), row="14"),
        Scenario("PostgreSQL stops at once", "before COMMIT of a fold", database.stopped_at("folded"), row="14"),
        Scenario("PostgreSQL stops at once", "idle", database.stopped_idle, row="14"),
        Scenario("PostgreSQL and the broker restart", "under load", broker.both_restarted),
        Scenario("one backend ended x 6", "under load", database.backends_ended(1, 6), large=1, row="15"),
        Scenario("all backends ended x 3", "under load", database.backends_ended(1000, 3), large=1, row="15"),
        Scenario("PostgreSQL restarts fast", "under load", database.restarted_fast, row="15"),
        Scenario("COMMIT's answer is lost x 4", "storing and applying", database.commit_unanswered(4), row="16"),
        Scenario("silence after BEGIN", "storing", database.silent_after_begin, row="16"),
        Scenario("100 ms to the database and back", "under load", database.far_away, row="16"),
        Scenario("the database's words are swallowed", "under load", database.swallowed),
        Scenario("the database says nothing", "connecting", database.silent_database),
        Scenario("rows locked by a stranger", "fold", database.rows_locked, row="17"),
        Scenario("tables locked by a stranger", "storing and applying", database.table_locked),
        Scenario("deadlock with a stranger", "fold", database.deadlocked, row="17"),
        Scenario("PostgreSQL's disk is full", "copy", database.disk_full, row="18"),
    ]


def _others() -> list[Scenario]:
    return [
        Scenario("confirms dropped", "publishing", network.confirms_dropped, large=1, row="12"),
        Scenario("every connection reset x 3", "under load", network.connections_reset, large=1, row="13"),
        Scenario("half-open to the broker", "under load", network.silent("broker", 13), row="13"),
        Scenario("half-open to the database", "under load", network.silent("database", 8), row="13"),
        Scenario("the broker's answers do not arrive", "under load", network.one_way("broker", up=False), row="13"),
        Scenario("packets to the database do not arrive", "under load", network.one_way("database", up=True), row="13"),
        Scenario("half-closed by the servers", "under load", network.half_closed, row="13"),
        Scenario("5 kB/s", "under load", network.crawling, row="13"),
        Scenario("cut inside frames and messages", "under load", network.cut_inside_frames, row="13"),
        Scenario("clients lose the answers", "all confirmed", network.answers_lost),
        Scenario("poison of 17 kinds", "among healthy batches", messages.poisoned, row="19"),
        Scenario("batches of other versions", "among healthy batches", messages.other_versions, row="22"),
        Scenario("clients hang up, dawdle, lie", "upload", clients.misbehaved, row="21"),
        Scenario("gzip bombs", "upload", clients.bombs, row="21"),
        Scenario("the same upload thrice at once", "two ingests", clients.twice_at_once, row="21"),
        Scenario("reverts and sendings at once", "fold", clients.reverts_race, row="23"),
        Scenario("taken back amid redelivery", "fold", clients.late_messages, row="23"),
        Scenario("faults at random", "one after another", mixed.at_random(4), row="24"),
    ]


def suite() -> list[Scenario]:
    """Return every scenario."""
    return [*_processes(), *_servers(), *_others()]


def full() -> list[Scenario]:
    """Return what takes longer: over 200 kills of consumers and 50 of the broker, 2 GB, and then every scenario."""
    return [
        Scenario("2 GB; SIGTERM amid it, then again", "upload", enormous.sent, row="4"),
        *[
            Scenario(f"kill -9 of consumers x 22 ({n})", "every 0.2 to 3 s", processes.consumers_killed(22, 2), large=2)
            for n in range(1, 11)
        ],
        *[
            Scenario(f"kill -9 of the broker x 10 ({n})", "publishing and consuming", broker.brokers_killed(10, 2))
            for n in range(1, 6)
        ],
        *suite(),
        Scenario("faults at random x 60", "one after another", mixed.at_random(60), row="24"),
    ]
