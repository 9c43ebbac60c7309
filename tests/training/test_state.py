"""TrainState: which evaluation is the best, what is saved and kept, and what may be loaded into which network."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rnnapps.errors import CheckpointError
from rnnapps.training.checkpoint import checkpoint_steps, read_checkpoint
from rnnapps.training.run import RunFolder
from rnnapps.training.state import TrainState, load_weights, read_weights, replace_best, restore_best


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    return folder


def network(units: int = 2, *, layers: int = 1, name: str = "head", dtype: str = "float32") -> keras.Model:
    """A chain of Dense layers of three inputs; all weights 0."""
    tensor = inputs = keras.Input((3,), dtype=dtype)
    for layer in range(layers):
        tensor = keras.layers.Dense(
            units, name=f"{name}_{layer}", dtype=dtype, kernel_initializer="zeros", use_bias=layer == 0
        )(tensor)
    return keras.Model(inputs, tensor)


def fill(model: keras.Model, value: float) -> None:
    for weight in model.weights:
        weight.assign(np.full(weight.shape, value))


def values(model: keras.Model) -> list[float]:
    """The one value that each weight holds throughout."""
    found = [np.unique(weight.numpy()) for weight in model.weights]
    assert all(len(each) == 1 for each in found)
    return [float(each[0]) for each in found]


def damage(run: RunFolder, step: int) -> None:
    (path,) = run.state_dir.glob(f"step-{step:09d}-*.npz")
    path.write_bytes(path.read_bytes()[:-1])


def silent(line: str) -> None:
    raise AssertionError(f"nothing to tell, but got {line!r}")


@pytest.mark.parametrize(
    ("higher", "measured", "improved", "best", "best_step", "since"),
    [
        (False, [3.0, 2.0, 2.0, 2.5], [True, True, False, False], 2.0, 2, 2),
        (True, [3.0, 2.0, 3.0, 4.0, 1.0], [True, False, False, True, False], 4.0, 4, 1),
        (False, [0.0, 0.5], [True, False], 0.0, 1, 1),
    ],
)
def test_the_first_of_the_best_evaluations_counts(
    higher: bool, measured: list[float], improved: list[bool], best: float, best_step: int, since: int
) -> None:
    state = TrainState()
    for step, (value, expected) in enumerate(zip(measured, improved, strict=True), start=1):
        state.step = step
        assert state.record(value, higher_is_better=higher) is expected
        assert state.evaluated_step == step
    assert (state.best_value, state.best_step, state.evaluations_since_best) == (best, best_step, since)


def test_lower_is_better_unless_said_otherwise() -> None:
    state = TrainState()
    assert [state.record(2.0), state.record(1.0), state.record(3.0)] == [True, True, False]


def test_a_new_state_has_nothing_behind_it() -> None:
    assert TrainState() == TrainState(0, 0.0, None, None, 0, 0, {})


def test_everything_comes_back(run: RunFolder) -> None:
    model, counter = network(), keras.Variable(7, dtype="int64", trainable=False, name="counter")
    fill(model, 0.5)
    state = TrainState(
        step=4,
        elapsed_seconds=1.25,
        best_value=0.75,
        best_step=4,
        evaluations_since_best=3,
        evaluated_step=4,
        fingerprint={"seed": 5},
    )
    state.save(run, {"network": model.weights, "optimizer": [counter]})
    fill(model, 0.0)
    counter.assign(0)
    seen: list[Any] = []
    restored = TrainState.restore(run, {"network": model.weights, "optimizer": [counter]}, silent, seen.append)
    assert restored == state
    assert seen == [{"seed": 5}]
    assert values(model) == [0.5, 0.5]
    assert int(counter.value) == 7


def test_nothing_saved_nothing_restored(run: RunFolder) -> None:
    assert TrainState.restore(run, {"network": network().weights}, silent) is None


def test_an_unexpected_fingerprint_leaves_the_variables_alone(run: RunFolder) -> None:
    model = network()
    fill(model, 0.5)
    TrainState(step=1).save(run, {"network": model.weights})
    fill(model, 0.25)

    def refuse(fingerprint: Any) -> None:
        raise CheckpointError("other data")

    with pytest.raises(CheckpointError, match="other data"):
        TrainState.restore(run, {"network": model.weights}, silent, refuse)
    assert values(model) == [0.25, 0.25]


def test_the_newest_two_and_their_best_are_kept(run: RunFolder) -> None:
    model, state, kept = network(), TrainState(), []
    for step, value in enumerate([5.0, 1.0, 2.0, 3.0, 0.5, 4.0], start=1):
        state.step = step
        state.record(value)
        state.save(run, {"network": model.weights})
        kept.append(checkpoint_steps(run.state_dir))
    # The best is step 1, then 2, then 5. Until step 4 has gone, its best stays too: it counts should 5 be damaged.
    assert kept == [[1], [1, 2], [2, 3], [2, 3, 4], [2, 4, 5], [5, 6]]


def test_states_without_an_evaluation_are_kept_too(run: RunFolder) -> None:
    for step in (1, 2, 3):
        TrainState(step=step).save(run, {"network": network().weights})
    assert checkpoint_steps(run.state_dir) == [2, 3]


def test_a_run_that_starts_again_from_an_older_state_drops_the_newer_ones(run: RunFolder) -> None:
    for step in (1, 5, 2):
        TrainState(step=step).save(run, {"network": network().weights})
    assert checkpoint_steps(run.state_dir) == [1, 2]


def test_old_states_that_cannot_be_removed(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("rnnapps.training.state.prune_checkpoints", refuse)
    with pytest.raises(CheckpointError, match=r"state: cannot remove old states: Permission denied$"):
        TrainState(step=1).save(run, {"network": network().weights})


def test_states_that_a_killed_process_did_not_remove_go_when_its_run_goes_on(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network()
    with monkeypatch.context() as patch:
        patch.setattr("rnnapps.training.state.prune_checkpoints", lambda *_, **__: None)  # it is killed before
        for step, value in ((2, 0.1), (4, 0.3), (6, 0.2), (8, 0.4)):
            state = TrainState(step=step, best_value=0.2, best_step=min(step, 6))
            fill(model, value)
            state.save(run, {"network": model.weights})
    damage(run, 8)
    told: list[str] = []
    restored = TrainState.restore(run, {"network": model.weights}, told.append)
    assert restored is not None and restored.step == 6 and len(told) == 1
    assert checkpoint_steps(run.state_dir) == [4, 6, 8]  # the damaged one stays until the next save


def save_three(run: RunFolder) -> keras.Model:
    """Steps 1, 2 and 3 whose weights are their numbers, 2 the best."""
    model, state = network(), TrainState()
    for step, value in enumerate([2.0, 1.0, 3.0], start=1):
        fill(model, step)
        state.step = step
        state.record(value)
        state.save(run, {"network": model.weights, "other": [keras.Variable(-1.0, name="decay")]})
    return model


@pytest.mark.parametrize(
    ("load", "step"),
    [
        (restore_best, 2),
        (load_weights, 2),
        (lambda run, model: load_weights(run, model, "last"), 3),
        (lambda run, model: load_weights(run, model, which="best"), 2),
    ],
)
def test_best_and_last_weights(run: RunFolder, load: Callable[..., int], step: int) -> None:
    model = save_three(run)
    assert load(run, model) == step
    assert values(model) == [step, step]


@pytest.mark.parametrize(("options", "step"), [({}, 2), ({"which": "last"}, 3)])
def test_weights_by_path(run: RunFolder, options: dict[str, Any], step: int) -> None:
    save_three(run)
    found, weights = read_weights(run, **options)
    assert found == step
    assert {path: (array.shape, array.flat[0]) for path, array in weights.items()} == {
        "head_0/kernel": ((3, 2), step),
        "head_0/bias": ((2,), step),
    }


def test_the_best_is_the_newest(run: RunFolder) -> None:
    model, state = network(), TrainState(step=1)
    fill(model, 0.5)
    state.record(1.0)
    state.save(run, {"network": model.weights})
    fill(model, 0.0)
    assert restore_best(run, model) == 1
    assert values(model) == [0.5, 0.5]


def test_no_state_and_no_evaluation(run: RunFolder) -> None:
    with pytest.raises(CheckpointError, match="holds no saved state; give a folder in which `train` has run"):
        restore_best(run, network())
    TrainState(step=1).save(run, {"network": network().weights})
    with pytest.raises(CheckpointError, match="was stopped before its first evaluation; resume its training first"):
        restore_best(run, network())
    assert load_weights(run, network(), "last") == 1


def test_a_damaged_state_is_told_and_passed_over(run: RunFolder) -> None:
    model, told = save_three(run), []
    damage(run, 3)
    restored = TrainState.restore(run, {"network": model.weights, "other": [keras.Variable(0.0)]}, told.append)
    assert restored is not None
    assert (restored.step, values(model)) == (2, [2, 2])
    (line,) = told
    assert re.search(r"step-000000003-\w+\.npz: is damaged .*; falling back to the state before it$", line)


def test_every_state_is_damaged(run: RunFolder) -> None:
    model, told = save_three(run), []
    for step in (2, 3):
        damage(run, step)
    with pytest.raises(CheckpointError, match=r"step-000000002.*; no intact state is left: start again with another"):
        TrainState.restore(run, {"network": model.weights}, told.append)
    assert len(told) == 2


@pytest.mark.parametrize(
    ("of", "to", "message"),
    [
        ({}, {"units": 5}, r"for head_0/kernel float32 \[3, 5\] it holds head_0/kernel float32 \[3, 2\]; use"),
        ({}, {"layers": 2}, r"for head_1/kernel float32 \[2, 2\] it holds nothing; use"),
        ({"layers": 2}, {}, r"which lacks head_1/kernel \[2, 2\]; use the run's own configuration"),
        ({"dtype": "float16"}, {}, r"for head_0/kernel float32 \[3, 2\] it holds head_0/kernel float16"),
    ],
)
def test_a_state_of_another_network(run: RunFolder, of: dict[str, Any], to: dict[str, Any], message: str) -> None:
    stored, wanted = network(**of), network(**to)
    fill(stored, 0.5)
    state = TrainState(step=1)
    state.record(1.0)
    state.save(run, {"network": stored.weights})
    with pytest.raises(CheckpointError, match=f"does not fit this model.*{message}"):
        restore_best(run, wanted)
    assert set(values(wanted)) == {0.0}


def test_names_of_layers_do_not_matter_but_places_do(run: RunFolder) -> None:
    model, other = network(layers=2), network(layers=2, name="renamed")
    for number, weight in enumerate(model.weights, start=1):
        weight.assign(np.full(weight.shape, number))
    state = TrainState(step=1)
    state.record(1.0)
    state.save(run, {"network": model.weights})
    restore_best(run, other)
    assert values(other) == [1, 2, 3]


def test_two_variables_of_one_path_cannot_be_told_by_path(run: RunFolder) -> None:
    twins = [keras.Variable(np.ones(2), name="twin"), keras.Variable(np.zeros(2), name="twin")]
    state = TrainState(step=1)
    state.record(1.0)
    state.save(run, {"network": twins})
    with pytest.raises(CheckpointError, match="two variables of the network share one path; give its layers own names"):
        read_weights(run)


def test_a_number_that_no_state_holds(run: RunFolder) -> None:
    """Also one of the dtype and shape of an empty array."""
    TrainState(step=1).save(run, {"network": network().weights})
    more = {"network": network().weights, "other": [keras.Variable(1.0, dtype="float64", name="rate")]}
    with pytest.raises(CheckpointError, match=r"for rate float64 \[\] it holds nothing"):
        TrainState.restore(run, more, silent)


def test_the_best_weights_are_replaced_and_nothing_else(run: RunFolder) -> None:
    model = save_three(run)
    step = restore_best(run, model)
    others = {number: read_checkpoint(run.state_dir, number) for number in checkpoint_steps(run.state_dir)}
    fill(model, 77.0)
    replace_best(run, model)
    fill(model, 0.0)
    assert restore_best(run, model) == step
    assert set(values(model)) == {77.0}
    assert checkpoint_steps(run.state_dir) == sorted(others)
    for number, (arrays, metadata) in others.items():
        found, facts = read_checkpoint(run.state_dir, number)
        assert facts == metadata
        kept = [name for name in arrays if number != step or not name.startswith("network/")]
        assert found.keys() == arrays.keys()
        assert all(np.array_equal(found[name], arrays[name]) for name in kept)
    assert len(list(run.state_dir.glob("*.npz"))) == len(others)
    with pytest.raises(CheckpointError, match="its state is of another network"):
        replace_best(run, network(layers=2))
