"""TensorFlow Serving's gRPC services PredictionService and ModelService, by the stubs of tensorflow-serving-api."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from rnnapps.errors import ConfigError, ExportError
from rnnapps.export.tensor_protos import fill_proto, from_proto
from rnnapps.serving.model_config import configs_of
from rnnapps.serving.model_messages import metadata_response, status_response
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_version import DEFAULT_SIGNATURE
from rnnapps.serving.service import Service, Target
from rnnapps.types import Arrays

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["TokenInterceptor", "add_services", "fill_response", "inputs_of", "refusals_told", "target_of_spec"]

_SIGNATURES = "signature_def"


def add_services(server: grpc.aio.Server, service: Service, root: Path) -> None:
    """Adds both services to a server.

    Args:
        server: not yet started.
        service: answers the requests.
        root: the folder below which HandleReloadConfigRequest may name models.
    """
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Prediction(service), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Models(service, root), server)


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the others stay unimplemented."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.aio.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs a signature."""
        target = target_of_spec(request.model_spec)
        async with refusals_told(context), self._service.request(target.model, "GRPC"):
            version = self._service.find(target)
            signature = version.signature(request.model_spec.signature_name or DEFAULT_SIGNATURE)
            _check_filter(request.output_filter, signature.outputs)
            outputs = await self._service.answer(version, signature, inputs_of(request))
            wanted = {name: outputs[name] for name in request.output_filter} or outputs
            response = predict_pb2.PredictResponse()
            response.model_spec.name, response.model_spec.signature_name = target.model, signature.name
            response.model_spec.version.value = version.place.number
            fill_response(response, wanted)
            return response

    async def GetModelMetadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.aio.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Tells the signatures of a model."""
        async with refusals_told(context):
            if not request.metadata_field:
                raise Refusal(Code.INVALID_ARGUMENT, "GetModelMetadataRequest must specify at least one metadata_field")
            for field in request.metadata_field:
                if field != _SIGNATURES:
                    raise Refusal(Code.INVALID_ARGUMENT, f"Metadata field {field} is not supported")
            return metadata_response(self._service.find(target_of_spec(request.model_spec)))


class _Models(model_service_pb2_grpc.ModelServiceServicer):
    """Status of models, and another set of models."""

    def __init__(self, service: Service, root: Path) -> None:
        self._service, self._root = service, root

    async def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.aio.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Tells the state of every version of a model."""
        async with refusals_told(context):
            target = target_of_spec(request.model_spec)
            return status_response(self._service.registry.status(target.model, target.version, target.label))

    async def HandleReloadConfigRequest(
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.aio.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        """Serves the models that it names, all below the folder that is served, and no others."""
        async with refusals_told(context):
            try:
                configs = configs_of(request.config, below=self._root)
            except ConfigError as error:
                raise Refusal(Code.INVALID_ARGUMENT, str(error)) from error
            self._service.registry.replace(lambda: configs)
            try:
                await self._service.registry.poll()
            except (ExportError, OSError) as error:
                raise Refusal(Code.INTERNAL, str(error)) from error
            return model_management_pb2.ReloadConfigResponse()


@asynccontextmanager
async def refusals_told(context: grpc.aio.ServicerContext) -> AsyncIterator[None]:
    """Ends the call with the code and message of a refusal."""
    try:
        yield
    except Refusal as refusal:
        trailing = (("retry-after", str(refusal.retry_seconds)),) if refusal.retry_seconds else ()
        await context.abort(grpc.StatusCode[refusal.code.grpc], refusal.message, trailing)


def target_of_spec(spec: Any) -> Target:
    """Whom a ModelSpec names."""
    choice = spec.WhichOneof("version_choice")
    version = spec.version.value if choice == "version" else None
    return Target(spec.name, version, spec.version_label if choice == "version_label" else "")


def inputs_of(request: predict_pb2.PredictRequest) -> Arrays:
    """The arrays of a request; raises Refusal for a tensor that cannot be read."""
    inputs = {}
    for name, tensor in request.inputs.items():
        try:
            inputs[name] = from_proto(tensor)
        except KeyError:
            raise Refusal(
                Code.INVALID_ARGUMENT, f"input {name!r}: values of type {tensor.dtype} are not served"
            ) from None
        except ValueError as error:
            raise Refusal(Code.INVALID_ARGUMENT, f"input {name!r}: {error}") from None
    return inputs


def fill_response(response: predict_pb2.PredictResponse, outputs: Arrays) -> None:
    """Puts the outputs into an answer."""
    for name, array in outputs.items():
        fill_proto(response.outputs[name], array)


def _check_filter(wanted: Iterable[str], outputs: Iterable[str]) -> None:
    """Refuses outputs that are not there, or that are named twice."""
    names, there = list(wanted), set(outputs)
    for name in names:
        if name not in there:
            message = (
                f"output tensor alias not found in signature: {name} Outputs expected to be in the set {sorted(there)}"
            )
            raise Refusal(Code.INVALID_ARGUMENT, message)
    if len(set(names)) < len(names):
        raise Refusal(Code.INVALID_ARGUMENT, "duplicate output tensor alias")


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Lets only calls in that bear the token.

    Args:
        accepted: judges the header `authorization`.
    """

    def __init__(self, accepted: Callable[[str], bool]) -> None:
        self._accepted = accepted

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: Any
    ) -> grpc.RpcMethodHandler:
        """The handler of a call, or one that refuses it."""
        headers = dict(details.invocation_metadata)
        if self._accepted(str(headers.get("authorization", ""))):
            return await continuation(details)
        handler = await continuation(details)

        async def refuse(_: Any, context: grpc.aio.ServicerContext) -> None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the bearer token is missing or wrong")

        if handler is not None and handler.request_streaming:
            return grpc.stream_stream_rpc_method_handler(refuse)
        return grpc.unary_unary_rpc_method_handler(refuse)
