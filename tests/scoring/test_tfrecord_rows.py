"""Rows of TFRecord files that TensorFlow has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from rnnapps.contract.served import ServedSignature, ServedTensor
from rnnapps.errors import ConfigError, DataError
from rnnapps.scoring.records import Records, rows_of
from rnnapps.scoring.row_format import Record
from rnnapps.scoring.rows import RowBuilder


def feature(*values: Any) -> tf.train.Feature:
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def example(**features: tf.train.Feature) -> bytes:
    content: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return content


def write(path: Path, *records: bytes, compression: str = "") -> Path:
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for record in records:
            writer.write(record)
    return path


def tensor(dtype: str, *inner: int | None) -> ServedTensor:
    return ServedTensor(dtype, [None, *inner])


SIGNATURE = ServedSignature(
    "takes all kinds",
    {
        "text": tensor("string"),
        "count": tensor("int32"),
        "values": tensor("float32", None),
        "rows": tensor("float32", None, 2),
    },
    {},
)
GOOD = example(text=feature(b"a"), count=feature(7), values=feature(0.5), rows=feature(1.0, 2.0, 3.0, 4.0))


def built(record: Record) -> dict[str, Any]:
    row = RowBuilder("all", SIGNATURE, {}, record.values)(record)
    return {name: array[0].tolist() if array.ndim > 1 else array[0] for name, array in row.items()}


def test_values_take_the_shapes_of_the_inputs(tmp_path: Path) -> None:
    (record,) = Records([write(tmp_path / "a.tfrecord", GOOD)])
    assert record.place == f"{tmp_path / 'a.tfrecord'}, record 1"
    assert built(record) == {"text": b"a", "count": 7, "values": [0.5], "rows": [[1.0, 2.0], [3.0, 4.0]]}


def test_sequences_are_rows_of_their_own(tmp_path: Path) -> None:
    steps = tf.train.FeatureList(feature=[feature(1.0, 2.0), feature(3.0, 4.0)])
    scalars = tf.train.FeatureList(feature=[feature(5.0), feature(6.0)])
    content = tf.train.SequenceExample(
        context=tf.train.Features(feature={"text": feature(b"a"), "count": feature(7)}),
        feature_lists=tf.train.FeatureLists(feature_list={"rows": steps, "values": scalars}),
    ).SerializeToString()
    (record,) = Records([write(tmp_path / "a.tfrecord", content)])
    assert built(record) == {"text": b"a", "count": 7, "values": [5.0, 6.0], "rows": [[1.0, 2.0], [3.0, 4.0]]}


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ({"count": feature(1, 2)}, "input 'count': 2 values found, 1 expected"),
        ({"rows": feature(1.0, 2.0, 3.0)}, "input 'rows': 3 values found, rows of 2 expected"),
    ],
)
def test_values_that_fit_no_shape(tmp_path: Path, features: dict[str, tf.train.Feature], told: str) -> None:
    whole = {"text": feature(b"a"), "count": feature(7), "values": feature(0.5), "rows": feature(1.0, 2.0)}
    (record,) = Records([write(tmp_path / "a.tfrecord", example(**(whole | features)))])
    with pytest.raises(ConfigError, match=told):
        built(record)


@pytest.mark.parametrize("name", ["a.tfrecord-00000-of-00002", "a.tfrec.gz", "a.TFRECORDS"])
def test_files_are_known_by_their_names(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, GOOD, GOOD, compression="GZIP" if name.endswith("gz") else "")
    assert [record.values["text"] for record in Records([path])] == [[b"a"], [b"a"]]
    assert rows_of(path) == 2


def test_a_bad_record_is_a_problem_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", GOOD, b"\xff\xff", GOOD)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # in the last record, before its checksum
    path.write_bytes(content)
    assert [record.problem for record in Records([path])] == [
        "", "is no tf.train.Example", "has another checksum than it should",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cut", "flip", "told"),
    [(3, None, "record 2 is cut short"), (0, 0, "record 1 has a length with another checksum")],
)
def test_a_file_whose_records_cannot_be_found(tmp_path: Path, cut: int, flip: int | None, told: str) -> None:
    path = write(tmp_path / "a.tfrecord", GOOD, GOOD)
    content = bytearray(path.read_bytes())
    if flip is not None:
        content[flip] ^= 1
    path.write_bytes(content[: len(content) - cut])
    with pytest.raises(DataError, match=told):
        list(Records([path]))
