"""Do rows that share a run with others, over REST or gRPC, get what they get alone and what Keras gave?"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.serving_clients import Served, predict_body, predict_request
from benchmarks.serving_rows import difference, rows_of
from rnnapps.export.answers import Example
from rnnapps.export.manifest import read_manifest
from rnnapps.export.stored_examples import load_example
from rnnapps.export.tensor_protos import from_proto
from rnnapps.serving.json_requests import to_array
from rnnapps.serving.served_signature import TensorKind
from rnnapps.types import Array, Arrays

__all__ = ["parity"]

TURNS = 16


async def parity(served: Served) -> dict[str, Any]:
    """Signature -> what answers that share runs differ in from those alone, and those from Keras's.

    Each example row is asked alone, then all rows, `TURNS` times each, at the same time.
    """
    import grpc
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    result = {}
    async with grpc.aio.insecure_channel(f"127.0.0.1:{served.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        async def ask(signature: str, row: Arrays) -> Arrays:
            answer = await stub.Predict(predict_request(served.model, signature, row))
            return {name: from_proto(tensor) for name, tensor in answer.outputs.items()}

        for signature in sorted(read_manifest(served.folder).signatures):
            example = load_example(served.folder, signature)
            rows = rows_of(example.inputs)
            alone = [await ask(signature, row) for row in rows]
            together = await asyncio.gather(*(ask(signature, row) for row in rows * TURNS))
            over_rest = [
                await asyncio.to_thread(_rest, served, signature, row, like)
                for row, like in zip(rows, alone, strict=True)
            ]
            result[signature] = _compared(example, alone, together, over_rest)
    return result


def _compared(example: Example, alone: list[Arrays], together: list[Arrays], over_rest: list[Arrays]) -> dict[str, Any]:
    """Figures of one signature; a difference is a share of the largest value, or of 1 if that is larger."""
    expected = [{name: array[row : row + 1] for name, array in example.outputs.items()} for row in range(len(alone))]
    return {
        "rest_is_grpc": all(_same(*pair) for pair in zip(alone, over_rest, strict=True)),
        "same_bits_together": sum(_same(alone[number % len(alone)], answer) for number, answer in enumerate(together)),
        "of": len(together),
        "same_shapes_together": all(
            _shapes(alone[n % len(alone)]) == _shapes(answer) for n, answer in enumerate(together)
        ),
        "largest_difference_together": max(
            difference(alone[n % len(alone)], answer) for n, answer in enumerate(together)
        ),
        "largest_difference_from_keras": max(difference(*pair) for pair in zip(expected, alone, strict=True)),
    }


def _rest(served: Served, signature: str, row: Arrays, like: Arrays) -> Arrays:
    """The answer over REST, as arrays of the types that gRPC gave."""
    body = predict_body(signature, row)
    with urlopen(Request(f"http://127.0.0.1:{served.port}/v1/models/{served.model}:predict", body)) as answer:
        outputs = json.loads(answer.read())["outputs"]
    return {name: to_array(outputs[name], TensorKind(array.dtype, array.shape), name) for name, array in like.items()}


def _shapes(answer: Arrays) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in answer.items()}


def _same(first: Arrays, second: Arrays) -> bool:
    return all(first[name].shape == second[name].shape and _bits(first[name]) == _bits(second[name]) for name in first)


def _bits(array: Array) -> Any:
    return array.tolist() if array.dtype == object else array.tobytes()
