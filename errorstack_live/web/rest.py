"""The page that describes the API to people, made of its OpenAPI description."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from quart import Quart, current_app, render_template

from errorstack_live.model import Stack
from errorstack_live.query import EVERYTHING
from errorstack_live.web.api.openapi import KEPT, Described
from errorstack_live.web.api.route import SHARES, V1
from errorstack_live.web.auth import session
from errorstack_live.web.origin import public_url
from errorstack_live.web.state import state
from errorstack_live.web.streaming import EVENTS, LINES

TOKEN = "$TOKEN"  # noqa: S105 - what stands for it on the page
SLUG = "STACK"
_SHARED = SHARES.replace("<", "{").replace(">", "}")
_STACK = f"{V1}/stacks/{{slug}}"

QUERIES = {
    "get_errors": "query=level:error&since=1h",
    "get_export": "format=csv&query=level:error",
    "get_tail": "query=level:error",
    "get_minutes": "since=1h",
    "get_issues": "status=open",
    "delete_delete_stack": "confirm=STACK",
}
"""What an operation is asked in its line, by its name."""
BODIES: dict[str, dict[str, Any]] = {
    "post_create_stack": {"name": "Checkout"},
    "patch_change_stack": {"retention_days": 30},
    "post_create_share": {"name": "for Bob", "query": "level:error", "expires_in_s": 86400},
    "post_preview_rule": {"query": "level:error", "group": "Every error"},
    "post_beside": {"ask": {"type": "ping", "at": 1}},
    "patch_set_status": {"status": "resolved"},
}
"""What it takes in its line; others are made of their description."""
WORDS = {"query": "level:error"}
"""Texts that a line gives for a member of this name."""


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter, or a member of a JSON object."""

    name: str
    kind: str
    about: str
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it is shown; ``line`` is empty where no program can do it."""

    id: str
    method: str
    path: str
    summary: str
    about: str
    is_shared: bool
    is_for_members: bool
    asks: tuple[Value, ...]
    takes: tuple[Value, ...]
    answers: tuple[Value, ...]
    answer: str
    line: str


@dataclass(slots=True)
class Resource:
    """Operations under one heading."""

    name: str
    about: str
    operations: list[Operation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Example:
    """Things that there are, to be put into lines: a stack's name, ids of an error and an issue."""

    slug: str = SLUG
    error: str = "ERROR_ID"
    issue: str = "ISSUE_ID"

    def of(self, name: str) -> str:
        """What stands for a name in a path or a query."""
        known = {"slug": self.slug, "error_id": self.error, "issue_id": self.issue}
        return known.get(name) or (self.issue if name == "issues" else name.upper())


def register(app: Quart) -> None:
    """Serve ``/docs/rest`` to everybody; members see it with a stack of theirs."""

    @app.get("/docs/rest")
    async def rest_page() -> str:
        described = current_app.extensions[KEPT]
        assert isinstance(described, Described)  # set by ``openapi.register``, nowhere else
        stacks = await state().store.stacks.all() if await session() else []
        stack = stacks[0] if stacks else None
        schema, url, example = await described.schema(), public_url(), await _example(stack)
        return await render_template(
            "rest.html",
            url=url,
            stack=stack,
            resources=await asyncio.to_thread(resources, schema, url, example),
        )


async def _example(stack: Stack | None) -> Example:
    if stack is None:
        return Example()
    newest = (await state().store.errors.find(stack.id, EVERYTHING, limit=1)).errors
    if not newest:
        return Example(stack.slug)
    return Example(stack.slug, newest[0].id, newest[0].issue)


def resources(described: Mapping[str, Any], url: str, example: Example) -> list[Resource]:
    """The description as the page shows it."""
    found = {
        tag["name"]: Resource(tag["name"], tag["description"].partition("\n\n")[0])
        for tag in described["tags"]
    }
    reader = _Reader(described, url, example)
    for path, methods in described["paths"].items():
        if not path.startswith(_SHARED):
            for method, about in methods.items():
                found[about["tags"][0]].operations.append(reader.operation(method, path, about))
    return [each for each in found.values() if each.operations]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads operations out of one description."""

    described: Mapping[str, Any]
    url: str
    example: Example

    def operation(self, method: str, path: str, about: Mapping[str, Any]) -> Operation:
        """One of them."""
        shared = self.described["paths"].get(path.replace(_STACK, _SHARED), {})
        is_for_members = about.get("security") == [{"session": []}]
        taken = about.get("requestBody", {}).get("content", {}).get("application/json", {})
        takes = tuple(self._members(taken.get("schema", {})))
        answer = next(each for status, each in about["responses"].items() if status < "300")
        kinds = list(answer.get("content", {}))
        schema = answer["content"][kinds[0]]["schema"] if kinds else {}
        return Operation(
            id=about["operationId"],
            method=method.upper(),
            path=path,
            summary=about["summary"],
            about=about.get("description", ""),
            is_shared=method in shared and path.startswith(f"{_STACK}/"),
            is_for_members=is_for_members,
            asks=tuple(
                Value(each["name"], self._kind(each["schema"]) + _bounds(each["schema"]),
                      each.get("description", ""), each["required"])
                for each in about["parameters"]
                if each["in"] == "query"
            ),
            takes=takes,
            answers=tuple(self._members(schema)),
            answer=" or ".join(kinds) if kinds else "nothing (204)",
            line="" if is_for_members else self._line(method, path, about, takes, kinds),
        )  # fmt: skip

    def _members(self, schema: Mapping[str, Any]) -> Iterator[Value]:
        schema = self._whole(schema)
        needed = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            yield Value(name, self._kind(each), self._about(each), name in needed)

    def _whole(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        return self.described["components"]["schemas"][name] if name else schema

    def _about(self, schema: Mapping[str, Any]) -> str:
        said = schema.get("description") or self._whole(schema.get("items", schema))
        if isinstance(said, str):
            return said
        return str(said.get("description", "")).partition("\n\n")[0]

    def _kind(self, schema: Mapping[str, Any]) -> str:
        """What a value is, in a word or two."""
        schema = self._whole(schema)
        if "anyOf" in schema:
            return " or ".join(dict.fromkeys(self._kind(each) for each in schema["anyOf"]))
        if "enum" in schema:
            return ", ".join(map(str, schema["enum"]))
        if schema.get("type") == "array":
            return f"list of {self._kind(schema['items'])}" if "items" in schema else "list"
        return _KINDS.get(schema.get("type", ""), "any")

    def _line(
        self,
        method: str,
        path: str,
        about: Mapping[str, Any],
        takes: tuple[Value, ...],
        kinds: list[str],
    ) -> str:
        """How ``curl`` asks for it."""
        for each in about["parameters"]:
            if each["in"] == "path":
                name = each["name"]
                path = path.replace(f"{{{name}}}", quote(self.example.of(name), safe=""))
        query = QUERIES.get(about["operationId"], "").replace(SLUG, self.example.slug)
        if not query:
            needed = [each for each in about["parameters"] if each["required"]]
            query = "&".join(
                f"{each['name']}={self.example.of(each['name'])}"
                for each in needed
                if each["in"] == "query"
            )
        words = ["curl"]
        if {EVENTS, LINES} & set(kinds) and "tail" in path:
            words.append("-N")
        if method != "get":
            words.append(f"-X {method.upper()}")
        words.append(f'-H "Authorization: Bearer {TOKEN}"')
        if kinds == [EVENTS]:
            words.append(f"-N -H 'Accept: {EVENTS}'")
        if takes:
            body = BODIES.get(about["operationId"]) or {
                each.name: self._example(each) for each in takes if each.is_needed
            }
            words.append(
                f"-H 'Content-Type: application/json' -d '{json.dumps(body, ensure_ascii=False)}'"
            )
        return f"{' '.join(words)} \\\n  '{self.url}{path}{'?' if query else ''}{query}'"

    def _example(self, value: Value) -> Any:  # noqa: ANN401 - any JSON value
        match value.kind.partition(" or ")[0]:
            case "number":
                return 1
            case "true or false":
                return True
            case kind if kind.startswith("list"):
                return [self.example.issue] if value.name == "ids" else []
            case "object":
                return {}
        first, _, others = value.kind.partition(", ")
        if others:
            return first
        return self.example.issue if value.name == "into" else WORDS.get(value.name, "example")


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high, usual = (schema.get(name) for name in ("minimum", "maximum", "default"))
    bounds = f", {low} to {high:,}" if low is not None and high is not None else ""
    return f"{bounds}; else {usual}" if type(usual) is int else bounds


_KINDS = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}
