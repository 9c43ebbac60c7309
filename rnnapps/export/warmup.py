"""Warm-up requests: what TensorFlow Serving runs before a new version takes traffic.

The file is a TFRecord of `tensorflow.serving.PredictionLog` messages. The server runs each record while it loads the
model, and refuses the version when one of them fails.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from rnnapps.errors import ExportError
from rnnapps.export.arrays import Arrays
from rnnapps.export.tensor_protos import from_proto

__all__ = ["MAXIMUM_REQUESTS", "WARMUP_FILE", "masked_crc32c", "read_requests", "warmup_requests", "write_requests"]

WARMUP_FILE = "tf_serving_warmup_requests"
MAXIMUM_REQUESTS = 1000
_MAXIMUM_BYTES = 64 * 1024**2
_BATCH_SIZES = (1, 5, 2)


def warmup_requests(examples: Mapping[str, Arrays], count: int) -> list[tuple[str, Arrays]]:
    """Chooses requests: the signatures in turn, batch sizes 1, 5, 2 in turn, rows of the examples in turn.

    Args:
        examples: signature -> input name -> array with at least one row.
        count: number of requests.

    Raises:
        ExportError: `count` is outside 0 to 1000, the most a server accepts.
    """
    if not 0 <= count <= MAXIMUM_REQUESTS:
        raise ExportError(f"warm-up requests: {count} found, 0 to {MAXIMUM_REQUESTS} expected; lower the number")
    names = sorted(examples, key=lambda name: (name != "serving_default", name))
    requests = []
    for position in range(count):
        name, turn = names[position % len(names)], position // len(names)
        available = len(next(iter(examples[name].values())))
        rows = (np.arange(_BATCH_SIZES[turn % len(_BATCH_SIZES)]) + turn) % available
        requests.append((name, {key: array[rows] for key, array in examples[name].items()}))
    return requests


def write_requests(path: Path, requests: list[tuple[str, Arrays]], *, model_name: str) -> None:
    """Writes the requests as a TFRecord file; needs Python TensorFlow."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature
            for name, array in sorted(inputs.items()):
                request.inputs[name].CopyFrom(tf.make_tensor_proto(array, shape=array.shape))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString(deterministic=True))


def read_requests(path: Path) -> Iterator[tuple[str, Arrays]]:
    """Reads (signature, inputs) of every record, without Python TensorFlow.

    Raises:
        ExportError: the file is missing, damaged or has more records than a server accepts.
    """
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis import prediction_log_pb2

    for position, record in enumerate(_records(path), 1):
        if position > MAXIMUM_REQUESTS:
            raise ExportError(f"{path}: more than {MAXIMUM_REQUESTS} records; a server refuses them, write fewer")
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
            request = log.predict_log.request
            inputs = {name: from_proto(tensor) for name, tensor in request.inputs.items()}
        except (ValueError, KeyError, DecodeError) as error:
            raise ExportError(f"{path}: record {position} is damaged ({error}); export the model again") from error
        yield request.model_spec.signature_name, inputs


def _records(path: Path) -> Iterator[bytes]:
    """Payloads of a TFRecord file: length (8 bytes), its checksum (4), payload, its checksum (4)."""
    try:
        if path.stat().st_size > _MAXIMUM_BYTES:
            raise ExportError(f"{path}: larger than {_MAXIMUM_BYTES >> 20} MiB; a server would be long in starting")
        content = path.read_bytes()
    except OSError as error:
        raise ExportError(f"{path}: cannot be read ({error.strerror}); export the model again") from error
    start = 0
    while start < len(content):
        end = start + 12 + (struct.unpack_from("<Q", content, start)[0] if start + 12 <= len(content) else len(content))
        if end + 4 > len(content):
            raise ExportError(f"{path}: cut short at byte {start}; export the model again")
        for first, last in ((start, start + 8), (start + 12, end)):
            if struct.unpack_from("<I", content, last)[0] != masked_crc32c(content[first:last]):
                raise ExportError(f"{path}: checksum of byte {first} to {last} differs; export the model again")
        yield content[start + 12 : end]
        start = end + 4


def masked_crc32c(content: bytes) -> int:
    """The checksum of TFRecord files: CRC-32C (RFC 3720, appendix B.4), rotated by 15 bits, a constant added."""
    table, value = _crc32c_table(), 0xFFFFFFFF
    for byte in content:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


@functools.cache
def _crc32c_table() -> tuple[int, ...]:
    """The remainder of each byte by the polynomial of Castagnoli, least significant bit first."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)
