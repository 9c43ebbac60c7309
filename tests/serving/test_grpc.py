"""gRPC by the stubs of tensorflow-serving-api, and its parity with REST, direct calls and the C API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from rnnapps.export.arrays import as_array
from rnnapps.export.inference import load_for_inference
from rnnapps.export.isolated import Run, run_isolated
from tests.serving.conftest import Running

VALUES = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
INPUTS = {"values": VALUES, "lengths": np.array([6, 2, 4], np.int32)}


@pytest.fixture(scope="module")
def channel(running: Running) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{running.server.grpc_port}") as channel:
        yield channel


def request(signature: str, inputs: dict[str, Any], **spec: Any) -> predict_pb2.PredictRequest:
    result = predict_pb2.PredictRequest()
    result.model_spec.name, result.model_spec.signature_name = spec.pop("name", "toy"), signature
    if "version" in spec:
        result.model_spec.version.value = spec["version"]
    if "label" in spec:
        result.model_spec.version_label = spec["label"]
    for name, value in inputs.items():
        result.inputs[name].CopyFrom(tf.make_tensor_proto(value, shape=np.shape(value)))
    return result


def predict(channel: grpc.Channel, asked: predict_pb2.PredictRequest) -> dict[str, Any]:
    answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(asked, timeout=30)
    return {name: as_array(tf.make_ndarray(tensor)) for name, tensor in answer.outputs.items()}


def failure(channel: grpc.Channel, asked: predict_pb2.PredictRequest) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        predict(channel, asked)
    return caught.value.code().name, caught.value.details()


def test_rest_grpc_a_direct_call_and_the_c_api_say_the_same_bit_for_bit(
    running: Running, channel: grpc.Channel, models: Path
) -> None:
    body = {"signature_name": "running", "inputs": {name: array.tolist() for name, array in INPUTS.items()}}
    _, answer = running.predict("toy", body)
    rest = np.asarray(answer["outputs"]["total"], np.float32)
    asked = predict(channel, request("running", INPUTS))["total"]
    direct = load_for_inference(models / "toy").run("running", INPUTS)["total"]
    (outputs,) = run_isolated(models / "toy" / "1", [Run("running", "", INPUTS)], timeout_seconds=60).outputs
    assert outputs is not None
    assert rest.tobytes() == asked.tobytes() == direct.tobytes() == outputs["total"].tobytes()
    np.testing.assert_allclose(asked[1], np.r_[np.cumsum(VALUES[1, :2]), [VALUES[1, :2].sum()] * 4], rtol=1e-6)


def test_numbers_are_listed_one_by_one_as_clients_read_them(channel: grpc.Channel) -> None:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    answer = stub.Predict(request("sums", {"values": np.ones((1, 2), np.float32), "lengths": np.array([2], np.int32)}))
    assert list(answer.outputs["sum"].float_val) == [2.0]
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("toy", 1)
    assert answer.model_spec.signature_name == "sums"


def test_every_type_goes_through(channel: grpc.Channel) -> None:
    inputs = {
        "single": np.array([0.1], np.float32),
        "double": np.array([1 / 3]),
        "long": np.array([2**62 + 1]),
        "short": np.array([-7], np.int32),
        "small": np.array([255], np.uint8),
        "truth": np.array([True]),
    }
    answer = predict(channel, request("numbers", inputs))
    for name, array in inputs.items():
        assert answer[f"{name}_again"].dtype == array.dtype
        assert answer[f"{name}_again"].tobytes() == array.tobytes()


def test_only_wanted_outputs_come_back(channel: grpc.Channel) -> None:
    asked = request("", {"text": np.array([b"a"])})
    asked.output_filter.append("upper")
    assert predict(channel, asked) == {"upper": np.array([b"A"], dtype=object)}
    asked.output_filter.append("upper")
    assert failure(channel, asked) == ("INVALID_ARGUMENT", "duplicate output tensor alias")
    asked.output_filter[:] = ["none"]
    assert failure(channel, asked)[0] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (request("", {"text": np.array([b"a"])}, name="none"), "NOT_FOUND", "Servable not found"),
        (request("", {"text": np.array([b"a"])}, version=9), "NOT_FOUND", "Specific(toy, 9)"),
        (request("", {"text": np.array([b"a"])}, label="none"), "INVALID_ARGUMENT", "Unrecognized"),
        (request("none", {"text": np.array([b"a"])}), "INVALID_ARGUMENT", "not found in signature def"),
        (request("", {}), "INVALID_ARGUMENT", "inputs [] found, ['text'] expected"),
        (request("", {"text": np.array([1])}), "INVALID_ARGUMENT", "int64 [1] found, string [?] expected"),
        (request("", {"text": np.array([1], np.complex64)}), "INVALID_ARGUMENT", "are not served"),
    ],
)
def test_what_is_wrong_has_its_code(
    channel: grpc.Channel, asked: predict_pb2.PredictRequest, code: str, told: str
) -> None:
    found, details = failure(channel, asked)
    assert found == code
    assert told in details


def test_values_that_do_not_fit_their_shape_are_refused(channel: grpc.Channel) -> None:
    asked = request("", {"text": np.array([b"a"])})
    asked.inputs["text"].string_val.append(b"b")
    assert failure(channel, asked)[0] == "INVALID_ARGUMENT"


def test_metadata_and_status(channel: grpc.Channel) -> None:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    asked.model_spec.name = "toy"
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert stub.GetModelMetadata(asked).metadata["signature_def"].Unpack(signatures)
    assert set(signatures.signature_def) >= {"serving_default", "sums", "step"}
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "toy"
    (entry,) = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status).model_version_status
    assert (entry.version, entry.state) == (1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)


def test_what_is_not_implemented_says_so(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Classify(classification_pb2.ClassificationRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_client_cannot_name_a_folder_elsewhere(channel: grpc.Channel, tmp_path: Path) -> None:
    asked = model_management_pb2.ReloadConfigRequest()
    asked.config.model_config_list.config.add(name="other", base_path=str(tmp_path))
    with pytest.raises(grpc.RpcError) as caught:
        model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(asked)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "lies outside" in caught.value.details()
