import json
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.handlers import HTTPRouteHandler

from services.docs import openapi_document
from services.ingest.api.app import ROUTES as INGEST_ROUTES
from services.query.app import ROUTES as QUERY_ROUTES
from shared.health import health_routes
from shared.schema import DOCUMENT

MEND = "shared/openapi.json is not what the code says. Run: .venv/bin/adledger schema"

document = json.loads(DOCUMENT.read_text(encoding="utf-8"))


def operations() -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def routes(handlers: list[HTTPRouteHandler]) -> set[tuple[str, str]]:
    return {
        ("/".join(part.partition(":")[0] + "}" * (":" in part) for part in path.split("/")), method)
        for handler in handlers
        for path in handler.paths
        for method in handler.http_methods
    }


def numbers_as_strings(schema: Any) -> list[str]:
    fields = schema.get("properties", {}).items()
    return [name for name, field in fields if "cost" in name and "string" in json.dumps(field.get("oneOf", field))]


def test_the_document_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == openapi_document(), MEND


def test_the_document_is_the_same_however_often_it_is_made() -> None:
    assert openapi_document() == openapi_document()


def test_every_route_of_both_services_and_no_other_is_in_the_document() -> None:
    served = routes([*INGEST_ROUTES, *QUERY_ROUTES, *health_routes({})])
    assert {(path, method) for path, method, _ in operations()} == served


def test_every_operation_has_a_tag_that_the_document_explains() -> None:
    explained = {tag["name"] for tag in document["tags"]}
    assert {tag for _, _, operation in operations() for tag in operation["tags"]} == explained


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
def test_an_operation_says_what_it_does_and_how_it_succeeds(path: str, method: str, operation: Any) -> None:
    assert operation["summary"], (path, method)
    assert operation["description"], (path, method)
    assert [status for status in operation["responses"] if status.startswith("2")], (path, method)


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
def test_every_answer_has_an_example(path: str, method: str, operation: Any) -> None:
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).values()
        assert all(media["examples"] for media in content), (path, method, status)
        assert content or all("example" in header for header in answer["headers"].values()), (path, method, status)


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
def test_every_error_that_is_a_problem_says_its_own_status(path: str, method: str, operation: Any) -> None:
    for status, answer in operation["responses"].items():
        problem = answer.get("content", {}).get("application/problem+json")
        for example in problem["examples"].values() if problem else ():
            assert example["value"]["status"] == int(status), (path, method)
        assert status != "503" or not problem or "Retry-After" in answer["headers"], (path, method)


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
def test_every_parameter_is_described(path: str, method: str, operation: Any) -> None:
    for parameter in operation.get("parameters", []):
        assert parameter["description"], (path, method, parameter["name"])


@pytest.mark.parametrize(("name", "schema"), list(document["components"]["schemas"].items()))
def test_every_schema_is_described(name: str, schema: Any) -> None:
    assert schema["description"], name


def test_money_is_documented_as_numbers() -> None:
    schemas = document["components"]["schemas"]
    assert {name: wrong for name, schema in schemas.items() if (wrong := numbers_as_strings(schema))} == {}


def test_examples_keep_their_nulls() -> None:
    answer = document["paths"]["/campaigns"]["get"]["responses"]["200"]
    (example,) = answer["content"]["application/json"]["examples"].values()
    assert example["value"][-1]["campaign_id"] is None
