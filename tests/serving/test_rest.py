"""REST as TensorFlow Serving documents and implements it."""

from __future__ import annotations

import base64
import http.client
import time
from typing import Any

import numpy as np
import pytest

from tests.serving.conftest import Running


def test_rows_come_back_as_rows(running: Running) -> None:
    body = {"instances": [{"text": "a"}, {"text": "ä b"}]}
    assert running.predict("toy", body) == (
        200,
        {
            "predictions": [
                {"problem": "", "upper": "A", "wave_bytes": {"b64": base64.b64encode(b"a\xff").decode()}},
                {
                    "problem": "",
                    "upper": "Ä B",
                    "wave_bytes": {"b64": base64.b64encode("ä b".encode() + b"\xff").decode()},
                },
            ]
        },
    )


def test_columns_come_back_as_columns(running: Running) -> None:
    body = {"signature_name": "sums", "inputs": {"values": [[1, 2.5], [4, 0]], "lengths": [2, 1]}}
    assert running.predict("toy", body) == (200, {"outputs": {"problem": ["", ""], "sum": [3.5, 4.0]}})


@pytest.mark.parametrize(
    "body",
    [{"instances": ["x", {"b64": "eQ=="}]}, {"inputs": ["x", {"b64": "eQ=="}]}, {"inputs": {"text": ["x", "y"]}}],
)
def test_the_only_input_needs_no_name(running: Running, body: Any) -> None:
    status, answer = running.predict("toy", {"signature_name": "words", **body})
    assert status == 200
    rows = answer.get("predictions") or [{"words": words} for words in answer["outputs"]["words"]]
    assert [row["words"] for row in rows] == [["x"], ["y"]]


def test_every_number_comes_back_as_it_went(running: Running) -> None:
    row = {
        "single": float(np.float32(0.1)),
        "double": 1 / 3,
        "long": 2**62 + 1,
        "short": -7,
        "small": 255,
        "truth": True,
    }
    status, answer = running.predict("toy", {"signature_name": "numbers", "instances": [row]})
    assert status == 200
    found = answer["predictions"][0]
    assert {name: found[f"{name}_again"] for name in row} == {**row, "single": 0.1}
    assert np.float32(found["single_again"]) == np.float32(row["single"])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "JSON Parse error"),
        (b"{", "JSON Parse error"),
        (b"[" * 100_000, "JSON Parse error"),
        ([1], "Is not object"),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"inputs": ["a"], "instances": ["a"]}, "only one of"),
        ({"signature_name": 100, "instances": ["a"]}, "must be a string"),
        ({"signature_name": "none", "instances": ["a"]}, 'Serving signature name: "none" not found'),
        ({"instances": []}, "at least one"),
        ({"instances": [1]}, "1 is not of expected type: string"),
        ({"instances": [{"b64": "!"}]}, "Unable to base64 decode"),
        ({"instances": ["a", ["b"]]}, '["b"] is not of expected type: string'),
        ({"instances": [["a"], "b"]}, "different lengths"),
        ({"instances": [{"other": "a"}]}, "keys must be"),
        ({"instances": ["a", {"text": "b"}]}, "got object"),
        ({"instances": ["\ud800"]}, "surrogate"),
        ({"signature_name": "sums", "instances": [[1.0]]}, "expecting list of objects"),
        ({"signature_name": "sums", "inputs": [[1.0]]}, "expecting an object"),
        ({"signature_name": "sums", "inputs": {"values": [[1.0]]}}, "Missing named input: lengths"),
        ({"signature_name": "sums", "inputs": {"values": [[1.0], [1.0, 2.0]], "lengths": [1, 1]}}, "different lengths"),
        ({"signature_name": "sums", "inputs": {"values": [[True]], "lengths": [1]}}, "expected type: float32"),
        ({"signature_name": "sums", "inputs": {"values": [[1.0]], "lengths": [1.0]}}, "expected type: int32"),
        ({"signature_name": "sums", "inputs": {"values": [[1.0]], "lengths": [2**40]}}, "without loss of precision"),
        ({"signature_name": "sums", "inputs": {"values": [[2**24 + 1]], "lengths": [1]}}, "without loss of precision"),
        ({"signature_name": "sums", "inputs": {"values": [[1e39]], "lengths": [1]}}, "without loss of precision"),
        ({"signature_name": "sums", "inputs": {"values": [1.0], "lengths": [1]}}, "float32 [?, ?] expected"),
        ({"signature_name": "sums", "inputs": {"values": [[1.0]], "lengths": [1, 1]}}, "numbers of rows differ"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(running: Running, body: Any, told: str) -> None:
    status, answer = running.predict("toy", body)
    assert (status, list(answer)) == (400, ["error"])
    assert told in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("POST", "/v1/models/none:predict", 404, "Servable not found for request: Latest(none)"),
        ("POST", "/v1/models/toy/versions/9:predict", 404, "Servable not found for request: Specific(toy, 9)"),
        ("POST", "/v1/models/toy/labels/none:predict", 400, "Unrecognized servable version label: none"),
        ("POST", "/v1/models/toy:classify", 501, "use :predict"),
        ("POST", "/v1/models/toy", 400, "Malformed request: POST /v1/models/toy"),
        ("GET", "/v1/models/toy:predict", 400, "Malformed request"),
        ("GET", "/v1/models/none", 404, "Could not find any versions of model none"),
        ("GET", "/v1/models/toy/versions/9", 404, "Could not find version 9 of model toy"),
        ("GET", "/v1/models/none/metadata", 404, "Servable not found"),
        ("GET", "/docs", 404, "Malformed request"),
        ("DELETE", "/v1/models/toy", 405, "Malformed request"),
    ],
)
def test_what_is_not_there_is_told(running: Running, method: str, path: str, status: int, told: str) -> None:
    found, answer, _ = running.request(method, path, {"instances": ["a"]} if method == "POST" else None)
    assert found == status
    assert told in answer["error"]


@pytest.mark.parametrize("path", ["/v1/models/toy/versions/1", "/V1/Models/toy"])
def test_status_and_other_ways_to_name_a_version(running: Running, path: str) -> None:
    entry = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert running.request("GET", path)[:2] == (200, {"model_version_status": [entry]})
    assert running.request("POST", f"{path}:predict", {"instances": ["a"]})[0] == 200


def test_metadata_tell_every_tensor(running: Running) -> None:
    status, answer, _ = running.request("GET", "/v1/models/toy/metadata")
    assert status == 200
    assert answer["model_spec"]["version"] == "1"
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    assert signatures["sums"]["inputs"]["values"]["dtype"] == "DT_FLOAT"
    assert [size["size"] for size in signatures["sums"]["inputs"]["values"]["tensor_shape"]["dim"]] == ["-1", "-1"]


def test_health_readiness_and_metrics_are_pages(running: Running) -> None:
    assert running.request("GET", "/healthz")[:2] == (200, "ok\n")
    assert running.request("GET", "/readyz")[:2] == (200, "ready\n")
    running.predict("toy", {"instances": ["a"]})
    page = running.request("GET", "/monitoring/prometheus/metrics")[1]
    assert ':tensorflow:serving:request_count{model_name="toy",status="OK"}' in page
    assert 'rnnapps_version_available{model_name="toy",version="1"} 1.0' in page
    assert "none" not in page  # names that no model has are not kept


def test_no_other_page_may_ask_in_a_visitors_name(running: Running) -> None:
    _, _, headers = running.request("GET", "/v1/models/toy", Origin="https://elsewhere.example")
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_an_answer_does_not_wait_for_an_acknowledgement(running: Running) -> None:
    """A body that is written after its head is held back, 40 ms in Linux, where a socket gathers small parts."""
    connection = http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=30)
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        times.append(time.perf_counter() - begun)
    connection.close()
    assert min(times[1:]) < 0.03
