"""What the functions read at their cold start: the database's address, out of Secrets Manager."""

import json
import os
from importlib import import_module
from typing import Any
from urllib.parse import quote


def database_url() -> str:
    """Return the database's address: `ADLEDGER_DATABASE_URL`, or one made of the secret and host that are named."""
    given = os.environ.get("ADLEDGER_DATABASE_URL")
    if given:
        return given
    secret = read_secret(os.environ["DATABASE_SECRET"])
    user, password = (quote(secret[part], safe="") for part in ("username", "password"))
    host, name = os.environ["DATABASE_HOST"], os.environ["DATABASE_NAME"]
    return f"postgresql://{user}:{password}@{host}:5432/{name}?sslmode=require"


def read_secret(arn: str) -> dict[str, Any]:
    """Return a secret of Secrets Manager."""
    # Part of the Lambda runtime, and nowhere else: imported where it is needed.
    client = import_module("boto3").client("secretsmanager")
    found: dict[str, Any] = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    return found
