"""What each pod must be, held against the code of the process in it: each policy yields its complaints."""

from collections.abc import Iterator

from pydantic import SecretStr

from services.ingest.consumer.app import STOP_SECONDS
from services.serving import GRACE_SECONDS
from shared.health import health_routes
from tests.support.manifests import (
    PORTS,
    SETTINGS,
    Manifest,
    Manifests,
    name,
    of_kind,
    ours,
    pod,
    quantity,
    workloads,
)

STOP_MARGIN = 5.0
HEALTH_PATHS = {path for route in health_routes({}) for path in route.paths}


def all_processes_are_there(manifests: Manifests) -> Iterator[str]:
    """Complain about a process that is missing."""
    for process in SETTINGS.keys() - ours(manifests).keys():
        yield f"{process} is missing"


def pods_are_restricted(manifests: Manifests) -> Iterator[str]:
    """Complain about what the restricted Pod Security Standard refuses in a pod, and about tokens."""
    for workload in workloads(manifests):
        spec = pod(workload)
        context = spec.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or context.get("runAsUser", 0) == 0:
            yield f"{name(workload)} may run as root"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name(workload)} has no seccomp profile"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name(workload)} has a token of the cluster"
        if spec.keys() & {"hostNetwork", "hostPID", "hostIPC"} or any("hostPath" in v for v in spec.get("volumes", ())):
            yield f"{name(workload)} reaches into the host"
    for namespace in of_kind(manifests, "Namespace"):
        if namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
            yield "the namespace does not enforce the restricted standard"


def containers_are_restricted(manifests: Manifests) -> Iterator[str]:
    """Complain about a container that may become more than it is, or that can change its own files."""
    for workload in workloads(manifests):
        for container in (*pod(workload)["containers"], *pod(workload).get("initContainers", ())):
            own = container.get("securityContext", {})
            if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
                yield f"{name(workload)} may gain privileges"
            if own.get("capabilities", {}).get("drop") != ["ALL"] or "add" in own.get("capabilities", {}):
                yield f"{name(workload)} has capabilities"
            if name(workload) not in {"postgres", "rabbitmq"} and own.get("readOnlyRootFilesystem") is not True:
                yield f"{name(workload)} can write its root file system"


def resources_are_stated(manifests: Manifests) -> Iterator[str]:
    """Complain about requests and limits that are missing, no quantities, or the wrong way round."""
    for workload in workloads(manifests):
        for container in pod(workload)["containers"]:
            requests, limits = (container.get("resources", {}).get(each, {}) for each in ("requests", "limits"))
            if not {"cpu", "memory"} <= requests.keys() or "memory" not in limits:
                yield f"{name(workload)} does not say what it needs"
            try:
                wanted, most = (
                    {key: quantity(str(value)) for key, value in each.items()} for each in (requests, limits)
                )
            except (KeyError, ValueError):
                yield f"{name(workload)} names a quantity that is none"
                continue
            if any(wanted[key] > most.get(key, float("inf")) for key in wanted):
                yield f"{name(workload)} requests more than its limit"


def images_are_pinned(manifests: Manifests) -> Iterator[str]:
    """Complain about images without a tag or digest of their own."""
    for workload in workloads(manifests):
        for container in pod(workload)["containers"]:
            image = container["image"].rpartition("/")[2]
            if ":" not in image or image.endswith(":latest"):
                yield f"{name(workload)} runs whatever {container['image']} is that day"


def settings_exist(manifests: Manifests) -> Iterator[str]:
    """Complain about settings and secrets that the process's settings do not know, or need and do not get."""
    for process, (workload, container) in ours(manifests).items():
        known = {f"ADLEDGER_{field.upper()}": info for field, info in SETTINGS[process].model_fields.items()}
        given = {each["name"]: each.get("value") for each in container.get("env", ())}
        for variable in given.keys() - known.keys() - {"ADLEDGER_SECRETS_DIR"}:
            yield f"{process} has no setting {variable}"
        secret = {key for key, info in known.items() if info.annotation is SecretStr}
        for variable in given.keys() & secret:
            yield f"{process} gets {variable} in plain sight"
        mounted = _secret_keys(manifests, workload)
        for key in mounted - known.keys():
            yield f"{process} has no setting {key}"
        for key in secret - mounted:
            yield f"{process} does not get {key}"
        values = {key.removeprefix("ADLEDGER_").lower(): value for key, value in given.items() if key in known}
        try:
            settings = SETTINGS[process](**values)
        except ValueError as error:
            yield f"{process} cannot start: {error}"
            continue
        if process in PORTS and settings.model_dump()["port"] != container["ports"][0]["containerPort"]:
            yield f"{process} listens on another port than its container's"
        if process in PORTS and SETTINGS[process].model_fields["port"].default != PORTS[process]:
            yield f"{process} has another default port than the routes expect"


def _secret_keys(manifests: Manifests, workload: Manifest) -> set[str]:
    """Return the names of the files that the process finds in its folder of secrets."""
    volume = next(each for each in pod(workload)["volumes"] if each["name"] == "secrets")
    if "projected" in volume:
        return {item["path"] for source in volume["projected"]["sources"] for item in source["secret"]["items"]}
    wanted = volume["secret"]["secretName"]
    for secret in of_kind(manifests, "Secret", "ExternalSecret"):
        if name(secret) == wanted:
            template = secret.get("spec", {}).get("target", {}).get("template", {}).get("data")
            data = [each["secretKey"] for each in secret.get("spec", {}).get("data", ())]
            return set(template or data or secret.get("data", ()))
    return set()


def secrets_are_references(manifests: Manifests) -> Iterator[str]:
    """Complain about any secret value in the manifests; the local overlay alone may have them."""
    for secret in of_kind(manifests, "Secret"):
        yield f"Secret {name(secret)} holds values"


def probes_mean_something(manifests: Manifests) -> Iterator[str]:
    """Complain about probes that are missing, alike, or ask for a path that the process does not have."""
    for process in PORTS.keys() & ours(manifests).keys():
        container = ours(manifests)[process][1]
        probes = {
            kind: container.get(f"{kind}Probe", {}).get("httpGet", {}) for kind in ("startup", "liveness", "readiness")
        }
        for kind, probe in probes.items():
            if probe.get("path") not in HEALTH_PATHS:
                yield f"{process} has no {kind} path {probe.get('path')}"
            if probe.get("port") not in {each["name"] for each in container["ports"]}:
                yield f"{process}'s {kind} probe asks a port it does not have"
        if probes["readiness"].get("path") != "/health/ready" or probes["liveness"].get("path") != "/health/live":
            yield f"{process} is not asked for its life and its readiness"


def grace_periods_add_up(manifests: Manifests) -> Iterator[str]:
    """Complain about a grace period shorter than what a process needs to leave and to finish."""
    longest = max(GRACE_SECONDS, STOP_SECONDS)
    for process in PORTS.keys() & ours(manifests).keys():
        workload, container = ours(manifests)[process]
        command = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
        needed = float(command[1]) + longest + STOP_MARGIN
        if float(command[1]) == 0 or pod(workload).get("terminationGracePeriodSeconds", 30) < needed:
            yield f"{process} is killed before it can finish"
