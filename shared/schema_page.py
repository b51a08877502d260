"""The API's documentation as one HTML page: no script, nothing from elsewhere, made from the OpenAPI document alone.

Pure: no framework. Whatever comes out of the document goes through `html.escape`.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

BASE = "http://127.0.0.1:8000"
METHODS = ("post", "get", "put", "patch", "delete")
STYLE = """
:root { color-scheme: light dark; --soft: light-dark(#59636e, #9aa5b1); --line: light-dark(#d8dee4, #3a424c);
  --raised: light-dark(#f4f6f8, #1e242b); --get: light-dark(#0b6e4f, #56c596); --post: light-dark(#0a58ca, #79b8ff);
  --patch: light-dark(#8a5a00, #e3b341); --delete: light-dark(#b42318, #ff8d85) }
* { box-sizing: border-box } body { margin: 0; font: 1rem/1.55 system-ui, sans-serif } a { color: var(--post) }
h1 { margin: 0 0 1rem } h2 { margin: 3rem 0 0; border-bottom: 2px solid var(--line) } h3 { margin: 0 }
h4 { margin: 1.25rem 0 .25rem; color: var(--soft) } article { margin: 1.5rem 0 2.5rem } p { margin: .4rem 0 }
code { font: .875em/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere }
pre { margin: .5rem 0; padding: .75rem 1rem; white-space: pre-wrap; background: var(--raised); border-radius: .4rem }
header { padding: 1.25rem; background: var(--raised); border-bottom: 1px solid var(--line); font-size: .9rem }
nav ul { list-style: none; margin: 0 0 1rem; padding: 0 } main { min-width: 0; max-width: 58rem; padding: 1.25rem }
nav a, h3 a { display: flex; gap: .5rem; padding: .2rem 0; color: inherit; text-decoration: none }
.method { flex: none; align-self: start; width: 5em; border: 1px solid; border-radius: .3rem; text-align: center;
  font: 700 .75em/1.8 ui-monospace, Menlo, Consolas, monospace } .get { color: var(--get) } .post { color: var(--post) }
.put, .patch { color: var(--patch) } .delete { color: var(--delete) }
.soft, th { color: var(--soft); font-size: .875rem } summary { cursor: pointer }
table { width: 100%; border-collapse: collapse } td:first-child { width: 30% } td:nth-child(2) { width: 20% }
th, td { padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
details { padding: .4rem 0; border-bottom: 1px solid var(--line) } details details { border: 0 }
@media (max-width: 40rem) { thead { display: none } td:nth-child(n) { display: block; width: auto; padding: .1rem 0;
  border: 0 } tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line) } }
@media (min-width: 64rem) { body { display: grid; grid-template-columns: 22rem 1fr } main { padding: 2rem 3rem }
  header { position: sticky; top: 0; height: 100vh; overflow-y: auto; border-width: 0 1px 0 0 } }
"""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class _Types:
    """The document's schemas, by name."""

    schemas: Json

    def resolve(self, schema: Json) -> dict[str, Any]:
        """Return the schema with all it refers to merged into it; `nullable` says that null stood beside it."""
        choices = schema.get("oneOf", [])
        parts = [*schema.get("allOf", ()), *(part for part in choices if part.get("type") != "null")]
        if "$ref" in schema:
            parts.append(self.schemas[schema["$ref"].rsplit("/", 1)[-1]])
        merged = {name: value for part in parts for name, value in self.resolve(part).items()}
        return {**merged, **schema, "nullable": {"type": "null"} in choices}

    def label(self, schema: Json) -> str:
        """Return what a schema is, in a few words; an object with a name is a link to its fields."""
        full = self.resolve(schema)
        label = escape(str(full.get("format", full.get("type", "anything"))))
        if "properties" in full and "title" in full:
            title = escape(full["title"])
            label = f'<a href="#schema-{title}">{title}</a>'
        elif "items" in full:
            label = f"list of {self.label(full['items'])}"
        elif "additionalProperties" in full:
            label = f"object of {self.label(full['additionalProperties'])}"
        return f"{label} or null" if full["nullable"] else label


def render(document: Json) -> str:
    """Return the page of an OpenAPI document."""
    info = document["info"]
    types = _Types(document.get("components", {}).get("schemas", {}))
    groups = _groups(document)
    title = f"{escape(info['title'])} {escape(info['version'])}"
    sections = "".join(_section(tag, operations, types) for tag, operations in groups)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><header><h1>{title}</h1>{_contents(groups)}</header><main>"
        f"{_paragraphs(info.get('description', ''))}<p>For programs, the same as OpenAPI: "
        f'<a href="/schema/openapi.json">/schema/openapi.json</a></p>{sections}{_schemas(types)}</main></body></html>\n'
    )


def _groups(document: Json) -> list[tuple[Json, list[Json]]]:
    """Return each tag with its operations, in the document's order."""
    tags = {tag["name"]: tag for tag in document.get("tags", ())}
    found: dict[str, list[Json]] = {name: [] for name in tags}
    for path, item in document["paths"].items():
        for method in filter(item.__contains__, METHODS):
            operation = {**item[method], "path": path, "method": method}
            found.setdefault(next(iter(operation.get("tags", ())), "Other"), []).append(operation)
    return [(tags.get(name, {"name": name}), operations) for name, operations in found.items() if operations]


def _contents(groups: Iterable[tuple[Json, list[Json]]]) -> str:
    lists = []
    for tag, operations in groups:
        items = "".join(f'<li><a href="#{escape(each["operationId"])}">{_name(each)}</a></li>' for each in operations)
        lists.append(f'<strong><a href="#tag-{escape(tag["name"])}">{escape(tag["name"])}</a></strong><ul>{items}</ul>')
    return f'<nav aria-label="Contents">{"".join(lists)}<strong><a href="#schemas">Schemas</a></strong></nav>'


def _section(tag: Json, operations: Iterable[Json], types: _Types) -> str:
    articles = "".join(_article(operation, types) for operation in operations)
    name = escape(tag["name"])
    return f'<section><h2 id="tag-{name}">{name}</h2>{_paragraphs(tag.get("description", ""))}{articles}</section>'


def _name(operation: Json) -> str:
    return f'<span class="method {operation["method"]}">{operation["method"].upper()}</span> {_code(operation["path"])}'


def _article(operation: Json, types: _Types) -> str:
    anchor = escape(operation["operationId"])
    answers = "".join(_answer(status, response, types) for status, response in operation["responses"].items())
    return (
        f'<article id="{anchor}"><h3><a href="#{anchor}">{_name(operation)}</a></h3>'
        f"<p><strong>{_text(operation['summary'])}</strong></p>{_paragraphs(operation.get('description', ''))}"
        f"{_parameters(operation.get('parameters', ()), types)}{_body(operation.get('requestBody'), types)}"
        f"<h4>Try it</h4>{_pre(_curl(operation, types))}<h4>Answers</h4>{answers}</article>"
    )


def _parameters(parameters: Iterable[Json], types: _Types) -> str:
    rows = []
    for each in parameters:
        place = f"{escape(each['in'])}, {'required' if each.get('required') else 'optional'}"
        full = types.resolve(each["schema"])
        about = _text(each.get("description", "")) + _limits(full)
        about += f" Default: {_code(full['default'])}." if "default" in full else ""
        rows.append((each["name"], place, types.label(each["schema"]).removesuffix(" or null"), about))
    return f"<h4>Parameters</h4>{_table('Name', rows)}" if rows else ""


def _limits(full: Json) -> str:
    if "enum" in full:
        return f" One of {', '.join(map(_code, full['enum']))}."
    bounded = "minimum" in full and "maximum" in full
    return f" From {_code(full['minimum'])} to {_code(full['maximum'])}." if bounded else ""


def _body(body: Json | None, types: _Types) -> str:
    if body is None:
        return ""
    content = "".join(_media(name, media, types) for name, media in body["content"].items())
    return f"<h4>Request body</h4><p>{_text(body.get('description', ''))}</p>{content}"


def _answer(status: str, response: Json, types: _Types) -> str:
    content = response.get("content", {})
    inside = [_header(name, header, types) for name, header in response.get("headers", {}).items()]
    inside += [_media(name, media, types) for name, media in content.items()] or ["<p>No body.</p>"]
    is_error = status >= "400"
    details = [_text(each.get("summary", "")) for media in content.values() for each in _examples(media, types)]
    about = f' <span class="soft">{details[0]}</span>' if is_error and details else ""
    summary = f"<summary><strong>{escape(status)}</strong> {_text(response['description'])}{about}</summary>"
    return f"<details{'' if is_error else ' open'}>{summary}{''.join(inside)}</details>"


def _header(name: str, header: Json, types: _Types) -> str:
    line, label = f"{name}: {header.get('example', '…')}", types.label(header.get("schema", {}))
    return f"<p>{_code(line)} ({label}) {_text(header.get('description', ''))}</p>"


def _media(name: str, media: Json, types: _Types) -> str:
    examples = _examples(media, types) if not name.startswith("multipart/") else []  # the curl line tells
    lead = '<p class="soft">{}</p>' if len(examples) > 1 else ""
    shown = [lead.format(_text(each.get("summary", ""))) + _pre(each["value"]) for each in examples]
    full = types.resolve(media["schema"])
    full = types.resolve(full.get("items", full))
    fields = _fields(full, types) if "properties" in full else ""
    fields = f"<details{'' if shown else ' open'}><summary>Fields</summary>{fields}</details>" if fields else ""
    return f"<p>{_code(name)}: {types.label(media['schema'])}</p>{''.join(shown)}{fields}"


def _schemas(types: _Types) -> str:
    articles = []
    for title, schema in ((escape(each["title"]), each) for each in types.schemas.values() if "properties" in each):
        about = _paragraphs(schema.get("description", "")) + _fields(schema, types)
        articles.append(f'<article id="schema-{title}"><h3>{title}</h3>{about}</article>')
    return f'<section><h2 id="schemas">Schemas</h2>{"".join(articles)}</section>'


def _fields(full: Json, types: _Types) -> str:
    rows = []
    for name, schema in full["properties"].items():
        note = "" if name in full.get("required", ()) else "may be absent"
        about = _text(schema.get("description", "")) + _limits(types.resolve(schema))
        rows.append((name, note, types.label(schema), about))
    return _table("Field", rows)


def _table(first: str, rows: Iterable[tuple[str, str, str, str]]) -> str:
    """Return a table of names, notes below them, types and meanings; only the names are still to be escaped."""
    lines = [
        f'<tr><td>{_code(name)}<br><span class="soft">{note}</span></td><td>{label}</td><td>{about}</td></tr>'
        for name, note, label, about in rows
    ]
    head = f"<thead><tr><th>{first}</th><th>Type</th><th>Meaning</th></tr></thead>"
    return f"<table>{head}<tbody>{''.join(lines)}</tbody></table>"


def _curl(operation: Json, types: _Types) -> str:
    command = "curl" if operation["method"] in {"get", "post"} else f"curl -X {operation['method'].upper()}"
    parameters = {each["name"]: each for each in operation.get("parameters", ())}
    values = {name: given[0]["value"] for name, each in parameters.items() if (given := _examples(each, types))}
    query = {name: value for name, value in values.items() if parameters[name]["in"] == "query"}
    path = re.sub(r"{(\w+)}", lambda name: quote(str(values.get(name[1], name[0])), safe="{}"), operation["path"])
    url = f"{BASE}{path}{'?' if query else ''}{urlencode(query, doseq=True)}"
    return " \\\n  ".join([f"{command} {shlex.quote(url)}", *_curl_body(operation.get("requestBody"), types)])


def _curl_body(body: Json | None, types: _Types) -> list[str]:
    if body is None:
        return []
    name, media = next(iter(body["content"].items()))
    value: Any = next((each["value"] for each in _examples(media, types)), "")
    if name.startswith("multipart/"):
        return [f"-F {shlex.quote(f'{key}=@{file}')}" for key, files in value.items() for file in files]
    return [f"-H 'Content-Type: {name}'", f"-d {shlex.quote(value if isinstance(value, str) else json.dumps(value))}"]


def _examples(holder: Json, types: _Types) -> list[Json]:
    """Return the examples of a parameter or a body, or else those of its schema."""
    examples = list(holder.get("examples", {}).values())
    return examples or [{"value": value} for value in types.resolve(holder["schema"]).get("examples", ())]


def _pre(value: object) -> str:
    return f"<pre>{_code(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _code(value: object) -> str:
    return f"<code>{escape(str(value))}</code>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_text(part)}</p>" for part in text.split("\n\n") if part)


def _text(text: str) -> str:
    """Return text with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
