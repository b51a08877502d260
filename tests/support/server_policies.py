"""What the manifests must be towards database and broker, whoever runs these: each policy yields its complaints."""

from collections.abc import Iterator

from tests.support.cluster_policies import selects, wave_of
from tests.support.manifests import Manifest, Manifests, name, of_kind

SERVERS = {"to-database": "postgres", "to-broker": "rabbitmq"}


def servers_are_reached(manifests: Manifests) -> Iterator[str]:
    """Complain when a way out leads to pods that there are not, or a server's own policy is about other pods."""
    pods = dict(_server_pods(manifests))
    for policy in of_kind(manifests, "NetworkPolicy"):
        if name(policy) not in SERVERS:
            continue
        for peer in policy["spec"]["egress"][0]["to"]:
            labels = pods.get(SERVERS[name(policy)], {})
            if "podSelector" in peer and not selects(peer["podSelector"], labels):
                yield f"{name(policy)} leads to no pod of {SERVERS[name(policy)]}"
    for server, labels in pods.items():
        policies = [each["spec"] for each in of_kind(manifests, "NetworkPolicy")]
        if not any(selects(each["podSelector"], labels) and "ingress" in each for each in policies):
            yield f"{server} is open to everybody"


def _server_pods(manifests: Manifests) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the labels that the pods of each server have: ours say so, an operator's are its own."""
    for each in of_kind(manifests, "StatefulSet"):
        yield name(each), each["spec"]["template"]["metadata"]["labels"]
    for each in of_kind(manifests, "Cluster"):
        yield name(each), {"cnpg.io/cluster": name(each)}
    for each in of_kind(manifests, "RabbitmqCluster"):
        yield name(each), {"app.kubernetes.io/name": name(each), "app.kubernetes.io/component": "rabbitmq"}


def rabbitmq_clusters_are_known(manifests: Manifests) -> Iterator[str]:
    """Complain about fields that a RabbitmqCluster does not have; no published schema says so."""
    known = {"replicas", "image", "persistence", "resources", "rabbitmq", "terminationGracePeriodSeconds", "affinity"}
    known |= {"service", "tls", "tolerations", "imagePullSecrets", "skipPostDeploySteps", "secretBackend", "override"}
    for cluster in of_kind(manifests, "RabbitmqCluster"):
        for field in cluster["spec"].keys() - known:
            yield f"a RabbitmqCluster has no field {field}"
        if cluster["spec"]["replicas"] % 2 == 0:
            yield "an even number of brokers has no majority"


def brokers_are_restricted(manifests: Manifests) -> Iterator[str]:
    """Complain about a RabbitmqCluster whose pods the namespace would refuse; its operator may leave it out."""
    for cluster in of_kind(manifests, "RabbitmqCluster"):
        pod = cluster["spec"].get("override", {}).get("statefulSet", {}).get("spec", {}).get("template", {})
        spec: Manifest = pod.get("spec", {})
        context = spec.get("securityContext", {})
        containers = {
            each["name"]: each.get("securityContext", {})
            for each in (*spec.get("containers", ()), *spec.get("initContainers", ()))
        }
        restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        if not context.get("runAsNonRoot") or context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield "the broker's pods are refused by the restricted standard"
        if any(containers.get(each) != restricted for each in ("rabbitmq", "setup-container")):
            yield "the broker's containers are refused by the restricted standard"


def ingest_comes_last(manifests: Manifests) -> Iterator[str]:
    """Complain unless the consumers are renewed before ingest, whose scaler must not come before it either."""
    waves = {(each["kind"], name(each)): wave_of(each) for each in manifests}
    ingest = waves.get(("Deployment", "ingest"), 0)
    if ingest <= waves.get(("Deployment", "consumer"), 0):
        yield "ingest is renewed before the consumers"
    if waves.get(("HorizontalPodAutoscaler", "ingest"), ingest) < ingest:
        yield "ingest is scaled before it is there"
