"""The ECS stack: true to the code, tested by Terraform itself, and applied against a small AWS."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.ingest.consumer.app import STOP_SECONDS
from services.serving import GRACE_SECONDS
from tests.support.manifests import PORTS, SETTINGS
from tests.support.pod_policies import HEALTH_PATHS
from tests.support.rendering import ROOT, TOOLS

ECS = ROOT / "deploy" / "ecs"
SERVICES = ("ec2", "ecs", "elbv2", "iam", "rds", "mq", "logs", "secretsmanager", "sts", "acm", "cloudwatch")
PROCESSES = ("migrate", "ingest", "consumer", "query")


@dataclass(frozen=True)
class Terraform:
    """Terraform on a copy of the stack, with its provider."""

    folder: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"TF_DATA_DIR": str(self.folder / ".data"), "TF_IN_AUTOMATION": "1"}
        whole = ["terraform", f"-chdir={self.folder / 'ecs'}", *command]
        return subprocess.run(whole, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    if shutil.which("terraform") is None:
        pytest.skip("there is no terraform here")
    folder = tmp_path_factory.mktemp("terraform")
    left_out = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars*")
    shutil.copytree(ECS, folder / "ecs", ignore=left_out)
    started = Terraform(folder)
    done = started.run("init", "-backend=false", "-input=false", "-no-color")
    if done.returncode != 0:
        pytest.skip("terraform has no AWS provider here: set TF_CLI_CONFIG_FILE to a configuration that names a mirror")
    return started


def test_the_stack_is_formatted_valid_and_passes_its_own_tests(terraform: Terraform) -> None:
    for command in (("fmt", "-check", "-recursive"), ("validate", "-no-color"), ("test", "-no-color")):
        done = terraform.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_ports_paths_settings_and_grace_are_the_codes() -> None:
    text = {path.name: path.read_text() for path in ECS.glob("*.tf")}
    found = re.search(r"ports = \{ (.+) \}", text["locals.tf"])
    assert found is not None
    assert dict(pair.split(" = ") for pair in found[1].split(", ")) == {name: str(port) for name, port in PORTS.items()}
    stop_timeout = int(re.findall(r"stop_timeout = (\d+)", text["locals.tf"])[0])
    assert max(GRACE_SECONDS, STOP_SECONDS) + 5 < stop_timeout <= 120
    assert set(re.findall(r"/health/\w+", "".join(text.values()))) <= HEALTH_PATHS
    secrets = text["locals.tf"].partition("secrets = {")[2]
    for process, given in re.findall(r"(\w+) += \{ (ADLEDGER_.+) \}", secrets):
        fields = {f"ADLEDGER_{field.upper()}" for field in SETTINGS[process].model_fields}
        wanted = {field for field in fields if field.endswith("_URL")}
        assert set(re.findall(r"ADLEDGER_\w+", given)) == wanted
    assert set(re.findall(r"ADLEDGER_\w+", text["services.tf"])) <= {"ADLEDGER_PORT"}


def test_no_password_is_in_the_stack() -> None:
    for path in ECS.glob("*.tf"):
        assert not re.search(r'password\s*=\s*"', path.read_text()), path.name


PREPARE = """
import boto3, json
ec2 = boto3.client("ec2")
vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
subnets = [
    ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"eu-central-1{'abc'[i % 3]}")
    for i in range(6)
]
ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
certificate = boto3.client("acm").request_certificate(DomainName="adledger.example.com")["CertificateArn"]
found = {"vpc_id": vpc, "public_subnet_ids": ids[:3], "private_subnet_ids": ids[3:], "certificate_arn": certificate}
print(json.dumps(found))
"""

LOOK = """
import boto3, json
ecs, elb, rds, scaling = (boto3.client(name) for name in ("ecs", "elbv2", "rds", "application-autoscaling"))
services = ecs.describe_services(cluster="adledger", services=["ingest", "consumer", "query"])["services"]
listener = elb.describe_listeners(LoadBalancerArn=elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"])
rules = elb.describe_rules(ListenerArn=listener["Listeners"][0]["ListenerArn"])["Rules"]
targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
policies = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
brokers = boto3.client("mq").list_brokers()["BrokerSummaries"]
print(json.dumps({
    "services": sorted(each["serviceName"] for each in services),
    "methods": [each["HttpRequestMethodConfig"]["Values"] for rule in rules for each in rule["Conditions"]
                if each["Field"] == "http-request-method"],
    "targets": sorted(each["ResourceId"].rpartition("/")[2] for each in targets),
    "policies": sorted(each["PolicyName"] for each in policies),
    "broker": [(each["EngineType"], each["DeploymentMode"]) for each in brokers],
    "encrypted": [each["StorageEncrypted"] for each in rds.describe_db_instances()["DBInstances"]],
}))
"""


@pytest.fixture(scope="module")
def applied(terraform: Terraform, aws: dict[str, str]) -> dict[str, str]:
    """The same environment, once the stack is applied there."""
    made = subprocess.run([TOOLS / "python", "-c", PREPARE], env=aws, capture_output=True, text=True, check=True)
    given = json.loads(made.stdout) | {"region": "eu-central-1", "broker_password": "0123456789abcdef"}
    given["images"] = {process: f"registry.example.com/adledger-{process}:0.1.0" for process in PROCESSES}
    (terraform.folder / "ecs" / "terraform.tfvars.json").write_text(json.dumps(given))
    url = aws["AWS_ENDPOINT_URL"]
    lines = "\n".join(f'    {service} = "{url}"' for service in (*SERVICES, "applicationautoscaling"))
    checks = "skip_credentials_validation", "skip_metadata_api_check", "skip_requesting_account_id"
    settings = "\n".join(f"  {check} = true" for check in checks)
    keys = '  access_key = "test"\n  secret_key = "test"'
    override = f'provider "aws" {{\n{keys}\n{settings}\n  endpoints {{\n{lines}\n  }}\n}}\n'
    (terraform.folder / "ecs" / "override.tf").write_text(override)
    done = terraform.run("apply", "-auto-approve", "-input=false", "-no-color")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return aws


@pytest.mark.timeout(600)
def test_the_stack_is_applied_and_what_it_promises_exists(applied: dict[str, str], terraform: Terraform) -> None:
    looked = subprocess.run([TOOLS / "python", "-c", LOOK], env=applied, capture_output=True, text=True, check=True)
    assert json.loads(looked.stdout) == {
        "services": ["consumer", "ingest", "query"],
        "methods": [["GET", "HEAD", "OPTIONS"]],
        "targets": ["consumer", "ingest", "query"],
        "policies": ["cpu", "cpu", "queue-depth"],
        "broker": [["RabbitMQ", "CLUSTER_MULTI_AZ"]],
        "encrypted": [True],
    }
    outputs = json.loads(terraform.run("output", "-json").stdout)
    assert outputs["cluster"]["value"] == "adledger"


@pytest.mark.timeout(600)
def test_a_release_rolls_the_services_over_and_back(applied: dict[str, str], tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for process in PROCESSES:
        (images / f"{process}.txt").write_text(f"registry.example.com/adledger-{process}@sha256:{'a' * 64}\n")
    before = tmp_path / "before.json"
    # The tasks that moto pretends never run and never end, so that nothing is waited for, and the migration is ours.
    script = f"""
import json, sys, types
sys.path.insert(0, {str(ECS)!r})
import release
from pathlib import Path
cluster = release.Cluster("adledger")
cluster._ecs.get_waiter = lambda name: types.SimpleNamespace(wait=lambda **_: None)
migrated = []
release.Cluster.migrate = lambda self, definition: migrated.append(definition)
release.deploy(cluster, Path({str(images)!r}), Path({str(before)!r}))
after = cluster.running()
release.rollback(cluster, Path({str(before)!r}))
print(json.dumps([migrated, after, cluster.running()]))
"""
    done = subprocess.run([TOOLS / "python", "-c", script], env=applied, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    migrated, after, back = json.loads(done.stdout.splitlines()[-1])
    assert [each.rpartition("/")[2] for each in migrated] == ["adledger-migrate:2"]
    revisions = {service: arn.rpartition("/")[2] for service, arn in after.items()}
    assert revisions == {service: f"adledger-{service}:2" for service in ("consumer", "query", "ingest")}
    assert back == json.loads(before.read_text())
