import json
import re
from html import escape
from html.parser import HTMLParser
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from typing_extensions import override

from shared.schema import DOCUMENT, schema_routes
from shared.schema_page import STYLE, render

VOID = {"meta", "link", "br"}
ANSWER = {"description": "Fine.", "content": {"application/json": {"schema": {}, "examples": {"a": {"value": 1}}}}}

document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
operations = [
    (path, method, operation) for path, item in document["paths"].items() for method, operation in item.items()
]


class Page(HTMLParser):
    """What a browser would make of a page: its anchors, links, text, and tags that were never closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name in {"href", "src"} and value]
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        self.text += data


html = render(document)
page = Page(html)


def article(operation_id: str) -> Page:
    found = re.search(rf'<article id="{operation_id}">.*?</article>', html, re.DOTALL)
    assert found
    return Page(found[0])


def small(**changes: Any) -> dict[str, Any]:
    operation = {"operationId": "look", "summary": "Look.", "responses": {"200": ANSWER}, **changes}
    return {"openapi": "3.1.0", "info": {"title": "small", "version": "1"}, "paths": {"/things": {"get": operation}}}


@pytest.fixture(scope="module")
def client() -> TestClient[Litestar]:
    return TestClient(Litestar(schema_routes(), openapi_config=None))


@pytest.mark.parametrize(("path", "method", "operation"), operations)
def test_every_path_and_method_is_on_the_page_under_an_anchor(path: str, method: str, operation: Any) -> None:
    assert f"{method.upper()} {path}" in article(operation["operationId"]).text


@pytest.mark.parametrize(("path", "method", "operation"), operations)
def test_every_operation_is_explained(path: str, method: str, operation: Any) -> None:
    text = " ".join(article(operation["operationId"]).text.split())
    for sentence in (operation["summary"], *(each["description"] for each in operation.get("parameters", []))):
        assert sentence.replace("`", "") in text, (path, method)


@pytest.mark.parametrize(("path", "method", "operation"), operations)
def test_every_answer_is_shown_with_its_example(path: str, method: str, operation: Any) -> None:
    text = article(operation["operationId"]).text
    for status, answer in operation["responses"].items():
        assert f"{status} {answer['description'].replace('`', '')}" in text, (path, method)
        for media in answer.get("content", {}).values():
            for example in media["examples"].values():
                value = example["value"]
                shown = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
                assert shown in text, (path, method, status)
        for name, header in answer.get("headers", {}).items():
            assert f"{name}: {header['example']}" in text, (path, method, status)


@pytest.mark.parametrize(("path", "method", "operation"), operations)
def test_every_operation_has_a_command_to_try(path: str, method: str, operation: Any) -> None:
    assert re.search(r"curl (-X \w+ )?'?http://127\.0\.0\.1:8000/[^{}]*\n?", article(operation["operationId"]).text), (
        path,
        method,
    )


def test_commands_send_the_examples() -> None:
    text = page.text
    assert "curl 'http://127.0.0.1:8000/performance-time-series?aggregate_by=month&campaign_ids=" in text
    assert "curl http://127.0.0.1:8000/uploads \\\n  -F file=@data/ad_group_stats.csv" in text
    rename = (
        "curl -X PATCH http://127.0.0.1:8000/campaigns/30517264981 \\\n  -H 'Content-Type: application/json' \\\n  -d "
    )
    assert rename + '\'{"name": "Tents"}\'' in text


def test_every_field_of_every_schema_is_on_the_page() -> None:
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema:
            text = article(f"schema-{name}").text
            assert [field for field in schema["properties"] if field not in text] == []


def test_every_link_leads_somewhere_on_the_page_or_to_the_document() -> None:
    assert {link for link in page.links if not link.startswith("#")} == {"/schema/openapi.json", "data:,"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_page_needs_nothing_from_elsewhere() -> None:
    assert page.tags.isdisjoint({"script", "img", "iframe", "object", "form"})
    assert not re.search(r"@import|url\(|\son\w+=|style=", html)


def test_the_page_is_well_formed() -> None:
    assert page.open == []


@pytest.mark.parametrize(
    "changes",
    [
        {"summary": "<script>alert(1)</script>"},
        {"description": "<script>alert(1)</script>"},
        {"tags": ['"><script>alert(1)</script>']},
        {"operationId": '"><script>alert(1)</script>'},
        {"parameters": [{"name": "<script>", "in": "<script>", "schema": {"type": "<script>", "enum": ["<script>"]}}]},
        {"parameters": [{"name": "a", "in": "query", "schema": {"default": "<script>"}, "description": "<script>"}]},
        {"responses": {"<script>": {"description": "<script>", "headers": {"<script>": {"example": "<script>"}}}}},
        {"responses": {"400": {"description": "", "content": {"<script>": {"schema": {"title": "<script>"}}}}}},
        {"requestBody": {"description": "<script>", "content": {"<script>": {"schema": {"examples": ["<script>"]}}}}},
    ],
)
def test_text_is_escaped(changes: dict[str, Any]) -> None:
    shown = render(small(**changes))
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_a_quote_in_an_example_cannot_end_the_command_it_is_in() -> None:
    body = {"content": {"application/json": {"schema": {}, "examples": {"a": {"value": {"name": "it's"}}}}}}
    assert escape("""-d '{"name": "it'"'"'s"}'""") in render(small(requestBody=body))


def test_references_and_optional_values_are_resolved() -> None:
    choice = {"oneOf": [{"$ref": "#/components/schemas/Step"}, {"type": "null"}]}
    parameters = [{"name": "by", "in": "query", "required": True, "schema": choice}]
    steps = {"components": {"schemas": {"Step": {"type": "string", "enum": ["day", "week"], "default": "day"}}}}
    text = " ".join(Page(render(small(parameters=parameters) | steps)).text.split())
    assert "byquery, requiredstring One of day, week. Default: day." in text


def test_the_schema_address_shows_the_page_to_browsers(client: TestClient[Litestar]) -> None:
    for accept in ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*", "image/png"):
        answer = client.get("/schema", headers={"Accept": accept})
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text == html


def test_the_schema_address_answers_json_to_who_prefers_it(client: TestClient[Litestar]) -> None:
    answer = client.get("/schema", headers={"Accept": "application/json, text/html;q=0.5"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Accept"
    assert answer.json() == document


def test_the_page_may_load_nothing_but_its_own_style(client: TestClient[Litestar]) -> None:
    policy = client.get("/schema").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert html.count("<style>") == 1
    assert f"<style>{STYLE}</style>" in html


def test_the_document_is_served_beside_the_page(client: TestClient[Litestar]) -> None:
    answer = client.get("/schema/openapi.json")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json"
    assert answer.json() == document
