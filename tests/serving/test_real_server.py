"""The client against a real TensorFlow Serving: `TF_SERVING_HOST=HOST:8501`, `TF_SERVING_MODEL` if it is another."""

from __future__ import annotations

import os

import numpy as np
import pytest

from rnnapps.client import Client, ClientOptions

HOST = os.environ.get("TF_SERVING_HOST", "")
MODEL = os.environ.get("TF_SERVING_MODEL", "text_generation")
EXPORT = os.environ.get("TF_SERVING_EXPORT", "")
"""Folder of the same export on this machine."""

pytestmark = pytest.mark.skipif(not HOST, reason="TF_SERVING_HOST names no server")


def test_a_server_answers_as_its_signatures_say() -> None:
    with Client(f"http://{HOST}", MODEL, ClientOptions(export=EXPORT)) as client:
        for name, signature in client.signatures.signatures.items():
            inputs = {key for key, tensor in signature.inputs.items() if not tensor.next and tensor.default is None}
            assert signature.outputs, name
            assert inputs or EXPORT, name


def test_a_stream_in_two_chunks_is_one_in_a_single_chunk() -> None:
    with Client(f"http://{HOST}", MODEL, ClientOptions(export=EXPORT)) as client:
        whole, parts = client.stream(), client.stream()
        wanted = whole.send({"tokens": [[1, 2, 3, 4]]})["logits"]
        found = [parts.send({"tokens": chunk})["logits"] for chunk in ([[1]], [[2, 3, 4]])]
    np.testing.assert_allclose(np.concatenate(found, axis=1), wanted, rtol=1e-5, atol=1e-5)
