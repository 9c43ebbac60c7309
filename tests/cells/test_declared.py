"""What files and users rely on in every cell: names, shapes and first values of weights, defaults, gates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from rnnapps.cells import (
    GRU,
    LSTM,
    MGU,
    Cell,
    DenseCell,
    IndRNN,
    LayerNormGRU,
    LayerNormLSTM,
    LinearCell,
    MinGRU,
    MinLSTM,
    PeepholeLSTM,
    Projection,
    Residual,
    SimpleRNN,
    Wrapper,
    Zoneout,
    make_cell,
)
from rnnapps.cells.initializers import GateConstants
from rnnapps.errors import ConfigError
from tests.cells.oracle import sigmoid

FEATURES, UNITS = 2, 3
GLOROT, ORTHOGONAL = "GlorotUniform", "Orthogonal"
KINDS = [
    SimpleRNN,
    LSTM,
    GRU,
    PeepholeLSTM,
    LayerNormLSTM,
    LayerNormGRU,
    IndRNN,
    MGU,
    MinGRU,
    MinLSTM,
    Projection,
    Residual,
    Zoneout,
    GateConstants,
]
# Name -> its class; weights by name, with their shapes; states; the weights that start as constants.
DECLARED: dict[str, tuple[type[Cell], dict[str, tuple[int, ...]], list[int], dict[str, list[float]]]] = {
    "simple_rnn": (SimpleRNN, {"kernel": (2, 3), "recurrent_kernel": (3, 3), "bias": (3,)}, [3], {"bias": [0] * 3}),
    "lstm": (
        LSTM,
        {"kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,)},
        [3, 3],
        {"bias": [0] * 3 + [1] * 3 + [0] * 6},
    ),
    "gru": (GRU, {"kernel": (2, 9), "recurrent_kernel": (3, 9), "bias": (2, 9)}, [3], {"bias": [[0] * 9] * 2}),
    "gru_reset_before": (GRU, {"kernel": (2, 9), "recurrent_kernel": (3, 9), "bias": (9,)}, [3], {"bias": [0] * 9}),
    "peephole_lstm": (
        PeepholeLSTM,
        {"kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,), "peepholes": (3, 3)},
        [3, 3],
        {"bias": [0] * 3 + [1] * 3 + [0] * 6},
    ),
    "layer_norm_lstm": (
        LayerNormLSTM,
        {
            "kernel": (2, 12),
            "recurrent_kernel": (3, 12),
            "bias": (12,),
            "input_gain": (12,),
            "recurrent_gain": (12,),
            "state_gain": (3,),
            "state_bias": (3,),
        },
        [3, 3],
        {
            "bias": [0] * 3 + [1] * 3 + [0] * 6,
            "input_gain": [1] * 12,
            "recurrent_gain": [1] * 12,
            "state_gain": [1] * 3,
            "state_bias": [0] * 3,
        },
    ),
    "layer_norm_gru": (
        LayerNormGRU,
        {
            "kernel": (2, 9),
            "recurrent_kernel": (3, 9),
            "bias": (9,),
            "input_gain": (9,),
            "recurrent_gain": (9,),
            "candidate_bias": (3,),
        },
        [3],
        {"bias": [0] * 9, "input_gain": [1] * 9, "recurrent_gain": [1] * 9, "candidate_bias": [0] * 3},
    ),
    "ind_rnn": (IndRNN, {"kernel": (2, 3), "recurrent_kernel": (3,), "bias": (3,)}, [3], {"bias": [0] * 3}),
    "mgu": (MGU, {"kernel": (2, 6), "recurrent_kernel": (3, 6), "bias": (6,)}, [3], {"bias": [0] * 6}),
    "min_gru": (MinGRU, {"kernel": (2, 6), "bias": (6,)}, [3], {"bias": [0] * 6}),
    "min_lstm": (MinLSTM, {"kernel": (2, 9), "bias": (9,)}, [3], {"bias": [1] * 3 + [0] * 6}),
}


def built(name: str, **options: Any) -> Cell:
    cell = make_cell(name, UNITS, **options)
    cell.build((None, None, FEATURES))
    return cell


def random_step(cell: Cell, states: int = 1) -> tuple[Any, Any, list[Any]]:
    """Projected inputs, recurrent part and previous states of a step of two rows, all weights random."""
    random = np.random.default_rng(4)
    for weight in cell.trainable_variables:
        weight.assign(random.normal(size=weight.shape))
    previous = [random.normal(size=(2, size)) for size in cell.state_size]
    return cell.project(random.normal(size=(2, FEATURES))), cell.recur(previous[0]), previous


@pytest.mark.parametrize("kind", KINDS)
def test_files_name_it_so(kind: type) -> None:
    """Saved models find a class by this name: to change it makes them unreadable."""
    assert keras.saving.get_registered_name(kind) == f"rnnapps>{kind.__name__}"


@pytest.mark.parametrize("name", DECLARED)
def test_weights_states_and_first_values(name: str) -> None:
    kind, weights, states, constants = DECLARED[name]
    cell = built(name)
    assert type(cell) is kind
    assert {weight.name: tuple(weight.shape) for weight in cell.weights} == weights
    assert (cell.state_size, cell.output_size) == (states, 3)
    found = {weight.name: weight.numpy().tolist() for weight in cell.weights if weight.name in constants}
    assert found == constants


@pytest.mark.parametrize("name", DECLARED)
def test_first_values_of_matrices(name: str) -> None:
    config = make_cell(name, UNITS).get_config()
    assert config["units"] == UNITS
    assert config["kernel_initializer"]["class_name"] == GLOROT
    recurrent = {"ind_rnn": "RandomUniform", "min_gru": None, "min_lstm": None}.get(name, ORTHOGONAL)
    assert config.get("recurrent_initializer", {}).get("class_name") == recurrent


@pytest.mark.parametrize("name", DECLARED)
def test_given_first_values_of_matrices(name: str) -> None:
    options = {"kernel_initializer": "ones"}
    if not name.startswith("min"):
        options["recurrent_initializer"] = keras.initializers.Constant(0.25)
    cell = built(name, **options)
    assert np.all(cell.kernel.numpy() == 1)
    if not name.startswith("min"):
        assert np.all(cell.recurrent_kernel.numpy() == 0.25)
    copy = type(cell).from_config(cell.get_config())
    copy.build((None, None, FEATURES))
    for have, want in zip(copy.weights, cell.weights, strict=True):
        if "peepholes" not in want.path:
            np.testing.assert_array_equal(have.numpy(), want.numpy())


@pytest.mark.parametrize(
    ("make", "defaults"),
    [
        (lambda: SimpleRNN(3), {"activation": "tanh"}),
        (lambda: IndRNN(3), {"activation": "relu"}),
        (lambda: LSTM(3), {"forget_bias": 1.0}),
        (lambda: GRU(3), {"reset_after": True}),
        (lambda: MinGRU(3), {"update_bias": 0.0}),
        (lambda: MinLSTM(3), {"forget_bias": 1.0}),
        (lambda: Zoneout(LSTM(3)), {"rate": [0.1, 0.1], "seed": None}),
        (lambda: Zoneout(LSTM(3), [0, 0.5], seed=3), {"rate": [0.0, 0.5], "seed": 3}),
    ],
)
def test_arguments(make: Callable[[], Cell], defaults: dict[str, Any]) -> None:
    config = make().get_config()
    assert {name: config[name] for name in defaults} == defaults


def test_projection_starts_as_its_initializer_says() -> None:
    cell = Projection(LSTM(3), 2, kernel_initializer="ones")
    cell.build((None, None, FEATURES))
    assert np.all(cell.projection_kernel.numpy() == 1)
    assert cell.projection_kernel.name == "projection_kernel"
    assert cell.cell.recurrent_kernel.shape == (2, 12)
    config = Projection(LSTM(3), 2).get_config()
    assert (config["units"], config["kernel_initializer"]["class_name"]) == (2, GLOROT)


def test_gates_of_the_lstm_family() -> None:
    """The update is made of them, of the paper's equations: c = f c + i g, h = o tanh(c)."""
    for name in ("lstm", "peephole_lstm"):
        cell = built(name, dtype="float64")
        projected, recurrent, states = random_step(cell)
        gates = {gate: np.asarray(value) for gate, value in cell.gates(projected, recurrent, states).items()}
        assert list(gates) == ["input", "forget", "candidate", "output"]
        h, c = (np.asarray(state) for state in cell.update(projected, recurrent, states))
        np.testing.assert_allclose(gates["forget"] * states[1] + gates["input"] * gates["candidate"], c, rtol=1e-12)
        np.testing.assert_allclose(gates["output"] * np.tanh(c), h, rtol=1e-12)


def test_gates_of_the_normalised_lstm() -> None:
    cell = built("layer_norm_lstm", dtype="float64")
    projected, recurrent, states = random_step(cell)
    gates = cell.gates(projected, recurrent, states)
    centred = recurrent - np.mean(recurrent, axis=-1, keepdims=True)
    normal = centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
    total = np.asarray(projected) + normal * cell.recurrent_gain.numpy()
    for place, (gate, function) in enumerate(
        [("input", sigmoid), ("forget", sigmoid), ("candidate", np.tanh), ("output", sigmoid)]
    ):
        np.testing.assert_allclose(gates[gate], function(total[:, 3 * place : 3 * place + 3]), rtol=1e-10)


@pytest.mark.parametrize("name", ["gru", "gru_reset_before"])
def test_gates_of_the_gru(name: str) -> None:
    cell = built(name, dtype="float64")
    projected, recurrent, states = (np.asarray(part) for part in random_step(cell))
    gates = cell.gates(projected, recurrent, states)
    assert list(gates) == ["update", "reset", "candidate"]
    update, reset = (sigmoid(projected[:, part] + recurrent[:, part]) for part in (slice(0, 3), slice(3, 6)))
    kernel = cell.recurrent_kernel.numpy()[:, 6:]
    past = reset * recurrent[:, 6:] if name == "gru" else (reset * states[0]) @ kernel
    np.testing.assert_allclose(gates["update"], update, rtol=1e-10)
    np.testing.assert_allclose(gates["reset"], reset, rtol=1e-10)
    np.testing.assert_allclose(gates["candidate"], np.tanh(projected[:, 6:] + past), rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "gate", "amount"),
    [("layer_norm_gru", "update", "candidate"), ("mgu", "forget", "candidate")],
)
def test_gates_blend_the_old_state_with_the_candidate(name: str, gate: str, amount: str) -> None:
    cell = built(name, dtype="float64")
    projected, recurrent, states = random_step(cell)
    gates = {key: np.asarray(value) for key, value in cell.gates(projected, recurrent, states).items()}
    assert set(gates) == {gate, amount} | ({"reset"} if name == "layer_norm_gru" else set())
    (new,) = cell.update(projected, recurrent, states)
    np.testing.assert_allclose((1 - gates[gate]) * states[0] + gates[gate] * gates[amount], new, rtol=1e-10)


def test_the_gate_of_a_linear_cell_is_its_decay() -> None:
    cell = built("min_gru", dtype="float64")
    cell.set_weights([np.zeros((2, 6)), np.array([0.0, 1, -1, 7, 7, 7])])
    gates = cell.gates(cell.project(np.zeros((1, 2))), cell.recur(None), [np.zeros((1, 3))])
    assert list(gates) == ["forget"]
    np.testing.assert_allclose(gates["forget"], [1 - sigmoid(np.array([0.0, 1, -1]))])


@pytest.mark.parametrize(
    "wrap",
    [Residual, lambda cell: Zoneout(cell, 0.5), lambda cell: Projection(cell, 3)],
    ids=["add", "keep", "project"],
)
def test_a_wrapper_shows_the_gates_of_its_cell(wrap: Any) -> None:
    inner = LSTM(3, dtype="float64")
    cell = wrap(inner)
    cell.build((None, None, 3))
    random, own = np.random.default_rng(5), int(isinstance(cell, Projection))
    x, states = random.normal(size=(2, 3)), [random.normal(size=(2, 3)) for _ in range(2 + own)]
    expected = inner.gates(inner.project(x), inner.recur(states[0]), states[own:])
    actual = cell.gates(cell.project(x), cell.recur(states[0]), states)
    assert set(actual) == {"input", "forget", "candidate", "output"}
    for gate, value in expected.items():
        np.testing.assert_array_equal(actual[gate], value)


def test_a_cell_without_gates_shows_none() -> None:
    cell = built("simple_rnn")
    assert cell.gates(None, None, []) == {}


def test_first_states_are_zeros_of_the_compute_dtype() -> None:
    cell = make_cell("lstm", UNITS, dtype="mixed_bfloat16")
    for states in (cell.initial_states(2), cell.get_initial_state(batch_size=2)):
        assert [(tuple(state.shape), keras.backend.standardize_dtype(state.dtype)) for state in states] == [
            ((2, 3), "bfloat16")
        ] * 2
        assert not any(np.any(np.asarray(state, "float32")) for state in states)


@pytest.mark.parametrize("part", ["project", "recur", "update"])
def test_a_cell_says_which_part_it_lacks(part: str) -> None:
    class Unfinished(Cell):
        pass

    arguments = {"project": [None], "recur": [None], "update": [None, None, []]}[part]
    with pytest.raises(NotImplementedError, match=rf"Unfinished must define {part}\("):
        getattr(Unfinished(), part)(*arguments)


def test_a_linear_cell_says_what_it_lacks() -> None:
    with pytest.raises(NotImplementedError, match=r"LinearCell must define coefficients\(inputs, training\)"):
        LinearCell().project(None)


def test_one_unit_is_enough_and_none_is_not() -> None:
    assert SimpleRNN(1).state_size == [1]
    with pytest.raises(ConfigError, match="positive integer"):
        LSTM(0)


def test_contracts_have_one_block_that_can_be_projected() -> None:
    cell = DenseCell(UNITS)
    cell.build((None, FEATURES))
    assert cell.kernel.shape == (FEATURES, UNITS)
    assert cell.recurrent_size == UNITS
    assert (MGU(3).recurrent_size, IndRNN(3).recurrent_size, GRU(3, reset_after=False).recurrent_size) == (None,) * 3
    assert (GRU(3).recurrent_size, MinGRU(3).recurrent_size, Residual(LSTM(3)).recurrent_size) == (3, 3, None)
    assert (Zoneout(LSTM(3)).recurrent_size, Projection(LSTM(3), 2).recurrent_size) == (3, None)


def test_training_reaches_the_projection_of_a_wrapped_cell() -> None:
    """Zoneout within another wrapper draws while training, and blends by the mean else."""
    cell = Wrapper(Zoneout(SimpleRNN(4), 0.5, seed=2))
    cell.build((None, 2))
    x = np.ones((64, 2), "float32")
    _, drawn = cell.project(x, training=True)
    _, mean = cell.project(x)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    np.testing.assert_array_equal(mean, np.full((64, 1), 0.5))


def test_training_reaches_the_draws_of_a_call() -> None:
    cell = Zoneout(SimpleRNN(50), 0.5, seed=2)
    cell.build((None, 2))
    states = [np.full((1, 50), 9.0, "float32")]
    trained, _ = cell(np.ones((1, 2), "float32"), states, training=True)
    used, _ = cell(np.ones((1, 2), "float32"), states)
    assert 0 < np.sum(np.asarray(trained) == 9) < 50
    assert not np.any(np.asarray(used) == 9)


def test_a_wrapper_keeps_the_dtype_of_its_cell_unless_told() -> None:
    assert Wrapper(LSTM(3, dtype="float64")).compute_dtype == "float64"
    assert Wrapper(LSTM(3, dtype="float64"), dtype="float32").compute_dtype == "float32"


def test_constants_fill_equal_blocks() -> None:
    initializer = GateConstants([1, 2.5])
    np.testing.assert_array_equal(initializer((6,), "float32"), [1, 1, 1, 2.5, 2.5, 2.5])
    assert initializer.get_config() == {"values": [1.0, 2.5]}


class TellsTraining(SimpleRNN):
    """Emits 1 while training, else 0, and projects so too."""

    def project(self, inputs: Any, training: bool = False) -> Any:
        return keras.ops.ones_like(super().project(inputs)) * float(training)

    def emit(self, inputs: Any, outputs: Any, training: bool = False) -> Any:
        return keras.ops.ones_like(outputs) * float(training)


@pytest.mark.parametrize(("options", "expected"), [({}, 0.0), ({"training": False}, 0.0), ({"training": True}, 1.0)])
def test_parts_are_told_of_training_and_use_a_cell_unless_told(options: dict[str, bool], expected: float) -> None:
    x, states = np.zeros((1, 2), "float32"), [np.zeros((1, 2), "float32")]
    for cell in (TellsTraining(2), Wrapper(TellsTraining(2)), Residual(TellsTraining(2))):
        cell.build((None, 2))
        np.testing.assert_array_equal(cell.project(x, **options), np.full((1, 2), expected))
        np.testing.assert_array_equal(cell.emit(x, states[0], **options), np.full((1, 2), expected))
        np.testing.assert_array_equal(cell(x, states, **options)[0], np.full((1, 2), expected))


@pytest.mark.parametrize(("options", "expected"), [({}, 0.0), ({"training": True}, 1.0)])
def test_coefficients_are_told_of_training(options: dict[str, bool], expected: float) -> None:
    class Own(LinearCell):
        def coefficients(self, inputs: Any, training: bool = False) -> Any:
            return float(training), inputs

    assert Own().project(5.0, **options) == (expected, 5.0)
