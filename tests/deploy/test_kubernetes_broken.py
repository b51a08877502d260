"""Kubernetes manifests broken on purpose, each of which a policy or a schema must notice."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.manifests import Manifest, Manifests, name, of_kind, ours, pod
from tests.support.policies import POLICIES, complaints
from tests.support.rendering import K8S, core_complaints, custom_complaints, render


@pytest.fixture(scope="module")
def production() -> Manifests:
    return render(K8S / "overlays" / "production")


def container(manifests: Manifests, process: str) -> Manifest:
    return ours(manifests)[process][1]


def the(manifests: Manifests, kind: str, which: str) -> Manifest:
    return next(each for each in of_kind(manifests, kind) if name(each) == which)


def remove(manifests: Manifests, kind: str, which: str) -> None:
    manifests.remove(the(manifests, kind, which))


BROKEN: dict[str, Callable[[Manifests], Any]] = {
    "may run as root": lambda all_: pod(the(all_, "Deployment", "query"))["securityContext"].pop("runAsNonRoot"),
    "can write its root": lambda all_: container(all_, "ingest")["securityContext"].update(
        readOnlyRootFilesystem=False
    ),
    "has capabilities": lambda all_: container(all_, "query")["securityContext"]["capabilities"].update(
        add=["SYS_PTRACE"]
    ),
    "has a token": lambda all_: pod(the(all_, "Job", "migrate")).pop("automountServiceAccountToken"),
    "does not enforce": lambda all_: the(all_, "Namespace", "adledger")["metadata"]["labels"].clear(),
    "quantity that is none": lambda all_: container(all_, "query")["resources"]["requests"].update(cpu="250q"),
    "more than its limit": lambda all_: container(all_, "query")["resources"]["requests"].update(memory="4Gi"),
    "does not say what it needs": lambda all_: container(all_, "consumer").pop("resources"),
    "whatever": lambda all_: container(all_, "query").update(image="adledger-query:latest"),
    "has no setting ADLEDGER_HOTS": lambda all_: container(all_, "query")["env"].append(
        {"name": "ADLEDGER_HOTS", "value": "x"}
    ),
    "in plain sight": lambda all_: container(all_, "query")["env"].append(
        {"name": "ADLEDGER_DATABASE_URL", "value": "x"}
    ),
    "cannot start": lambda all_: container(all_, "ingest")["env"].append(
        {"name": "ADLEDGER_MAX_UPLOAD_BYTES", "value": "4Gi"}
    ),
    "another port": lambda all_: container(all_, "query")["ports"][0].update(containerPort=8001),
    "does not get ADLEDGER_DATABASE_URL": lambda all_: remove(all_, "ExternalSecret", "adledger-query"),
    "holds values": lambda all_: all_.append({"kind": "Secret", "metadata": {"name": "x"}, "stringData": {"a": "b"}}),
    "has no readiness path": lambda all_: container(all_, "consumer")["readinessProbe"]["httpGet"].update(
        path="/ready"
    ),
    "its life": lambda all_: container(all_, "consumer")["livenessProbe"]["httpGet"].update(path="/health/ready"),
    "killed before": lambda all_: pod(the(all_, "Deployment", "consumer")).update(terminationGracePeriodSeconds=30),
    "has 0 autoscalers": lambda all_: remove(all_, "ScaledObject", "consumer"),
    "to nothing": lambda all_: the(all_, "ScaledObject", "consumer")["spec"].update(minReplicaCount=0),
    "number of replicas": lambda all_: the(all_, "Deployment", "query")["spec"].update(replicas=2),
    "scales on": lambda all_: the(all_, "ScaledObject", "consumer")["spec"]["triggers"][0]["metadata"].update(
        queueName="batches"
    ),
    "without its unacknowledged": lambda all_: the(all_, "ScaledObject", "consumer")["spec"]["triggers"][0][
        "metadata"
    ].update(protocol="amqp"),
    "connections do not fit": lambda all_: the(all_, "HorizontalPodAutoscaler", "query")["spec"].update(maxReplicas=40),
    "no disruption budget": lambda all_: remove(all_, "PodDisruptionBudget", "query"),
    "is not spread": lambda all_: pod(the(all_, "Deployment", "ingest")).pop("topologySpreadConstraints"),
    "no sync hook": lambda all_: the(all_, "Job", "migrate")["metadata"].pop("annotations"),
    "comes after the migration": lambda all_: the(all_, "ExternalSecret", "adledger-query")["metadata"].pop(
        "annotations"
    ),
    "ingest may reach": lambda all_: the(all_, "NetworkPolicy", "to-database")["spec"]["podSelector"].update(
        matchExpressions=[
            {"key": "app.kubernetes.io/name", "operator": "In", "values": ["ingest", "consumer", "query"]}
        ]
    ),
    "may go anywhere": lambda all_: the(all_, "NetworkPolicy", "to-broker")["spec"]["egress"].append({}),
    "not closed by default": lambda all_: remove(all_, "NetworkPolicy", "deny-all"),
    "POST does not go to ingest": lambda all_: the(all_, "HTTPRoute", "adledger")["spec"]["rules"][2]["backendRefs"][
        0
    ].update(name="query", port=8002),
    "metrics are told": lambda all_: the(all_, "HTTPRoute", "adledger")["spec"]["rules"].pop(0),
    "has no port": lambda all_: the(all_, "HTTPRoute", "adledger")["spec"]["rules"][1]["backendRefs"][0].update(
        port=80
    ),
    "query is missing": lambda all_: remove(all_, "Deployment", "query"),
    "leads to no pod of postgres": lambda all_: the(all_, "NetworkPolicy", "to-database")["spec"]["egress"][0].update(
        to=[{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "postgres"}}}]
    ),
    "leads to no pod of rabbitmq": lambda all_: the(all_, "NetworkPolicy", "to-broker")["spec"]["egress"][0].update(
        to=[{"podSelector": {"matchLabels": {"adledger/role": "broker"}}}]
    ),
    "is open to everybody": lambda all_: remove(all_, "NetworkPolicy", "broker"),
    "the broker's pods are refused": lambda all_: the(all_, "RabbitmqCluster", "rabbitmq")["spec"].pop("override"),
    "ingest is renewed before": lambda all_: the(all_, "Deployment", "ingest")["metadata"].pop("annotations"),
    "ingest is scaled before": lambda all_: the(all_, "HorizontalPodAutoscaler", "ingest")["metadata"].pop(
        "annotations"
    ),
    "has no field": lambda all_: the(all_, "RabbitmqCluster", "rabbitmq")["spec"].update(replica=3),
}


@pytest.mark.parametrize("complaint", BROKEN)
def test_a_broken_manifest_is_noticed(production: Manifests, complaint: str) -> None:
    broken = copy.deepcopy(production)
    BROKEN[complaint](broken)
    assert any(complaint in each for each in complaints(broken)), complaints(broken)


def test_each_policy_has_a_manifest_that_breaks_it(production: Manifests) -> None:
    noticed = set()
    for spoil in BROKEN.values():
        broken = copy.deepcopy(production)
        spoil(broken)
        noticed |= {policy for policy in POLICIES if list(policy(broken))}
    assert noticed == set(POLICIES)


def test_a_typo_fits_no_schema(production: Manifests, tmp_path: Path) -> None:
    deployment = copy.deepcopy(the(production, "Deployment", "query"))
    deployment["spec"]["template"]["spec"]["container"] = []
    assert core_complaints([deployment], "1.32", tmp_path) != []
    unknown = {"apiVersion": "apps/v1", "kind": "Deploymnet", "metadata": {"name": "x"}}
    assert core_complaints([unknown], "1.32", tmp_path) != []
    scaler = copy.deepcopy(the(production, "ScaledObject", "consumer"))
    del scaler["spec"]["triggers"]
    assert custom_complaints([scaler]) != ""
