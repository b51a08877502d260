"""Every policy on the Kubernetes manifests, and what all of them say."""

from tests.support import cluster_policies, pod_policies, server_policies
from tests.support.manifests import Manifests, Policy

POLICIES: tuple[Policy, ...] = (
    pod_policies.all_processes_are_there,
    pod_policies.pods_are_restricted,
    pod_policies.containers_are_restricted,
    pod_policies.resources_are_stated,
    pod_policies.images_are_pinned,
    pod_policies.settings_exist,
    pod_policies.secrets_are_references,
    pod_policies.probes_mean_something,
    pod_policies.grace_periods_add_up,
    cluster_policies.autoscalers_fit,
    cluster_policies.queues_are_the_codes,
    cluster_policies.connections_fit,
    cluster_policies.budgets_and_spread_exist,
    cluster_policies.migration_comes_first,
    cluster_policies.network_is_closed,
    cluster_policies.routes_follow_the_method,
    server_policies.servers_are_reached,
    server_policies.rabbitmq_clusters_are_known,
    server_policies.brokers_are_restricted,
    server_policies.ingest_comes_last,
)


def complaints(manifests: Manifests, *, local: bool = False) -> list[str]:
    """Return what is wrong, in the words of the policies; `local` manifests may hold passwords."""
    asked = [policy for policy in POLICIES if not (local and policy is pod_policies.secrets_are_references)]
    return [complaint for policy in asked for complaint in policy(manifests)]
