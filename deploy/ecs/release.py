#!/usr/bin/env python3
"""Rolls the services of a cluster over to new images, after the migration with them; or back to what ran before.

    release.py deploy --cluster adledger --images FOLDER --before before.json
    release.py rollback --cluster adledger --before before.json

The folder holds a file for each process, migrate.txt and so on, with the image's full name and digest.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import boto3

SERVICES = ("consumer", "query", "ingest")
COPIED = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "ephemeralStorage",
    "runtimePlatform",
)
"""What a new revision of a task definition takes over from the last one."""


class Cluster:
    """A cluster that deploy/ecs has made, and its services."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._ecs = boto3.client("ecs")
        self._ec2 = boto3.client("ec2")

    def running(self) -> dict[str, str]:
        """Return the task definition of each service."""
        found = self._ecs.describe_services(cluster=self._name, services=list(SERVICES))["services"]
        return {service["serviceName"]: service["taskDefinition"] for service in found}

    def register(self, process: str, image: str) -> str:
        """Return a new revision of a process's task definition, with another image."""
        last = self._ecs.describe_task_definition(taskDefinition=f"{self._name}-{process}")["taskDefinition"]
        containers = [{**container, "image": image} for container in last["containerDefinitions"]]
        given = {field: last[field] for field in COPIED if field in last}
        made = self._ecs.register_task_definition(**given, containerDefinitions=containers)
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def migrate(self, definition: str) -> None:
        """Run the migration to its end; exits with 1 when it fails."""
        subnets = self._subnets()
        started = self._ecs.run_task(
            cluster=self._name,
            taskDefinition=definition,
            launchType="FARGATE",
            count=1,
            networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": self._groups()}},
        )
        if started["failures"]:
            sys.exit(f"the migration does not start: {started['failures']}")
        task = started["tasks"][0]["taskArn"]
        waiter = self._ecs.get_waiter("tasks_stopped")
        waiter.wait(cluster=self._name, tasks=[task], WaiterConfig={"Delay": 6, "MaxAttempts": 600})
        ended = self._ecs.describe_tasks(cluster=self._name, tasks=[task])["tasks"][0]
        codes = [container.get("exitCode") for container in ended["containers"]]
        if codes != [0]:
            sys.exit(f"the migration failed: {ended.get('stoppedReason')} {codes}")

    def roll(self, definitions: dict[str, str]) -> None:
        """Give each service its task definition and wait until all are stable; exits with 1 when one went back."""
        for service, definition in definitions.items():
            self._ecs.update_service(cluster=self._name, service=service, taskDefinition=definition)
        waiter = self._ecs.get_waiter("services_stable")
        waiter.wait(cluster=self._name, services=list(definitions), WaiterConfig={"Delay": 10, "MaxAttempts": 120})
        wrong = {service for service, definition in self.running().items() if definition != definitions.get(service)}
        if wrong:
            sys.exit(f"ECS went back by itself: {', '.join(sorted(wrong))}")

    def _subnets(self) -> list[str]:
        service: dict[str, Any] = self._ecs.describe_services(cluster=self._name, services=["consumer"])["services"][0]
        return list(service["networkConfiguration"]["awsvpcConfiguration"]["subnets"])

    def _groups(self) -> list[str]:
        wanted = [{"Name": "group-name", "Values": [f"{self._name}-migrate"]}]
        return [group["GroupId"] for group in self._ec2.describe_security_groups(Filters=wanted)["SecurityGroups"]]


def deploy(cluster: Cluster, images: Path, before: Path) -> None:
    """Migrate, then roll over; what ran before is written down first."""
    named = {process: (images / f"{process}.txt").read_text().strip() for process in ("migrate", *SERVICES)}
    before.write_text(json.dumps(cluster.running(), indent=2) + "\n")
    cluster.migrate(cluster.register("migrate", named["migrate"]))
    print("migrated")
    cluster.roll({service: cluster.register(service, named[service]) for service in SERVICES})
    print("rolled over")


def rollback(cluster: Cluster, before: Path) -> None:
    """Go back to what ran before; the schema stays, as old code works on it."""
    cluster.roll(json.loads(before.read_text()))
    print("rolled back")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Roll adledger on ECS over to new images, or back.")
    parser.add_argument("action", choices=("deploy", "rollback"))
    parser.add_argument("--cluster", required=True)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--before", type=Path, required=True)
    given = parser.parse_args()
    cluster = Cluster(given.cluster)
    if given.action == "rollback":
        rollback(cluster, given.before)
    elif given.images is None:
        parser.error("deploy needs --images")
    else:
        deploy(cluster, given.images, given.before)


if __name__ == "__main__":
    main()
