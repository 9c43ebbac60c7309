"""Each row of the static rules, on graphs written by hand: what it bans, where, and what it lets through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from rnnapps.export.checks import Check
from rnnapps.export.rules import check_graph, serving_graph

FLOATS = "dtype: DT_FLOAT tensor_shape { dim { size: -1 } dim { size: 3 } }"
INPUT = f'inputs {{ key: "x" value {{ name: "x:0" {FLOATS} }} }}'
OUTPUT = f'outputs {{ key: "y" value {{ name: "y:0" {FLOATS} }} }}'

NO_PYTHON = "runs Python, which a server has not; write it with TensorFlow operations"
NO_COMPILER = "needs the XLA compiler, which the server does not link; trace the model without jit_compile"
NO_VENDOR = "runs on one vendor's GPU only; build the model with rnnapps layers, which never choose cuDNN"
NO_CLUSTER = "needs a training cluster; export a model without a distribution strategy"
NO_CHANCE = "draws random numbers that no request can repeat; take a `seed` input and use tf.random.stateless_*"
NO_CHANGE = "changes a variable that all clients share; make the state an input and an output"
NO_FILES = "touches files of the server; put the data into the graph"
NO_TABLE = "changes a table that all clients share; use a constant table"

BANNED_EVERYWHERE = {
    NO_PYTHON: ["PyFunc", "EagerPyFunc", "PyFuncStateless"],
    NO_COMPILER: ["XlaLaunch", "_XlaRun", "TPUExecute"],
    NO_VENDOR: ["CudnnRNN", "FusedCudnnConv"],
    NO_CLUSTER: ["NcclAllReduce", "CollectiveReduce"],
}
BANNED_IN_SIGNATURES = {
    NO_CHANCE: [
        "RandomUniform",
        "TruncatedNormal",
        "Multinomial",
        "ParameterizedTruncatedNormal",
        "StatefulStandardNormalV2",
        "StatefulTruncatedNormal",
        "StatefulUniformInt",
        "StatefulRandomBinomial",
        "StatefulBinomial",
        "RngSkip",
        "NonDeterministicInts",
    ],
    NO_CHANGE: [
        "AssignAddVariableOp",
        "ResourceApplyAdam",
        "ResourceScatterAdd",
        *(f"Scatter{what}" for what in ("Add", "Sub", "Update", "Mul", "Div", "Min", "Max")),
    ],
    NO_FILES: ["ReadFile", "WriteFile", "MatchingFiles", "SaveV2", "RestoreV2"],
    NO_TABLE: ["LookupTableInsertV2", "MutableHashTableV2", "MutableDenseHashTableV2"],
}


def graph(signatures: str, nodes: str, functions: str = "") -> Any:
    """A MetaGraphDef from its text form."""
    text = f"graph_def {{ {nodes} library {{ {functions} }} }} {signatures}"
    return text_format.Parse(text, meta_graph_pb2.MetaGraphDef())


def signature(name: str = "serving_default", inputs: str = INPUT, outputs: str = OUTPUT) -> str:
    return f'signature_def {{ key: "{name}" value {{ {inputs} {outputs} }} }}'


def node(name: str, operation: str, sources: Iterable[str] = (), attributes: str = "") -> str:
    read = " ".join(f'input: "{source}"' for source in sources)
    return f'node {{ name: "{name}" op: "{operation}" {read} {attributes} }}'


def function(name: str, *operations: tuple[str, str], attributes: str = "") -> str:
    body = " ".join(f'node_def {{ name: "{place}" op: "{operation}" }}' for place, operation in operations)
    return f'function {{ signature {{ name: "{name}" }} {body} {attributes} }}'


def checks(meta_graph: Any, known: Iterable[str] = ("Placeholder", "Identity", "NoOp")) -> dict[str, Check]:
    return {check.name: check for check in check_graph(meta_graph, frozenset(known))}


def failures(meta_graph: Any, name: str, known: Iterable[str] = ("Placeholder", "Identity", "NoOp")) -> list[str]:
    """The reasons of a check that failed, none of one that passed."""
    check = checks(meta_graph, known)[name]
    return [] if check.passed else check.detail.splitlines()


GOOD = node("x", "Placeholder") + node("y", "Identity", ["x"])


def test_a_good_graph_passes() -> None:
    found = checks(graph(signature() + signature("step"), GOOD))
    assert list(found) == ["signatures", "operations", "no compiled part"]
    assert all(check.passed for check in found.values())
    assert found["signatures"].detail == "serving_default, step: 4 tensors"
    assert found["operations"].detail == "2 operations, all of TensorFlow core"
    assert found["no compiled part"].detail == "the graph needs no compiler"


ROWS = [
    (operation, reason)
    for table in (BANNED_EVERYWHERE, BANNED_IN_SIGNATURES)
    for reason, operations in table.items()
    for operation in operations
]


@pytest.mark.parametrize(("operation", "reason"), ROWS)
def test_a_signature_reaches_a_banned_operation(operation: str, reason: str) -> None:
    nodes = node("x", "Placeholder") + node("bad", operation, ["x"]) + node("y", "Identity", ["bad:1"])
    found = failures(graph(signature(), nodes), "operations", ["Placeholder", "Identity", operation])
    assert found == [f"signature 'serving_default' at bad: operation {operation} {reason}"]


@pytest.mark.parametrize(("operation", "reason"), ROWS)
def test_a_banned_operation_that_no_signature_reaches(operation: str, reason: str) -> None:
    """Saving and restoring variables needs some of them beside the signatures; others no server can even load."""
    found = failures(
        graph(signature(), GOOD + node("bad", operation)), "operations", ["Placeholder", "Identity", operation]
    )
    everywhere = any(operation in operations for operations in BANNED_EVERYWHERE.values())
    assert found == ([f"graph at bad: operation {operation} {reason}"] if everywhere else [])


@pytest.mark.parametrize("operation", ["StatelessRandomUniformV2", "ScatterNd", "LookupTableFindV2", "ReadVariableOp"])
def test_operations_that_sound_alike_pass(operation: str) -> None:
    nodes = node("x", "Placeholder") + node("y", operation, ["x"])
    assert not failures(graph(signature(), nodes), "operations", ["Placeholder", operation])


def test_an_operation_of_nobody() -> None:
    found = failures(graph(signature(), GOOD + node("own", "MyKernel")), "operations")
    assert found == ["graph at own: operation MyKernel is not in TensorFlow core; no stock server can load it"]


@pytest.mark.parametrize("control", ["bad", "^bad", "bad:2"])
def test_any_kind_of_edge_reaches(control: str) -> None:
    nodes = node("x", "Placeholder") + node("bad", "WriteFile") + node("y", "Identity", ["x", control])
    found = failures(graph(signature(), nodes), "operations", ["Placeholder", "Identity", "WriteFile"])
    assert found == [f"signature 'serving_default' at bad: operation WriteFile {NO_FILES}"]


def test_circles_and_loose_ends_are_walked_once() -> None:
    """Loops of old graphs lead back to themselves; a name that no operation has is none of these rules' business."""
    nodes = (
        node("x", "Placeholder") + node("back", "WriteFile", ["y"]) + node("y", "Identity", ["x", "back", "missing"])
    )
    found = failures(graph(signature(), nodes), "operations", ["Placeholder", "Identity", "WriteFile"])
    assert found == [f"signature 'serving_default' at back: operation WriteFile {NO_FILES}"]


def test_an_operation_without_a_name_has_no_place() -> None:
    found = failures(graph(signature(), GOOD + node("", "PyFunc")), "operations", ["Placeholder", "Identity", "PyFunc"])
    assert found == [f"graph: operation PyFunc {NO_PYTHON}"]


def test_signatures_are_told_apart() -> None:
    """Only those whose result needs the operation are named; two that share it are both named."""
    nodes = GOOD + node("bad", "WriteFile") + node("z", "Identity", ["bad"])
    other = f'outputs {{ key: "z" value {{ name: "z:0" {FLOATS} }} }}'
    three = signature() + signature("b", outputs=other) + signature("a", outputs=other)
    found = failures(graph(three, nodes), "operations", ["Placeholder", "Identity", "WriteFile"])
    assert found == [f"signature 'a', 'b' at bad: operation WriteFile {NO_FILES}"]


def test_functions_are_followed_by_name_and_by_attribute() -> None:
    """A call, the branches of a condition, and calls within functions, those in a circle too."""
    nodes = node("x", "Placeholder") + node(
        "y",
        "If",
        ["x"],
        'attr { key: "then_branch" value { func { name: "then" } } }'
        'attr { key: "branches" value { list { func { name: "first" } func { name: "second" } } } }',
    )
    library = (
        function("then", ("inner", "inside"))
        + function("inside", ("write", "WriteFile"), ("again", "then"))
        + function("first", ("read", "ReadFile"))
        + function("second", ("save", "SaveV2"))
        + function("apart", ("nobody", "WriteFile"))
    )
    known = ["Placeholder", "If", "WriteFile", "ReadFile", "SaveV2"]
    found = failures(graph(signature(), nodes, library), "operations", known)
    assert found == [
        f"signature 'serving_default' at {place}: operation {operation} {NO_FILES}"
        for place, operation in (("write", "WriteFile"), ("read", "ReadFile"), ("save", "SaveV2"))
    ]


@pytest.mark.parametrize("attribute", ["_XlaMustCompile", "_XlaCompile"])
def test_compiled_parts(attribute: str) -> None:
    on, off = (f'attr {{ key: "{attribute}" value {{ b: {value} }} }}' for value in ("true", "false"))
    nodes = node("x", "Placeholder") + node("call", "compiled", ["x"]) + node("y", "Identity", ["call"], on)
    library = function("compiled", ("within", "NoOp"), attributes=on) + function("plain", ("n", "NoOp"), attributes=off)
    tail = "is compiled by XLA, which a server lacks; trace it without jit_compile"
    found = checks(graph(signature(), nodes, library))
    assert found["no compiled part"].detail.splitlines() == [
        f"signature 'serving_default' at y: {tail}",
        f"signature 'serving_default' at function compiled: {tail}",
    ]
    assert found["operations"].passed
    inner = function("apart", ("n", "NoOp")).replace('op: "NoOp"', f'op: "NoOp" {on}')
    assert failures(graph(signature(), GOOD, inner), "no compiled part") == [f"graph at n: {tail}"]


@pytest.mark.parametrize(
    ("name", "tensor", "problem"),
    [
        ("y", "coo_sparse { } dtype: DT_FLOAT", "is ragged or sparse; return a dense tensor"),
        ("y", 'name: "y:0"', "is ragged or sparse; return a dense tensor (ragged.to_tensor()) and its lengths"),
        (
            "y",
            'name: "y:0" dtype: DT_BFLOAT16',
            "is bfloat16, which has no JSON form; cast it to float32, int32, int64",
        ),
        ("y", 'name: "y:0" dtype: DT_QINT8', "is type 11, which has no JSON form"),
        ("y", 'name: "y:0" dtype: DT_FLOAT tensor_shape { unknown_rank: true }', "has an unknown number of dimensions"),
        (
            "y",
            'name: "y:0" dtype: DT_FLOAT tensor_shape { }',
            "is a scalar; every input and output leads with the batch",
        ),
        (
            "y",
            'name: "y:0" dtype: DT_FLOAT tensor_shape { dim { size: 5 } }',
            "has a fixed first dimension of 5; it must be the batch dimension, of any size",
        ),
        (
            "y_bytes",
            f'name: "y:0" {FLOATS}',
            "ends in '_bytes' but is not a string tensor; only binary strings carry that ending",
        ),
    ],
)
def test_tensors_that_no_request_can_carry(name: str, tensor: str, problem: str) -> None:
    for kind, plural in (("input", "inputs"), ("output", "outputs")):
        bad = f'{plural} {{ key: "{name}" value {{ {tensor} }} }}'
        text = signature(inputs=bad) if kind == "input" else signature(outputs=bad)
        (found,) = failures(graph(text, GOOD), "signatures")
        assert found.startswith(f"signature 'serving_default', {kind} '{name}': {problem}")


@pytest.mark.parametrize("shape", ["dim { size: -1 }", "dim { size: -1 } dim { size: 1 } dim { size: -1 }"])
def test_strings_may_be_bytes_and_only_the_batch_must_vary(shape: str) -> None:
    text = f'outputs {{ key: "y_bytes" value {{ name: "y:0" dtype: DT_STRING tensor_shape {{ {shape} }} }} }}'
    assert not failures(graph(signature(outputs=text), GOOD), "signatures")


def test_signatures_have_a_default_inputs_and_outputs() -> None:
    assert failures(graph(signature("step"), GOOD), "signatures") == [
        "there is no signature 'serving_default'; a server runs it when a request names none"
    ]
    for bad in (signature("b", inputs=""), signature("b", outputs="")):
        assert failures(graph(signature() + bad, GOOD), "signatures") == ["signature 'b': has no inputs or no outputs"]


def test_signatures_of_tensorflow_itself_are_no_endpoints() -> None:
    own = 'signature_def { key: "__saved_model_init_op" value { } }'
    text = signature() + own + signature("_step")
    assert checks(graph(text, GOOD))["signatures"].detail == "_step, serving_default: 4 tensors"


def test_the_graph_that_a_server_loads() -> None:
    text = 'meta_graphs { meta_info_def { tags: "train" } } meta_graphs { meta_info_def { tags: "serve" tags: "gpu" } }'
    saved_model = text_format.Parse(text, saved_model_pb2.SavedModel())
    assert serving_graph(saved_model).meta_info_def.tags == ["serve", "gpu"]
    del saved_model.meta_graphs[1]
    assert serving_graph(saved_model) is None
