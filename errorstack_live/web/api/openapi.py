"""The API's description, made of what the operations declare: OpenAPI 3.1 at ``DESCRIPTION``."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from types import ModuleType
from typing import Any, cast

from pydantic import TypeAdapter
from quart import Blueprint, Quart, Response, current_app
from quart_schema import Info, QuartSchema, Tag
from quart_schema.openapi import APIKeySecurityScheme, HttpSecurityScheme, OpenAPIProvider
from werkzeug.routing import Rule

from errorstack_live import __version__
from errorstack_live.live import rows
from errorstack_live.web.api.failure import FAILURES, Failure
from errorstack_live.web.api.route import JSON, MEDIA, SHARES, api

DESCRIPTION = "/api/v1/openapi.json"
KEPT = "errorstack_openapi"
ABOUT = """Everything the pages do. Below `/api/v1/stacks/{slug}` members and API tokens find a \
stack; below `/v/{share_id}/api` whoever holds a share link finds what it shows, and only that."""
PARAMETERS = {
    "slug": "The stack's name in addresses.",
    "share_id": "The share link's id; its cookie comes from opening the link.",
}

description = Blueprint("openapi", __name__)


def register(app: Quart, resources: Sequence[ModuleType]) -> None:
    """Serve the description. Of the library only what describes is used.

    Its ``init_app`` would wrap every response of the application and replace its JSON.
    """
    app.config["QUART_SCHEMA_CONVERSION_PREFERENCE"] = "pydantic"
    app.config["QUART_SCHEMA_CONVERT_CASING"] = False
    app.register_blueprint(description)
    app.extensions[KEPT] = Described(app, resources)


class Described:
    """The description of one application, made once, when it is first asked for.

    That takes most of a second, in a thread, so that nobody's stream waits for it.
    """

    def __init__(self, app: Quart, resources: Sequence[ModuleType]) -> None:
        self._app = app
        self._resources = resources
        self._making = asyncio.Lock()
        self._schema: dict[str, Any] = {}
        self._text = b""

    async def schema(self) -> dict[str, Any]:
        """The whole description, as JSON values."""
        async with self._making:
            if not self._schema:
                self._schema = await asyncio.to_thread(self._make)
                self._text = rows.encode(self._schema)
        return self._schema

    async def text(self) -> bytes:
        """The same as JSON."""
        await self.schema()
        return self._text

    def _make(self) -> dict[str, Any]:
        return Provider(self._app, _about(self._resources)).schema()


@description.get(DESCRIPTION)
async def openapi() -> Response:
    """The description; it holds nothing that is secret, so nobody has to sign in."""
    kept = current_app.extensions[KEPT]
    assert isinstance(kept, Described)  # set by register, nowhere else
    return Response(await kept.text(), content_type=JSON)


def _about(resources: Sequence[ModuleType]) -> QuartSchema:
    return QuartSchema(
        info=Info(title="ErrorStack Live", version=__version__, description=ABOUT),
        tags=[Tag(_name(each), (each.__doc__ or "").strip()) for each in resources],
        security_schemes={
            "token": HttpSecurityScheme(scheme="bearer"),
            "session": APIKeySecurityScheme(name="errorstack", in_="cookie"),
            "share": APIKeySecurityScheme(name="errorstack_share", in_="cookie"),
        },
        security=[{"token": []}, {"session": []}],
    )


def _name(resource: ModuleType) -> str:
    return resource.__name__.rpartition(".")[2]


class Provider(OpenAPIProvider):
    """What the library makes of our operations, with failures and content types added."""

    def schema(self) -> dict[str, Any]:
        """The description."""
        made = super().schema()
        made["components"]["schemas"]["Failure"] = TypeAdapter(Failure).json_schema()
        return made

    def generate_rules(self) -> Iterable[Rule]:
        """The operations of the API alone."""
        mine = f"{api.name}."
        return [rule for rule in super().generate_rules() if rule.endpoint.startswith(mine)]

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        """One operation."""
        paths, components = super().build_paths(rule)
        view = cast("Callable[..., Any]", self._app.view_functions[rule.endpoint])
        for operations in paths.values():
            for operation in operations.values():
                _complete(operation, rule, getattr(view, MEDIA))
        return paths, components

    def build_querystring_parameters(
        self, model: type[Any]
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """A query string's parameters: which must be there, and no null, which it cannot hold."""
        parameters, components = super().build_querystring_parameters(model)
        needed = TypeAdapter(model).json_schema().get("required", ())
        for each in parameters:
            each["required"] = each["name"] in needed
            for choice in each["schema"].pop("anyOf", ()):
                if choice.get("type") != "null":
                    each["schema"] |= choice
            if each["schema"].get("default", "") is None:
                del each["schema"]["default"]
            if about := each["schema"].pop("description", ""):
                each["description"] = about
        return parameters, components

    def operation_id(self, method: str, path: str, func: Callable[..., Any]) -> str:  # noqa: ARG002
        """The name of the operation."""
        return f"{method.lower()}_{func.__name__}"


def _complete(operation: dict[str, Any], rule: Rule, media: tuple[str, ...]) -> None:
    operation["description"] = operation.get("description", "").strip()
    answers = {str(status): each for status, each in operation["responses"].items()}
    operation["responses"] = answers
    if not answers:
        answers["204"] = {"description": "Done."}
    for answer in answers.values():
        if JSON in (content := answer.get("content", {})):
            whole = content.pop(JSON)
            content.update({kind: deepcopy(whole) for kind in media})
    for parameter in operation["parameters"]:
        parameter["schema"].pop("title", None)
        if about := PARAMETERS.get(parameter["name"]):
            parameter["description"] = about
    is_shared = rule.rule.startswith(SHARES)
    said = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    for status, words in FAILURES.items():
        if status != 410 or is_shared:
            answers[str(status)] = {"description": words, "content": said}
