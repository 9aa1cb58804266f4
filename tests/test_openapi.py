"""The API's description: true to what the operations take and answer, whatever they are asked."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import pytest
from fixtures_dashboard import Dashboard, Page, Visitor
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from errorstack_live.web.state import now
from errorstack_live.web.streaming import EVENTS

DESCRIPTION = "/api/v1/openapi.json"


async def described(dashboard: Dashboard) -> Any:
    return (await dashboard.visitor().get(DESCRIPTION)).json


async def test_anybody_gets_the_description(dashboard: Dashboard) -> None:
    answer = await dashboard.visitor().get(DESCRIPTION)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    description = answer.json
    validate(description)
    assert description["openapi"] == "3.1.0"
    errors = description["paths"]["/api/v1/stacks/{slug}/errors"]["get"]
    assert errors["summary"] == "List errors, newest first."
    limit = next(each for each in errors["parameters"] if each["name"] == "limit")
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 1000)
    assert "/v/{share_id}/api/errors" in description["paths"]
    exported = description["paths"]["/api/v1/stacks/{slug}/export"]["get"]["responses"]["200"]
    assert set(exported["content"]) == {"application/x-ndjson", "text/csv"}


async def test_every_operation_has_a_name_and_words(dashboard: Dashboard) -> None:
    description = await described(dashboard)
    operations = [each for path in description["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names)
    assert all(each["summary"].endswith(".") for each in operations)
    tags = {each["name"] for each in description["tags"]}
    assert {tag for each in operations for tag in each["tags"]} == tags


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    about: Any

    @property
    def is_endless(self) -> bool:
        return EVENTS in str(self.about["responses"].get("200", ""))


def operations(description: Any) -> list[Operation]:
    return [
        Operation(method.upper(), path, about)
        for path, methods in description["paths"].items()
        for method, about in methods.items()
    ]


GARBAGE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["$where", "\0", "((", "a:", "0" * 24, "9" * 400, "\U0001f600", "-1"])
)
KNOWN = [f"known{number}" for number in range(6)]
"""Stand for ids and names that there are, which differ from run to run."""
ANY_JSON = st.recursive(
    GARBAGE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


def values(schema: Any, description: Any) -> st.SearchStrategy[Any]:
    """Values that the schema allows, most of the time."""
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return st.one_of([values(each, description) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | GARBAGE
    kind = schema.get("type")
    if kind == "array":
        return st.lists(values(schema.get("items", {}), description), max_size=3)
    if kind == "object":
        members = schema.get("properties", {}).items()
        made = {name: values(each, description) for name, each in members}
        needed = {name: made.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(needed, optional=made)
    return plain_values(schema) | GARBAGE


def plain_values(schema: Any) -> st.SearchStrategy[Any]:
    low, high = schema.get("minimum", 0), schema.get("maximum", 10**12)
    texts = st.sampled_from(["level:error", "1h", "boom", *KNOWN]) | st.text(max_size=20)
    plain: dict[str, st.SearchStrategy[Any]] = {
        "integer": st.integers(low, min(high, low + 10_000)),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    return plain.get(schema.get("type", ""), texts)


def asked(draw: st.DataObject, operation: Operation, description: Any) -> str:
    """The operation's address, its names and its query filled in."""
    query = []
    path = operation.path
    for parameter in operation.about["parameters"]:
        schema, name = parameter["schema"], parameter["name"]
        if name in {"slug", "share_id"}:
            continue
        value = draw.draw(values(schema, description))
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(str(value) or "x", safe=""))
        elif parameter["required"] or draw.draw(st.booleans()):
            query.append(f"{name}={quote(str(value), safe='')}")
    return f"{path}?{'&'.join(query)}"


def check(answer: Page, operation: Operation, description: Any) -> None:
    """The answer is one that the description tells of."""
    responses = operation.about["responses"]
    assert answer.status < 500, (operation.path, answer.text)
    if answer.status == 405:  # an odd name made it the address of something else
        return
    assert str(answer.status) in responses, (operation.path, answer.status, answer.text)
    told = responses[str(answer.status)].get("content", {})
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if not told:
        assert answer.text == ""
        return
    assert kind in told
    if kind == "application/json":
        schema = {**told[kind]["schema"], "components": description["components"]}
        Draft202012Validator(schema).validate(answer.json)


async def known_things(dashboard: Dashboard, visitor: Visitor) -> list[str]:
    """Ids and names that there are, so that what is asked for is sometimes found."""
    await dashboard.submit({"_msg": "one"}, "/log")
    ids = [
        await dashboard.submit({"Msg": "boom", "level": "error", "user": {"id": n}, "n": n})
        for n in range(3)
    ]
    issues = (await visitor.get(f"{dashboard.data}/issues")).json["issues"]
    share = await visitor.send("POST", f"{dashboard.data}/shares", {"query": "level:error"})
    return [*ids, issues[0]["id"], share.json["id"], dashboard.stack.keys[0].key]


@settings(
    max_examples=6,
    phases=[Phase.generate],  # each example is a request to every operation
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(draw=st.data())
async def test_no_question_is_a_500_and_every_answer_is_as_described(
    dashboard: Dashboard, draw: st.DataObject
) -> None:
    stacks = dashboard.state.store.stacks  # an earlier question may have ended the stack's key
    stack = await stacks.create("Asked", now=now(), retention_days=30)
    dashboard = replace(dashboard, stack=stack)
    visitor = await dashboard.signed_in()
    description = await described(dashboard)
    things = await known_things(dashboard, visitor)
    for operation in operations(description):
        if operation.is_endless or operation.path.startswith("/v/"):
            continue
        address = asked(draw, operation, description)
        address = address.replace("{slug}", dashboard.stack.slug)
        body = None
        if "requestBody" in operation.about:
            schema = operation.about["requestBody"]["content"]["application/json"]["schema"]
            body = draw.draw(values(schema, description) | ANY_JSON)
        for stands, known in zip(KNOWN, things, strict=True):
            address = address.replace(stands, known)
            body = json.loads(json.dumps(body).replace(stands, known))
        answer = await visitor.send(operation.method, address, body)
        check(answer, operation, description)


@pytest.mark.parametrize("hidden", [[], ["user"]])
async def test_what_a_share_link_answers_is_as_described(
    dashboard: Dashboard, hidden: list[str]
) -> None:
    member = await dashboard.signed_in()
    await known_things(dashboard, member)
    wish = {"query": "level:error", "hidden": hidden}
    made = (await member.send("POST", f"{dashboard.data}/shares", wish)).json
    guest = dashboard.visitor()
    await guest.get(re.sub("^http://localhost", "", made["url"]))
    description = await described(dashboard)
    answered = 0
    for operation in operations(description):
        if operation.is_endless or not operation.path.startswith("/v/"):
            continue
        address = operation.path.replace("{share_id}", made["id"])
        needed = any(each["required"] for each in operation.about["parameters"][1:])
        if operation.method == "GET" and not needed:
            answer = await guest.get(address)
            assert answer.status == 200, address
            check(answer, operation, description)
            answered += 1
    assert answered >= 6
