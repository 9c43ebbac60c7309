"""TensorFlow Serving's gRPC interface, by the stubs of tensorflow-serving-api and without Python TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import SplitResult

from rnnapps.client.column_json import text_or_bytes
from rnnapps.client.options import ClientOptions, Target
from rnnapps.client.signatures_of import signatures_of
from rnnapps.contract.served import ServedSignature, Signatures
from rnnapps.errors import ConfigError, ServingError
from rnnapps.types import Array, Arrays

__all__ = ["GrpcTransport"]

_RETRY = "retry-after"
_FIELD = "signature_def"
_NO_LIMIT = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class GrpcTransport:
    """Sends requests to a server over gRPC; any thread may use it.

    Args:
        url: of the server, `grpc`, or `grpcs` for TLS.
        options: patience, token and certificates.

    Raises:
        ConfigError: grpcio is not installed, or the certificates cannot be read.
    """

    def __init__(self, url: SplitResult, options: ClientOptions) -> None:
        try:
            import grpc
        except ModuleNotFoundError as error:
            raise ConfigError(f"{url.geturl()}: grpcio is not installed; pip install grpcio, or use REST") from error
        self._url, self._options, self._grpc = url, options, grpc
        self._messages, services = _stubs()
        if url.scheme == "grpcs":
            credentials = grpc.ssl_channel_credentials(_certificates(options.ca_file))
            self._channel = grpc.secure_channel(url.netloc, credentials, options=_NO_LIMIT)
        else:
            self._channel = grpc.insecure_channel(url.netloc, options=_NO_LIMIT)
        self._stub = services.PredictionServiceStub(self._channel)

    def predict(self, target: Target, name: str, signature: ServedSignature, inputs: Arrays) -> Arrays:
        """Runs a signature; raises ServingError."""
        from rnnapps.export.arrays import as_array
        from rnnapps.export.tensor_protos import fill_proto, from_proto

        request = self._messages.predict_pb2.PredictRequest()
        self._fill_spec(request.model_spec, target)
        request.model_spec.signature_name = name
        for key, array in inputs.items():
            fill_proto(request.inputs[key], as_array(array))
        response = self._call(self._stub.Predict, request)
        return {key: _with_text(key, from_proto(response.outputs[key])) for key in signature.outputs}

    def resolved(self, target: Target) -> tuple[int, Signatures]:
        """Which version answers, and the types and shapes of its signatures; raises ServingError."""
        from google.protobuf import json_format

        request = self._messages.get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=[_FIELD])
        self._fill_spec(request.model_spec, target)
        response = self._call(self._stub.GetModelMetadata, request)
        definitions = self._messages.get_model_metadata_pb2.SignatureDefMap()
        response.metadata[_FIELD].Unpack(definitions)
        told = json_format.MessageToDict(definitions, preserving_proto_field_name=True)
        return response.model_spec.version.value, signatures_of(target.model, told)

    def told(self, target: Target) -> Signatures | None:
        """None: gRPC has no place for `signatures.json`."""
        return None

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _fill_spec(self, spec: Any, target: Target) -> None:
        spec.name = target.model
        if target.version is not None:
            spec.version.value = target.version
        elif target.label:
            spec.version_label = target.label

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        metadata = (("authorization", f"Bearer {self._options.token}"),) if self._options.token else ()
        try:
            return method(request, timeout=self._options.timeout_seconds, metadata=metadata)
        except self._grpc.RpcError as error:
            raise self._error(error) from error

    def _error(self, error: Any) -> ServingError:
        """What a call that failed means; the server is busy where it says when to come again, or cannot be reached."""
        code, trailing = error.code().name, dict(error.trailing_metadata() or ())
        told = " ".join(str(error.details()).split())
        seconds = str(trailing.get(_RETRY, ""))
        return ServingError(
            f"{self._url.geturl()}: {code}: {told}",
            status=code,
            again=code == "UNAVAILABLE" or bool(seconds),
            retry_seconds=float(seconds) if seconds.isdecimal() else None,
        )


def _with_text(name: str, array: Array) -> Array:
    """Strings as text, where the name does not say that they are bytes."""
    if array.dtype == object:
        array = array.copy()
        array.ravel()[:] = [text_or_bytes(name, item) for item in array.ravel().tolist()]
    return array


def _certificates(ca_file: str) -> bytes | None:
    if not ca_file:
        return None
    try:
        return Path(ca_file).read_bytes()
    except OSError as error:
        raise ConfigError(f"ca_file {ca_file}: cannot be read ({error.strerror})") from error


def _stubs() -> tuple[Any, ModuleType]:
    """The messages and services; TensorFlow stays as it is: loaded, or not."""
    from rnnapps.export.protos import shadow_tensorflow

    shadowed = "tensorflow" not in sys.modules
    if shadowed:
        shadow_tensorflow()
    try:
        from tensorflow_serving import apis
        from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

        del get_model_metadata_pb2, predict_pb2  # loaded as attributes of their package
    finally:
        if shadowed:
            for name in [name for name in sys.modules if name.partition(".")[0] == "tensorflow"]:
                del sys.modules[name]
    return apis, prediction_service_pb2_grpc
