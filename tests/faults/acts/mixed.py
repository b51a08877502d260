"""Many faults at random, one after another."""

from tests.faults.acts import broker, clients, database, messages, network, processes
from tests.faults.scenario import Act
from tests.faults.stage import Stage

QUICK: tuple[Act, ...] = (
    processes.killed_at("consumer", "appended", 3),
    processes.killed_at("ingest", "confirmed", 3),
    processes.consumers_killed(2),
    broker.brokers_killed(1),
    broker.connections_closed,
    database.stopped,
    database.restarted_fast,
    database.backends_ended(1000, 2),
    database.commit_unanswered(2),
    database.rows_locked,
    database.disk_full,
    network.connections_reset,
    network.cut_inside_frames,
    network.crawling,
    network.confirms_dropped,
    messages.poisoned,
    clients.misbehaved,
    clients.reverts_race,
)


def at_random(count: int) -> Act:
    """So many faults one after another, each drawn by chance."""

    async def act(stage: Stage) -> None:
        for _ in range(count):
            chosen = stage.chance.choice(QUICK)
            stage.history.note("fault", act=getattr(chosen, "__qualname__", ""))
            await chosen(stage)
            stage.network.heal()

    return act
