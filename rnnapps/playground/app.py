"""The playground beside a server's own interface: pages for everybody, and what models tell for whoever may ask them.

The pages ask the models over the same REST interface as any client, so that there is no second copy of a model, and
every limit of the server holds for them too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

import rnnapps.client
from rnnapps.playground.tabs import tab_folder
from rnnapps.playground.told import told_model, told_models
from rnnapps.serving.access import TokenGate
from rnnapps.serving.json_answers import error_body
from rnnapps.serving.service import Service

__all__ = ["PATH", "Playground"]

PATH = "/ui/"
"""Where the playground is."""

FILES = Path(__file__).with_name("files")
CLIENT = Path(rnnapps.client.__file__).with_name("rnnapps.js")
"""The client that the pages ask with."""

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".csv": "text/csv; charset=utf-8",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
}
"""The only files that are given out."""

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "permissions-policy": "microphone=(self), camera=(self), midi=(self)",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
"""The browser itself refuses what comes from another host, or goes there."""


class Playground:
    """Answers what is asked below `/ui/`, and hands everything else on.

    Args:
        app: the server's own interface.
        service: knows the models.
        accepted: judges the header `authorization`; None where everybody may ask.
    """

    def __init__(self, app: ASGIApp, service: Service, accepted: Callable[[str], bool] | None) -> None:
        models = _models_app(service)
        self._app, self._pages = app, _pages_app()
        self._models = TokenGate(models, accepted) if accepted else models

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        path = scope.get("path", "") if scope["type"] == "http" else ""
        if path.startswith(f"{PATH}models"):
            await self._models(scope, receive, send)
        elif path in ("/", PATH[:-1]) or path.startswith(PATH):
            await self._pages(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _pages_app() -> Starlette:
    """The files of the pages: they hold nothing of any model."""

    async def home(_: Request) -> Response:
        return RedirectResponse(PATH)

    async def page(_: Request) -> Response:
        return _file(FILES, "index.html")

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        return _file(CLIENT.parent if name == CLIENT.name else FILES, name)

    async def tab(request: Request) -> Response:
        folder = tab_folder(request.path_params["pipeline"])
        return _file(folder, request.path_params["name"]) if folder else _nothing(request)

    routes = [
        Route("/", home),
        Route(PATH[:-1], home),
        Route(PATH, page),
        Route(f"{PATH}files/{{name}}", file),
        Route(f"{PATH}tabs/{{pipeline}}/{{name}}", tab),
        Route(f"{PATH}{{rest:path}}", _no_page),
    ]
    return Starlette(routes=routes)


def _models_app(service: Service) -> Starlette:
    """What models tell of themselves."""

    async def models(_: Request) -> Response:
        return _json(told_models(service.registry))

    async def model(request: Request) -> Response:
        name, number = request.path_params["name"], request.path_params["version"]
        for version in service.registry:
            if (version.place.model, version.place.number) == (name, number) and version.answers:
                told = told_model(version.place.folder)
                pipeline = (told["signatures"] or {}).get("pipeline", "")
                return _json({**told, "tab": tab_folder(pipeline) is not None})
        return _nothing(request)

    routes = [
        Route(f"{PATH}models", models),
        Route(f"{PATH}models/{{name}}/{{version:int}}", model),
        Route(f"{PATH}models{{rest:path}}", _no_page),
    ]
    return Starlette(routes=routes)


def _file(folder: Path, name: str) -> Response:
    """A file of a folder, if it is one of those that are given out."""
    path, kind = folder / name, _KINDS.get(Path(name).suffix)
    if kind is None or Path(name).name != name or not path.is_file():
        return Response(error_body(f"no page {name!r}"), 404, media_type="application/json")
    return FileResponse(path, headers=_HEADERS, media_type=kind)


def _json(values: object) -> Response:
    content = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, headers={"cache-control": "no-store"}, media_type="application/json")


async def _no_page(request: Request) -> Response:
    return _nothing(request)


def _nothing(request: Request) -> Response:
    return Response(error_body(f"no page {request.url.path}"), 404, media_type="application/json")
