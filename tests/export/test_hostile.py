"""Exports made to do harm are refused before anything of them is loaded: nothing they would write is ever written."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from rnnapps.errors import ExportError
from rnnapps.export.graph import read_saved_model
from rnnapps.export.inference import load_for_inference
from rnnapps.export.manifest import read_manifest, write_manifest
from rnnapps.export.safety import check_safety, require_safe
from rnnapps.export.verify import verify


class Signature(tf.Module):
    """What a signature does beside its work."""

    def __init__(self, harm: Callable[[tf.Tensor], Any]) -> None:
        super().__init__()
        self.harm = harm

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)
    def serve(self, prompt: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([self.harm(prompt[0])]):
            return {"text": tf.identity(prompt)}


class Initialiser(tf.saved_model.experimental.TrackableResource):
    """What is run when the model is loaded, though every signature is clean."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        _ = self.resource_handle

    def _create_resource(self) -> tf.Tensor:
        return tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.string, shared_name="harm")

    def _initialize(self) -> None:
        tf.io.write_file(self.path, "owned")


def write_to(path: Path) -> dict[str, Signature]:
    """The three exports of strangers, each of which writes a file."""
    quiet = Signature(lambda prompt: tf.no_op())
    quiet.initialiser = Initialiser(str(path))
    return {
        "signature": Signature(lambda prompt: tf.io.write_file(str(path), prompt)),
        "initialiser": quiet,
        "print": Signature(lambda prompt: tf.print(prompt, output_stream=f"file://{path}")),
    }


def replace_graph(version: Path, write: Callable[[Path], Any]) -> None:
    """Another graph in an export, under sums that fit."""
    for name in ("saved_model.pb", "fingerprint.pb"):
        (version / name).unlink()
    shutil.rmtree(version / "variables")
    write(version)
    write_manifest(version, read_manifest(version))


@pytest.mark.parametrize(
    ("name", "operation"), [("signature", "WriteFile"), ("initialiser", "WriteFile"), ("print", "PrintV2")]
)
def test_hostile_exports_are_refused_unread_and_unrun(version: Path, tmp_path: Path, name: str, operation: str) -> None:
    target = tmp_path / "written"
    module = write_to(target)[name]
    replace_graph(version, lambda folder: tf.saved_model.save(module, str(folder), signatures=module.serve))
    report = verify(version)
    failed = {item.name: item.detail for item in report.checks if not item.passed}
    assert f"operation {operation}" in failed["allow-list"]
    assert "not loaded and not run, for it fails" in failed["loads"]
    with pytest.raises(ExportError, match=rf"is not loaded, .*operation {operation}"):
        load_for_inference(version)
    assert not target.exists()


def test_the_three_would_do_harm(tmp_path: Path) -> None:
    """What the tests above refuse does write the file where it is run."""
    for name, module in write_to(tmp_path / "written").items():
        tf.saved_model.save(module, str(tmp_path / name), signatures=module.serve)
        loaded = tf.saved_model.load(str(tmp_path / name))
        loaded.signatures["serving_default"](prompt=tf.constant(["x"]))
        assert (tmp_path / "written").read_bytes().strip() in (b"x", b"owned"), name
        (tmp_path / "written").unlink()


def in_function(operation: str) -> Callable[[Any], None]:
    """An operation in a function that nothing calls."""

    def edit(graph: Any) -> None:
        function = graph.graph_def.library.function.add()
        function.signature.name = "unused"
        function.node_def.add(name="harm", op=operation)

    return edit


def as_control_input(graph: Any) -> None:
    graph.graph_def.node.add(name="harm", op="WriteFile")
    signature_call(graph).input.append("^harm")


def saves_when_it_is_loaded(graph: Any) -> None:
    graph.saver_def.restore_op_name = graph.saver_def.save_tensor_name.partition(":")[0]


def restores_other_files(graph: Any) -> None:
    graph.graph_def.node.add(name="elsewhere", op="Const")
    restoring(graph).input[0] = "elsewhere"


def restores_other_files_in_its_function(graph: Any) -> None:
    function = function_of(graph, restoring(graph))
    function.node_def.add(name="elsewhere", op="Const")
    next(node for node in function.node_def if node.op == "RestoreV2").input[0] = "elsewhere:output:0"


def restores_in_a_signature(graph: Any) -> None:
    signature_call(graph).input.append(f"^{restoring(graph).name}")


def saves_as_an_object(graph: Any) -> None:
    """Python's loader runs functions of objects with arguments that the file says."""
    name = function_of(graph, node_named(graph, graph.saver_def.save_tensor_name.partition(":")[0])).signature.name
    graph.object_graph_def.concrete_functions[name].SetInParent()


def as_a_branch(graph: Any) -> None:
    """A branch that is no function of the graph would be looked up among the operations."""
    graph.graph_def.node.add(name="harm", op="If").attr["then_branch"].func.name = "WriteFile"


def named_like_an_operation(graph: Any) -> None:
    graph.graph_def.library.function.add().signature.name = "Identity"


def with_attribute(name: str, value: bytes) -> Callable[[Any], None]:
    def edit(graph: Any) -> None:
        signature_call(graph).attr[name].s = value

    return edit


def on_device(name: str) -> Callable[[Any], None]:
    def edit(graph: Any) -> None:
        signature_call(graph).device = name

    return edit


def with_constant(dtype: int, *sizes: int) -> Callable[[Any], None]:
    def edit(graph: Any) -> None:
        tensor = graph.graph_def.node.add(name="harm", op="Const").attr["value"].tensor
        tensor.dtype = dtype
        for size in sizes:
            tensor.tensor_shape.dim.add(size=size)

    return edit


def signature_call(graph: Any) -> Any:
    return node_named(graph, graph.signature_def["serving_default"].outputs["text"].name.partition(":")[0])


def restoring(graph: Any) -> Any:
    return node_named(graph, graph.saver_def.restore_op_name)


def node_named(graph: Any, name: str) -> Any:
    return next(node for node in graph.graph_def.node if node.name == name)


def function_of(graph: Any, node: Any) -> Any:
    name = node.attr["f"].func.name
    return next(item for item in graph.graph_def.library.function if item.signature.name == name)


HIDDEN = {
    "a function that nothing calls": (in_function("WriteFile"), "operation WriteFile"),
    "Python": (in_function("PyFunc"), "operation PyFunc may do more than compute"),
    "text files": (in_function("InitializeTableFromTextFileV2"), "InitializeTableFromTextFileV2 may do more"),
    "mapped files": (in_function("ImmutableConst"), "operation ImmutableConst may do more"),
    "descriptors from files": (in_function("DecodeProtoV2"), "operation DecodeProtoV2 may do more"),
    "caches of datasets": (in_function("CacheDataset"), "operation CacheDataset may do more"),
    "other machines": (in_function("RemoteCall"), "operation RemoteCall may do more"),
    "an operation of nobody": (in_function("MyKernel"), "operation MyKernel is not in TensorFlow core"),
    "none of ours, but harmless": (in_function("Erfinv"), "if you trust whoever made this one: --allow Erfinv"),
    "a control input": (as_control_input, "operation WriteFile"),
    "saving while loading": (saves_when_it_is_loaded, "operation SaveV2 would run whenever the model is loaded"),
    "restoring elsewhere": (restores_other_files, "restores from files that the loader does not name"),
    "restoring elsewhere within": (restores_other_files_in_its_function, "restores from files that the loader"),
    "restoring on request": (restores_in_a_signature, "operation RestoreV2 touches files of the server"),
    "saving as an object": (saves_as_an_object, "operation SaveV2 touches files of the server"),
    "restoring in no saver": (in_function("RestoreV2"), "operation RestoreV2 touches files of the server"),
    "a branch that is no function": (as_a_branch, "calls 'WriteFile', which is no function of the graph"),
    "a function called like an operation": (named_like_an_operation, "'Identity': is called like an operation"),
    "two nodes of one name": (
        lambda graph: graph.graph_def.node.append(graph.graph_def.node[0]),
        "there are 2 of this name",
    ),
    "gradients": (lambda graph: graph.graph_def.library.gradient.add(), "functions have gradients"),
    "an asset": (lambda graph: graph.asset_file_def.add(filename="/etc/passwd"), "names asset files"),
    "an initialiser of old": (
        lambda graph: graph.collection_def["legacy_init_op"].node_list.value.append("x"),
        "collection 'legacy_init_op'",
    ),
    "an initialiser in bytes": (
        lambda graph: graph.collection_def["saved_model_main_op"].bytes_list.value.append(b"x"),
        "collection 'saved_model_main_op'",
    ),
    "an object with a loader": (
        lambda graph: graph.object_graph_def.nodes.add(registered_name="tf.Anything"),
        "tf.Anything is none that our exports hold",
    ),
    "an object of Keras": (
        lambda graph: setattr(graph.object_graph_def.nodes.add().user_object, "identifier", "_tf_keras_layer"),
        "_tf_keras_layer is none that our exports hold",
    ),
    "an asset as an object": (
        lambda graph: graph.object_graph_def.nodes.add().asset.SetInParent(),
        "asset is none that our exports hold",
    ),
    "another machine": (on_device("/job:worker/task:1/device:CPU:0"), "runs on the device '/job:worker"),
    "an option of the optimizer": (with_attribute("_tensorrt", b"x"), "attribute _tensorrt: is in none of our exports"),
    "a path": (with_attribute("shared_name", b"/etc/passwd"), "names a file, b'/etc/passwd'"),
    "a remote file": (with_attribute("container", b"gs://bucket/x"), "names a file, b'gs://bucket/x'"),
    "a handle of another's variable": (with_constant(20), "attribute value: is a resource instead of values"),
    "an object of any class": (with_constant(21), "attribute value: is a variant instead of values"),
    "a terabyte in ten bytes": (with_constant(1, 10**6, 10**6), "attribute value: has 1000000000000 elements"),
    "another executor": (with_attribute("executor_type", b"X"), "asks for the executor b'X'"),
    "options of the session": (with_attribute("config_proto", b"\x52\x00"), "sets graph_options of the session"),
    "options that are none": (with_attribute("config_proto", b"\xff"), "holds no options of a session"),
    "a later reader": (
        lambda graph: setattr(graph.graph_def.versions, "min_consumer", 2474),
        "TensorFlow 2.19 reads 2129",
    ),
    "an operation of later": (in_function("DecodeWebP"), "operation DecodeWebP came with TensorFlow 2.20"),
    "an attribute of later": (
        lambda graph: (
            graph.graph_def.node.add(name="later", op="TensorListGetItem").attr["Tshape"].MergeFromString(b"\x30\x09")
        ),
        "attribute Tshape of TensorListGetItem came with TensorFlow 2.21",
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_wherever_harm_hides(exported: Path, name: str) -> None:
    edit, message = HIDDEN[name]
    saved_model = read_saved_model(exported)
    assert all(item.passed for item in check_safety(saved_model))
    edit(saved_model.meta_graphs[0])
    lines = [line for item in check_safety(saved_model) if not item.passed for line in item.detail.splitlines()]
    assert any(message in line for line in lines), lines


@pytest.mark.parametrize(
    "edit",
    [
        lambda saved_model: saved_model.meta_graphs.add(),
        lambda saved_model: saved_model.meta_graphs[0].meta_info_def.tags.append("train"),
        lambda saved_model: setattr(saved_model, "saved_model_schema_version", 0),
        lambda saved_model: saved_model.ClearField("meta_graphs"),
    ],
)
def test_one_graph_for_serving(exported: Path, edit: Callable[[Any], None]) -> None:
    saved_model = read_saved_model(exported)
    edit(saved_model)
    assert "expected one graph tagged 'serve'" in check_safety(saved_model)[0].detail


def test_what_only_computes_can_be_allowed(exported: Path) -> None:
    saved_model = read_saved_model(exported)
    in_function("Erfinv")(saved_model.meta_graphs[0])
    in_function("WriteFile")(saved_model.meta_graphs[0])
    detail = check_safety(saved_model, {"Erfinv", "WriteFile"})[1].detail
    assert "WriteFile" in detail
    assert "Erfinv" not in detail


@pytest.mark.parametrize("name", ["saved_model.cpb", "saved_model.pbtxt"])
def test_a_second_graph(version: Path, name: str) -> None:
    """TensorFlow takes one of several files; which one was checked must not be a matter of luck."""
    (version / name).write_bytes(b"")
    with pytest.raises(ExportError, match=rf"{name}: a second graph"):
        require_safe(version)
    write_manifest(version, read_manifest(version))
    failed = {item.name: item.detail for item in verify(version).checks if not item.passed}
    assert f"{name}: no part of an export" in failed["layout"]
    assert failed["loads"] == "not loaded and not run, for it fails layout"


def test_a_graph_of_any_size(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnapps.export.graph.MAXIMUM_BYTES", 1 << 20)
    with open(version / "saved_model.pb", "r+b") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(ExportError, match="larger than 1 MiB"):
        require_safe(version)


LOADS = re.compile(r"saved_model\.load\(|TFSMLayer|TF_LoadSessionFromSavedModel|load_v2\(|loader\.load\(")
CHECKED = {
    "rnnapps/export/inference.py": "require_safe(",
    "rnnapps/export/c_api.py": "",  # runner.py and serving/model_loop.py check before they make a session
    "rnnapps/testing/layers.py": "",  # what the line before it has saved
}


def test_nothing_else_loads_a_graph() -> None:
    """`predict`, `finetune` and `rnnapps.load` of an export rebuild its network; they cannot run its graph."""
    root = Path(__file__).parents[2]
    files = [path for folder in ("rnnapps", "pipelines", "benchmarks") for path in (root / folder).rglob("*.py")]
    found = {path.relative_to(root).as_posix(): text for path in files if LOADS.search(text := path.read_text("utf-8"))}
    assert set(found) == set(CHECKED)
    for name, check in CHECKED.items():
        assert not check or found[name].index(check) < LOADS.search(found[name]).start()
    runner = (root / "rnnapps/export/runner.py").read_text("utf-8")
    assert runner.index("_static_checks(folder") < runner.index("LoadedModel(library, folder")
    served = (root / "rnnapps/serving/model_loop.py").read_text("utf-8")
    assert served.index("require_safe_graph(folder") < served.index("LoadedModel(Library(), folder")
