"""Every private name of another package that our code uses, why, and with which version it was seen to work."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["LISTED", "PrivateName"]


@dataclass(frozen=True)
class PrivateName:
    """A private name.

    Attributes:
        name: as the scan finds it: modules and their members in full, attributes of objects alone.
        files: where it is used.
        reason: what it gives that no public name does.
        package: the distribution it belongs to, "python" for the standard library.
        seen: the newest version with which the tests passed.
        find: returns what the name stands for in the installed version, or raises.
    """

    name: str
    files: tuple[str, ...]
    reason: str
    package: str
    seen: str
    find: Callable[[], Any]


def _actions() -> Any:
    parser = argparse.ArgumentParser(add_help=False)
    flag = parser.add_argument("--flag")
    assert parser._actions == [flag]
    return flag


def _flatten_layers() -> Any:
    import keras

    inner = keras.layers.Dense(1)
    network = keras.Sequential([keras.layers.TimeDistributed(inner)])
    assert inner in network._flatten_layers()
    return inner


def _get_function() -> Any:
    import tensorflow as tf

    inner = tf.function(tf.square)
    graph = tf.function(lambda value: inner(value)).get_concrete_function(tf.TensorSpec((), tf.float32)).graph
    call = next(operation for operation in graph.get_operations() if operation.type.endswith("PartitionedCall"))
    called = graph._get_function(call.get_attr("f").name).graph
    assert "Square" in {operation.type for operation in called.get_operations()}
    return called


def _moments() -> Any:
    import keras

    layer, taken = keras.layers.BatchNormalization(), []
    layer.__dict__["_moments"] = lambda inputs, mask: taken.append(mask) or (keras.ops.zeros(2), keras.ops.ones(2))
    layer(keras.ops.ones((3, 2)), training=True)
    assert taken == [None]
    return layer._moments


def _trackable() -> Any:
    import tensorflow as tf

    assert isinstance(tf.Variable(0.0), tf.__internal__.tracking.Trackable)
    return tf.__internal__.tracking.Trackable


def _member(module: str, name: str) -> Callable[[], Any]:
    return lambda: getattr(import_module(module), name)


LISTED = (
    PrivateName(
        "_actions",
        ("rnnapps/cli/arguments.py",),
        "jsonargparse adds a flag for a file to every group; argparse cannot hide a flag that somebody else added",
        "python",
        "3.13",
        _actions,
    ),
    PrivateName(
        "_flatten_layers",
        (
            "rnnapps/certificates/subjects.py",
            "rnnapps/testing/subject.py",
            "rnnapps/training/joint_moments.py",
            "rnnapps/training/recurrence.py",
            "rnnapps/training/step_memory.py",
            "rnnapps/training/trainer.py",
        ),
        "layers within layers; the public `Model.layers` stops at the outermost",
        "keras",
        "3.15.1",
        _flatten_layers,
    ),
    PrivateName(
        "keras.src.backend.common.variables.AutocastScope",
        ("rnnapps/kernels/step.py",),
        "a compiled step reads weights in the precision of its layer; Keras opens the scope in Layer.__call__ only",
        "keras",
        "3.15.1",
        _member("keras.src.backend.common.variables", "AutocastScope"),
    ),
    PrivateName(
        "_moments",
        ("rnnapps/training/joint_moments.py",),
        "mean and variance over the rows of all workers; the public `synchronized` asks Keras's own strategy",
        "keras",
        "3.15.1",
        _moments,
    ),
    PrivateName(
        "_get_function",
        ("rnnapps/training/operations.py",),
        "the body of a function that a graph calls, to count its operations",
        "tensorflow",
        "2.21.0",
        _get_function,
    ),
    PrivateName(
        "tensorflow.__internal__.tracking.Trackable",
        ("rnnapps/export/saved_model.py",),
        "tells tables and other resources of a preprocessor, which an export has to keep, from plain attributes",
        "tensorflow",
        "2.21.0",
        _trackable,
    ),
    PrivateName(
        "tensorflow.python.framework.convert_to_constants.convert_variables_to_constants_v2",
        ("rnnapps/portable/static.py",),
        "a graph without variables and functions, which other runtimes need; TensorFlow's guides name no public one",
        "tensorflow",
        "2.21.0",
        _member("tensorflow.python.framework.convert_to_constants", "convert_variables_to_constants_v2"),
    ),
    PrivateName(
        "tensorflow.core.protobuf.config_pb2.ConfigProto.FromString",
        ("rnnapps/export/node_options.py",),
        "what a graph's functions ask of the runtime; the protocol buffer is public, its module is not",
        "tensorflow",
        "2.21.0",
        lambda: _member("tensorflow.core.protobuf.config_pb2", "ConfigProto")().FromString,
    ),
    PrivateName(
        "tensorflow.core.protobuf.fingerprint_pb2.FingerprintDef.FromString",
        ("rnnapps/export/contents.py", "rnnapps/export/graph_files.py"),
        "reads the fingerprint of an export; the protocol buffer is public, its module is not",
        "tensorflow",
        "2.21.0",
        lambda: _member("tensorflow.core.protobuf.fingerprint_pb2", "FingerprintDef")().FromString,
    ),
    PrivateName(
        "tensorflow.core.protobuf.saved_model_pb2.SavedModel",
        ("rnnapps/export/graph.py",),
        "parses an export; the protocol buffer is public, its module is not",
        "tensorflow",
        "2.21.0",
        _member("tensorflow.core.protobuf.saved_model_pb2", "SavedModel"),
    ),
    PrivateName(
        "os._exit",
        ("benchmarks/counted_writes.py",),
        "ends a fork without what its parent would do at its end; documented for that use, private by its name alone",
        "python",
        "3.13",
        _member("os", "_exit"),
    ),
    PrivateName(
        "tensorflow.python.eager.forwardprop_util.pack_tangents",
        ("rnnapps/kernels/tangents.py",),
        "whether forward mode follows an argument: accumulators in a graph never ask a custom gradient",
        "tensorflow",
        "2.21.0",
        _member("tensorflow.python.eager.forwardprop_util", "pack_tangents"),
    ),
    PrivateName(
        "tensorflow.python.eager.record.could_possibly_record",
        ("rnnapps/kernels/tangents.py",),
        "whether a tape may differentiate what forward mode gives: it finds no way through a function",
        "tensorflow",
        "2.21.0",
        _member("tensorflow.python.eager.record", "could_possibly_record"),
    ),
    PrivateName(
        "tensorflow.python.saved_model.fingerprinting_utils.write_fingerprint",
        ("rnnapps/export/graph_files.py",),
        "the fingerprint of a graph that was changed after it was saved",
        "tensorflow",
        "2.21.0",
        _member("tensorflow.python.saved_model.fingerprinting_utils", "write_fingerprint"),
    ),
    PrivateName(
        "tensorflow.core.protobuf.saved_model_pb2",
        ("rnnapps/export/protos.py",),
        "reads an export without loading TensorFlow; the protocol buffer is public, its module is not",
        "tensorflow",
        "2.21.0",
        _member("tensorflow.core.protobuf.saved_model_pb2", "SavedModel"),
    ),
    PrivateName(
        "tensorflow.python.ops.control_flow_util.GraphOrParentsInXlaContext",
        ("rnnapps/kernels/choice.py",),
        "the only place that knows whether XLA will compile what is being traced",
        "tensorflow",
        "2.21.0",
        _member("tensorflow.python.ops.control_flow_util", "GraphOrParentsInXlaContext"),
    ),
    PrivateName(
        "tensorflow_datasets.core.download.downloader.MAX_RETRIES",
        ("rnnapps/data/sources.py",),
        "without a network it retries for 200 s; no setting shortens that",
        "tensorflow-datasets",
        "4.9.10",
        _member("tensorflow_datasets.core.download.downloader", "MAX_RETRIES"),
    ),
)
