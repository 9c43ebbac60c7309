"""The client against a real TensorFlow Serving, by the requests and answers that an export carries.

`TF_SERVING_HOST=HOST:8501` is the server, `TF_SERVING_EXPORT` the folder of one of its models on this machine, and
its name that of the model.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.client import Client, ClientOptions
from rnnapps.client.column_json import text_or_bytes
from rnnapps.export.stored_examples import load_example
from rnnapps.export.versions import find_version

HOST, EXPORT = os.environ.get("TF_SERVING_HOST", ""), os.environ.get("TF_SERVING_EXPORT", "")

pytestmark = pytest.mark.skipif(not (HOST and EXPORT), reason="TF_SERVING_HOST and TF_SERVING_EXPORT name no server")


def as_client(name: str, array: Any) -> Any:
    """A stored array as the client gives it."""
    return [text_or_bytes(name, item) for item in array.ravel().tolist()] if array.dtype == object else array.ravel()


def test_every_signature_answers_as_when_it_was_exported() -> None:
    folder = find_version(EXPORT)
    options = ClientOptions(export=EXPORT, version=int(folder.name))
    with Client(f"http://{HOST}", Path(EXPORT).name, options) as client:
        for name, signature in client.signatures.signatures.items():
            example = load_example(folder, name)
            answer = client.predict(example.inputs, name, problems="return")
            assert answer.keys() == signature.outputs.keys() == example.outputs.keys()
            for output, wanted in example.outputs.items():
                found, expected = as_client(output, answer[output]), as_client(output, wanted)
                if wanted.dtype == object or wanted.dtype.kind in "biu":
                    assert list(found) == list(expected), (name, output)
                else:
                    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=f"{name} {output}")
