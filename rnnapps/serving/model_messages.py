"""Status and metadata of models as messages of TensorFlow Serving, for REST and gRPC."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rnnapps.serving.served_version import ServedVersion

if TYPE_CHECKING:
    from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataResponse
    from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse

__all__ = ["metadata_response", "status_response"]

_OK, _UNKNOWN = 0, 2


def status_response(versions: Iterable[ServedVersion]) -> GetModelStatusResponse:
    """The state of some versions."""
    from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse, ModelVersionStatus

    response = GetModelStatusResponse()
    for version in versions:
        entry = response.model_version_status.add()
        entry.version = version.place.number
        entry.state = ModelVersionStatus.State.Value(version.state)
        entry.status.error_code = _UNKNOWN if version.error else _OK
        entry.status.error_message = version.error
    return response


def metadata_response(version: ServedVersion) -> GetModelMetadataResponse:
    """The signatures of a version."""
    from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataResponse

    response = GetModelMetadataResponse()
    response.model_spec.name = version.place.model
    response.model_spec.version.value = version.place.number
    response.metadata["signature_def"].Pack(version.definitions)
    return response
