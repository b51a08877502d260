"""The Kubernetes manifests as a cluster gets them: rendered, valid, and true to the code."""

from pathlib import Path

import pytest
import yaml

from tests.support.manifests import Manifests, kustomizations, name, of_kind, ours, pod
from tests.support.policies import complaints
from tests.support.rendering import K8S, ROOT, core_complaints, custom_complaints, is_custom, render, tool

VERSIONS = ("1.30", "1.32", "1.34")
OVERLAYS = kustomizations(K8S)


@pytest.fixture(scope="module", params=OVERLAYS, ids=lambda path: path.name)
def overlay(request: pytest.FixtureRequest) -> tuple[str, Manifests]:
    return request.param.name, render(request.param)


def test_there_is_an_overlay_for_one_machine_and_one_for_production() -> None:
    assert {"local", "production"} <= {path.name for path in OVERLAYS}


def test_nothing_is_wrong_with_an_overlay(overlay: tuple[str, Manifests]) -> None:
    which, manifests = overlay
    assert complaints(manifests, local=which == "local") == []


def test_every_resource_is_in_the_namespace_and_no_name_is_used_twice(overlay: tuple[str, Manifests]) -> None:
    _, manifests = overlay
    named = [(each["kind"], name(each)) for each in manifests]
    assert len(named) == len(set(named))
    assert {each["metadata"].get("namespace") for each in manifests if each["kind"] != "Namespace"} == {"adledger"}


def test_what_a_pod_mounts_exists(overlay: tuple[str, Manifests]) -> None:
    _, manifests = overlay
    there = {(each["kind"], name(each)) for each in manifests}
    for workload, _ in ours(manifests).values():
        assert ("ServiceAccount", pod(workload)["serviceAccountName"]) in there
    for workload in of_kind(manifests, "Deployment", "StatefulSet"):
        for volume in pod(workload).get("volumes", ()):
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there


@pytest.mark.parametrize("version", VERSIONS)
def test_the_core_resources_fit_the_schemas_of_kubernetes(
    overlay: tuple[str, Manifests], version: str, tmp_path: Path
) -> None:
    core = [each for each in overlay[1] if not is_custom(each)]
    assert core_complaints(core, version, tmp_path) == []


def test_the_custom_resources_fit_their_schemas(overlay: tuple[str, Manifests]) -> None:
    # A RabbitmqCluster has no published schema: a policy of our own knows its fields.
    custom = [each for each in overlay[1] if is_custom(each) and each["kind"] != "RabbitmqCluster"]
    if custom:
        assert custom_complaints(custom) == ""


def test_the_argocd_application_fits_its_schema_and_points_to_production() -> None:
    application = yaml.safe_load((K8S / "argocd" / "application.yaml").read_text())
    assert (ROOT / application["spec"]["source"]["path"] / "kustomization.yaml").exists()
    assert custom_complaints([application]) == ""


def test_checkov_finds_nothing_but_what_is_waived(overlay: tuple[str, Manifests], tmp_path: Path) -> None:
    which, manifests = overlay
    waived = {
        "CKV_K8S_11": "no CPU limits on purpose",
        "CKV_K8S_15": "images have tags that never move, so they need not be pulled again",
        "CKV_K8S_43": "the pipeline sets digests",
    }
    if which == "local":
        waived |= {
            "CKV_K8S_8": "PostgreSQL and RabbitMQ are not restarted for being slow",
            "CKV_K8S_22": "their images write their root",
            "CKV_K8S_35": "they read their password from the environment",
            "CKV_K8S_40": "they have the user 999",
        }
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(yaml.safe_dump_all(manifests))
    skip = ",".join(waived)
    command = [
        "-f",
        rendered,
        "--framework",
        "kubernetes",
        "--compact",
        "--quiet",
        "--skip-download",
        "--skip-check",
        skip,
    ]
    done = tool("checkov", *command)
    assert done.returncode == 0, done.stdout


def test_the_local_database_makes_the_same_roles_as_the_one_of_compose() -> None:
    roles = (K8S / "overlays" / "local" / "roles.sh").read_text()
    assert roles == (ROOT / "deploy" / "compose" / "roles.sh").read_text()


def test_the_gateways_of_compose_and_kubernetes_differ_only_in_how_they_find_the_services() -> None:
    files = [ROOT / "deploy" / "compose" / "gateway.conf", K8S / "components" / "ingress" / "gateway.conf"]
    compose, kubernetes = (path.read_text().partition("    server {\n") for path in files)
    assert compose[2] == kubernetes[2]
    lines = {path: [line.split() for line in path.read_text().splitlines()] for path in files}
    for found in lines.values():
        methods = {line[0]: line[1].removesuffix(";").partition(":")[0] for line in found if len(line) == 2}
        assert {key: methods[key] for key in ("default", "GET", "HEAD", "OPTIONS")} == {
            "default": "ingest",
            "GET": "query",
            "HEAD": "query",
            "OPTIONS": "query",
        }
