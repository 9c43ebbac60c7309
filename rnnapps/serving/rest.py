"""The REST interface of TensorFlow Serving but for predict: status and metadata; health, readiness, metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from google.protobuf import json_format

from rnnapps.export.signature_file import SIGNATURES
from rnnapps.serving.json_answers import error_body
from rnnapps.serving.model_messages import metadata_response, status_response
from rnnapps.serving.predictions import MODEL_PATH, path_of, refusal_headers, target_of
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.service import Service, Target

__all__ = ["METRICS_PATH", "STREAM", "make_app", "refusal_response"]

METRICS_PATH = "/monitoring/prometheus/metrics"
_OTHERS = re.compile(MODEL_PATH + r":(?P<method>classify|regress)", re.IGNORECASE)
_GET = re.compile(MODEL_PATH + r"(?:/(?P<told>metadata|signatures))?", re.IGNORECASE)
STREAM = re.compile(MODEL_PATH + r":stream", re.IGNORECASE)


def make_app(service: Service, sessions: Callable[[], int]) -> FastAPI:
    """The application, without `predict` and the streams.

    Args:
        service: answers the requests.
        sessions: returns the number of sessions of streams.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)  # their pages load scripts from elsewhere

    async def models(request: Request) -> Response:
        return await _answered(request, service)

    async def health(_: Request) -> Response:
        return Response(b"ok\n", media_type="text/plain")

    async def readiness(_: Request) -> Response:
        ready = service.registry.ready and not service.draining
        return Response(b"ready\n" if ready else b"not ready\n", 200 if ready else 503, media_type="text/plain")

    async def metrics(_: Request) -> Response:
        return Response(service.metrics.render(service.registry, sessions()), media_type="text/plain; version=0.0.4")

    app.add_route("/healthz", health, methods=["GET"])
    app.add_route("/readyz", readiness, methods=["GET"])
    app.add_route(METRICS_PATH, metrics, methods=["GET"])
    app.add_route("/{rest:path}", models, methods=["GET", "POST"])
    app.add_exception_handler(404, _no_page)
    app.add_exception_handler(405, _no_page)
    return app


def refusal_response(refusal: Refusal) -> Response:
    """The answer that tells a refusal."""
    headers = refusal_headers(refusal)
    return Response(error_body(refusal.message), refusal.code.value, headers, media_type="application/json")


async def _answered(request: Request, service: Service) -> Response:
    """The answer to whatever asks for a model; every failure is told as JSON."""
    try:
        body = _model_body(request, service)
    except Refusal as refusal:
        return refusal_response(refusal)
    return Response(body, media_type="application/json")


def _model_body(request: Request, service: Service) -> bytes:
    path = path_of(request.scope)
    if request.method == "POST" and (match := _OTHERS.fullmatch(path)):
        message = f":{match['method']} takes tf.Example messages, which no export of rnnapps does; use :predict"
        raise Refusal(Code.UNIMPLEMENTED, message)
    if request.method == "GET" and (match := _GET.fullmatch(path)):
        target = target_of(match)
        if match["told"]:
            return {"metadata": _metadata, "signatures": _signatures}[match["told"].lower()](service, target)
        found = service.registry.status(target.model, target.version, target.label)
        return _as_json(status_response(found))
    code = Code.INVALID_ARGUMENT if path.lower().startswith("/v1/") else Code.NOT_FOUND
    raise Refusal(code, f"Malformed request: {request.method} {path}")


def _metadata(service: Service, target: Target) -> bytes:
    """As TensorFlow Serving writes it: the signatures stand below `metadata.signature_def`."""
    version = service.find(target)
    response, definitions = metadata_response(version), version.definitions
    spec = json_format.MessageToDict(response.model_spec, preserving_proto_field_name=True)
    signatures = json_format.MessageToDict(
        definitions, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return json.dumps({"model_spec": spec, "metadata": {"signature_def": signatures}}, indent=1).encode()


def _signatures(service: Service, target: Target) -> bytes:
    """What clients are told of a version, as its export has it; TensorFlow Serving has nothing like it."""
    place = service.find(target).place
    try:
        return (place.folder / SIGNATURES).read_bytes()
    except OSError:
        raise Refusal(Code.NOT_FOUND, f"{place} tells nothing of its signatures; see its metadata") from None


def _as_json(message: Any) -> bytes:
    text: str = json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=1
    )
    return text.encode()


async def _no_page(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return Response(
        error_body(f"Malformed request: {request.method} {request.url.path}"), status, media_type="application/json"
    )
