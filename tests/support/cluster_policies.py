"""What the manifests must be together, held against the code: each policy yields its complaints."""

from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from services.gateway import SAFE_METHODS
from services.ingest.consumer.settings import ConsumerSettings
from shared.database import create_reader, create_writer
from shared.topology import Topology
from tests.support.manifests import PORTS, Manifest, Manifests, name, of_kind, ours, pod

DATABASE_PORT = 5432
BROKER_PORTS = {5671, 5672}


def autoscalers_fit(manifests: Manifests) -> Iterator[str]:
    """Complain unless each process has exactly one autoscaler, which never goes to zero and owns the number of pods."""
    scaled = {process: list(_ranges(manifests, process)) for process in PORTS}
    for process, ranges in scaled.items():
        if len(ranges) != 1:
            yield f"{process} has {len(ranges)} autoscalers"
        elif ranges[0][0] < 1 or ranges[0][1] < ranges[0][0]:
            yield f"{process} may scale to nothing"
        if process in ours(manifests) and "replicas" in ours(manifests)[process][0]["spec"]:
            yield f"{process} states a number of replicas that its autoscaler owns"


def _ranges(manifests: Manifests, process: str) -> Iterator[tuple[int, int]]:
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        if scaler["spec"]["scaleTargetRef"]["name"] == process:
            yield scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]
    for scaler in of_kind(manifests, "ScaledObject"):
        if scaler["spec"]["scaleTargetRef"]["name"] == process:
            yield scaler["spec"].get("minReplicaCount", 0), scaler["spec"]["maxReplicaCount"]


def queues_are_the_codes(manifests: Manifests) -> Iterator[str]:
    """Complain about a trigger on a queue that does not exist, or that does not count unacknowledged work."""
    for scaler in of_kind(manifests, "ScaledObject"):
        queues = set()
        for trigger in scaler["spec"]["triggers"]:
            metadata = trigger["metadata"]
            queues.add(metadata["queueName"])
            if metadata.get("protocol") != "http" or metadata.get("excludeUnacknowledged", "false") != "false":
                yield f"{metadata['queueName']} is measured without its unacknowledged work"
        topology = Topology(ConsumerSettings.model_fields["queue_prefix"].default)
        if queues != {topology.batches, topology.commands}:
            yield f"the consumer scales on {sorted(queues)}"


def connections_fit(manifests: Manifests) -> Iterator[str]:
    """Complain when all pods at their most, and a surge of one each, open more connections than the database has."""
    most = {process: max((high for _, high in _ranges(manifests, process)), default=0) + 1 for process in PORTS}
    reader, writer = _most_connections(create_reader("")), _most_connections(create_writer(""))
    needed = most["query"] * reader + most["consumer"] * writer + 1
    for cluster in of_kind(manifests, "Cluster", "StatefulSet"):
        if name(cluster) != "postgres":
            continue
        available = _max_connections(cluster)
        if needed > available - 20:
            yield f"{needed} connections do not fit into {available}"


def _most_connections(engine: AsyncEngine) -> int:
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return pool.size() + int(vars(pool)["_max_overflow"])


def _max_connections(cluster: Manifest) -> int:
    if cluster["kind"] == "Cluster":
        return int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
    arguments = pod(cluster)["containers"][0]["args"]
    return int(next(each for each in arguments if each.startswith("max_connections=")).partition("=")[2])


def budgets_and_spread_exist(manifests: Manifests) -> Iterator[str]:
    """Complain about a process that a drain may end altogether, or whose pods may share one machine unseen."""
    budgets = [each["spec"]["selector"]["matchLabels"] for each in of_kind(manifests, "PodDisruptionBudget")]
    for process in PORTS.keys() & ours(manifests).keys():
        labels = ours(manifests)[process][0]["spec"]["template"]["metadata"]["labels"]
        if not any(budget.items() <= labels.items() for budget in budgets):
            yield f"{process} has no disruption budget"
        constraints = pod(ours(manifests)[process][0]).get("topologySpreadConstraints", [])
        if not constraints or any(each.get("matchLabelKeys") != ["pod-template-hash"] for each in constraints):
            yield f"{process} is not spread"


def migration_comes_first(manifests: Manifests) -> Iterator[str]:
    """Complain unless the migration is a hook in a wave before the processes and after what it needs."""
    waves = {(each["kind"], name(each)): wave_of(each) for each in manifests}
    job = waves.get(("Job", "migrate"))
    if job is None:
        return
    annotations = of_kind(manifests, "Job")[0]["metadata"].get("annotations", {})
    if annotations.get("argocd.argoproj.io/hook") != "Sync":
        yield "the migration is no sync hook"
    for (kind, what), wave in waves.items():
        needed = kind in {"Namespace", "ServiceAccount", "ExternalSecret", "Cluster"} or what in {
            "to-database",
            "to-dns",
        }
        if what != "gateway" and needed and wave >= job:
            yield f"{kind} {what} comes after the migration that needs it"
        if kind == "Deployment" and wave <= job:
            yield f"{what} does not wait for the migration"


def wave_of(manifest: Manifest) -> int:
    """Return the wave in which ArgoCD applies a manifest."""
    return int(manifest["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0"))


def network_is_closed(manifests: Manifests) -> Iterator[str]:
    """Complain unless egress is denied by default, and database and broker are open to exactly who needs them."""
    allowed = {
        "ingest": BROKER_PORTS,
        "consumer": BROKER_PORTS | {DATABASE_PORT},
        "query": {DATABASE_PORT},
        "migrate": {DATABASE_PORT},
    }
    for process, ports in allowed.items():
        labels = {"app.kubernetes.io/name": process}
        policies = [
            each for each in of_kind(manifests, "NetworkPolicy") if selects(each["spec"]["podSelector"], labels)
        ]
        kinds = {kind for each in policies for kind in each["spec"]["policyTypes"]}
        if kinds != {"Ingress", "Egress"}:
            yield f"{process} is not closed by default"
        rules = [rule for each in policies for rule in each["spec"].get("egress", ())]
        if any("ports" not in rule or "to" not in rule for rule in rules):
            yield f"{process} may go anywhere"
        opened = {port["port"] for rule in rules for port in rule.get("ports", ())} - {53}
        if opened != ports:
            yield f"{process} may reach {sorted(opened)}"


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Tell whether a selector is about pods with these labels."""
    matches = selector.get("matchLabels", {}).items() <= labels.items()
    expressions = selector.get("matchExpressions", ())
    return matches and all(
        each["operator"] == "In" and labels.get(each["key"]) in each["values"] for each in expressions
    )


def routes_follow_the_method(manifests: Manifests) -> Iterator[str]:
    """Complain unless safe methods go to query and the others to ingest, on the ports of their Services."""
    services = {name(each): {port["port"] for port in each["spec"]["ports"]} for each in of_kind(manifests, "Service")}
    for route in of_kind(manifests, "HTTPRoute"):
        rules = [rule for rule in route["spec"]["rules"] if "backendRefs" in rule]
        kept = [rule["matches"] for rule in route["spec"]["rules"] if "backendRefs" not in rule]
        if kept != [[{"path": {"type": "Exact", "value": "/metrics"}}]]:
            yield "metrics are told to the world"
        for rule in rules:
            for match in rule["matches"]:
                wanted = "query" if match["method"] in SAFE_METHODS else "ingest"
                if [each["name"] for each in rule["backendRefs"]] != [wanted]:
                    yield f"{match['method']} does not go to {wanted}"
            for backend in rule["backendRefs"]:
                if backend["port"] not in services.get(backend["name"], ()):
                    yield f"{backend['name']} has no port {backend['port']}"
        methods = {match["method"] for rule in rules for match in rule["matches"]}
        if not {"GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"} <= methods:
            yield "a method is not routed"
    if not of_kind(manifests, "HTTPRoute", "Ingress"):
        yield "nothing leads to the services"
