"""The exported character model: it verifies, and answers as `predict` does, however requests are cut and padded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cli.main import main as rnnapps_main
from rnnapps.export.signature_file import read_signatures
from rnnapps.preprocessing.characters import CharacterVocabulary
from rnnapps.training.run import RunFolder
from rnnapps.training.state import read_weights
from tests.tasks.text_generation.small import answer, complaint, gru_logits

Signature = Callable[..., dict[str, Any]]

TEXTS = ("über knight zoo river ", "xylophone", "z", "naïve crâne jas")


@pytest.fixture(scope="module")
def signatures(exported: Path) -> dict[str, Signature]:
    return dict(tf.saved_model.load(str(exported)).signatures)


@pytest.fixture(scope="module")
def vocabulary(exported: Path) -> CharacterVocabulary:
    return CharacterVocabulary.load(exported / "assets.extra" / "preprocessing")


def padded(rows: Sequence[Any], filler: int = 0) -> tuple[Any, Any]:
    """Tokens `(batch, time)` and lengths `(batch,)`."""
    lengths = np.array([len(row) for row in rows], np.int32)
    tokens = np.full((len(rows), max(lengths)), filler, np.int32)
    for number, row in enumerate(rows):
        tokens[number, : len(row)] = row
    return tf.constant(tokens), tf.constant(lengths)


def write(
    signatures: dict[str, Signature], prompts: Sequence[str], steps: Any, temperatures: Any, seeds: Any, **asked: Any
) -> Any:
    rows = len(prompts)
    kinds = {"top_k": (tf.int32, 0), "top_p": (tf.float32, 1.0), "stop": (tf.string, "")}
    further = {name: tf.constant(asked.get(name, [none] * rows), kind) for name, (kind, none) in kinds.items()}
    return signatures["serving_default"](
        prompt=tf.constant([prompt.encode() for prompt in prompts]),
        steps=tf.constant(steps, tf.int32),
        temperature=tf.constant(temperatures, tf.float32),
        seed=tf.constant(seeds, tf.int64),
        **further,
    )


def test_it_verifies(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rnnapps_main(["verify", str(exported)]) == 0
    assert "all passed" in capsys.readouterr().out


def test_serving_writes_what_predict_writes(
    run: Path, signatures: dict[str, Signature], capsys: pytest.CaptureFixture[str]
) -> None:
    prompt, length = "zoo ☃", 40
    asked = ("--prompt", prompt, "--length", length, "--temperature", 0.7, "--seed", 11, "--samples", 3)
    predicted = answer(capsys, "predict", "--run", run, *asked)["results"]
    served = write(signatures, [prompt] * 3, [length] * 3, [0.7] * 3, [11, 12, 13])
    assert [prompt + text.decode() for text in served["text"].numpy()] == predicted
    assert served["unknown_characters"].numpy().tolist() == [1, 1, 1]


def test_each_row_is_answered_as_if_it_came_alone(signatures: dict[str, Signature]) -> None:
    asked = (["zoo", "", "☃ knight of the", "x"], [5, 30, 1, 12], [1.0, 0.9, 0.0, 2.0], [1, -2, 3, 2**40])
    together = write(signatures, *asked)
    for row in range(4):
        alone = write(signatures, *([part[row]] for part in asked))
        for name, values in together.items():
            assert values[row].numpy() == alone[name][0].numpy(), name
    assert [len(text.decode()) for text in together["text"].numpy()] == asked[1]
    assert together["unknown_characters"].numpy().tolist() == [0, 0, 2, 0]  # the snowman and f


def test_scores_are_those_of_numpy(
    run: Path, signatures: dict[str, Signature], vocabulary: CharacterVocabulary
) -> None:
    weights, rows = read_weights(RunFolder(run))[1], [vocabulary.encode_all([text]) for text in TEXTS]
    tokens, lengths = padded(rows)
    logits = signatures["tensors"](tokens=tokens, lengths=lengths)["logits"].numpy()
    for row, ids in enumerate(rows):
        np.testing.assert_allclose(logits[row, : len(ids)], gru_logits(weights, ids.astype(int)), rtol=1e-4, atol=1e-4)
        assert not logits[row, len(ids) :].any()


@pytest.mark.parametrize("seed", range(3))
def test_any_chunks_score_as_the_whole(
    seed: int, signatures: dict[str, Signature], vocabulary: CharacterVocabulary
) -> None:
    """Every row is cut at its own places; some chunks hold nothing of a row, and the padding is any character."""
    draw = np.random.default_rng(seed)
    rows = [vocabulary.encode_all([text]) for text in TEXTS]
    tokens, lengths = padded(rows)
    whole = signatures["tensors"](tokens=tokens, lengths=lengths)["logits"].numpy()
    specification = signatures["step"].structured_input_signature[1]
    states = {
        name: tf.zeros((len(rows), spec.shape[1]), spec.dtype)
        for name, spec in specification.items()
        if name.startswith("state_")
    }
    cuts = [np.sort(np.append(draw.integers(0, len(row) + 1, 3), [0, len(row)])) for row in rows]
    found: list[list[Any]] = [[] for _ in rows]
    for chunk in range(4):
        pieces = [row[cut[chunk] : cut[chunk + 1]] for row, cut in zip(rows, cuts, strict=True)]
        tokens, lengths = padded(pieces, filler=int(draw.integers(vocabulary.size)))
        outputs = signatures["step"](tokens=tokens, lengths=lengths, **states)
        states = {name: outputs[f"next_{name}"] for name in states}
        for row, piece in enumerate(pieces):
            found[row].extend(outputs["logits"].numpy()[row, : len(piece)])
    for row, logits in enumerate(found):
        np.testing.assert_allclose(np.stack(logits), whole[row, : len(logits)], rtol=0, atol=1e-5)


def test_padding_cannot_change_an_answer(signatures: dict[str, Signature], vocabulary: CharacterVocabulary) -> None:
    """A server pads with rows and time steps of its own; even ids that are none do no harm there."""
    rows = [vocabulary.encode_all([text]) for text in TEXTS]
    tokens, lengths = padded(rows)
    expected = signatures["tensors"](tokens=tokens, lengths=lengths)["logits"].numpy()
    steps, extra = tokens.shape[1], 3
    for filler in (0, 1, -1, 10**6):
        wide = np.full((len(rows) + 2, steps + extra), filler, np.int32)
        for row, ids in enumerate(rows):
            wide[row, : len(ids)] = ids
        all_lengths = tf.constant([*lengths.numpy(), 0, 0], tf.int32)
        logits = signatures["tensors"](tokens=tf.constant(wide), lengths=all_lengths)["logits"].numpy()
        np.testing.assert_allclose(logits[: len(rows), :steps], expected, rtol=0, atol=1e-6)
        assert not logits[len(rows) :].any()
        assert not logits[:, steps:].any()


@pytest.mark.parametrize(
    ("prompt", "steps", "temperature", "problem"),
    [
        ("zoo", 0, 1.0, "steps must be from 1 to 1,000"),
        ("zoo", -1, 1.0, "steps must be from 1 to 1,000"),
        ("zoo", 2**31 - 1, 1.0, "steps must be from 1 to 1,000"),
        ("zoo", 1, -0.5, "temperature must be at least 0"),
        ("zoo", 1, float("nan"), "temperature must be at least 0"),
        ("z" * 1_000_000, 1, 1.0, "prompt must have at most 4,000 characters"),
    ],
)
def test_a_bad_row_has_a_problem_and_its_neighbours_an_answer(
    prompt: str, steps: int, temperature: float, problem: str, signatures: dict[str, Signature]
) -> None:
    good = write(signatures, ["zoo", "x", "knight"], [9, 5, 3], [0.9, 0.5, 1.0], [1, 2, 3])["text"].numpy().tolist()
    served = write(signatures, ["zoo", prompt, "knight"], [9, steps, 3], [0.9, temperature, 1.0], [1, 2, 3])
    assert served["problem"].numpy().tolist() == [b"", problem.encode(), b""]
    assert served["text"].numpy().tolist() == [good[0], b"", good[2]]


@pytest.mark.parametrize(
    ("ids", "length", "state", "problem"),
    [
        ([1, 2, 3], 4, 0.0, "lengths must be from 0 to 4,000, and at most the length of tokens"),
        ([1, 2, 3], -1, 0.0, "lengths must be from 0 to 4,000, and at most the length of tokens"),
        ([1, -1, 3], 3, 0.0, "tokens must be from 0 to"),
        ([1, 10**6, 3], 3, 0.0, "tokens must be from 0 to"),
        ([1, 2, 3], 3, float("nan"), "state_0 holds values that are no finite numbers"),
        ([1, 2, 3], 3, 3e38, "state_0 holds values that are no finite numbers, or too large"),
    ],
)
def test_bad_ids_and_states_are_problems_of_their_rows(
    ids: list[int], length: int, state: float, problem: str, signatures: dict[str, Signature]
) -> None:
    tokens, lengths = tf.constant([[4, 5, 6], ids, [7, 8, 9]]), tf.constant([3, length, 2])
    size = signatures["step"].structured_input_signature[1]["state_0"].shape[1]
    states = tf.constant(np.outer([0.1, state, 0.2], np.ones(size)), tf.float32)
    good = signatures["step"](
        tokens=tf.constant([[4, 5, 6], [1, 2, 3], [7, 8, 9]]),
        lengths=tf.constant([3, 3, 2]),
        state_0=tf.where(tf.abs(states) < 1, states, 0.0),
    )
    served = signatures["step"](tokens=tokens, lengths=lengths, state_0=states)
    assert served["problem"].numpy()[1].decode().startswith(problem)
    for name in ("logits", "next_state_0"):
        np.testing.assert_array_equal(served[name].numpy()[[0, 2]], good[name].numpy()[[0, 2]])
        assert not served[name].numpy()[1].any()


def test_no_rows_and_no_places_are_answered(signatures: dict[str, Signature]) -> None:
    types = {name: spec.dtype for name, spec in signatures["serving_default"].structured_input_signature[1].items()}
    none = signatures["serving_default"](**{name: tf.constant([], kind) for name, kind in types.items()})
    assert {name: value.shape[0] for name, value in none.items()} == {"text": 0, "unknown_characters": 0, "problem": 0}
    empty = signatures["tensors"](tokens=tf.zeros((2, 0), tf.int32), lengths=tf.constant([0, 1]))
    assert [bool(problem) for problem in empty["problem"].numpy()] == [False, True]
    assert not empty["logits"].numpy().any()


def test_served_rules_are_those_of_predict(
    run: Path, signatures: dict[str, Signature], capsys: pytest.CaptureFixture[str]
) -> None:
    """A row's rules do not depend on what the rows beside it ask for."""
    flags = ("--prompt", "zoo ", "--length", 30, "--temperature", 1.0, "--seed", 4)
    rules = (("--top_k", 3), ("--top_p", 0.5), ("--stop", "naï"))
    found = [answer(capsys, "predict", "--run", run, *flags, *rule)["results"] for rule in ((), *rules)]
    expected = [text.removeprefix("zoo ") for (text,) in found]
    asked = {"top_k": [0, 3, 0, 0], "top_p": [1, 1, 0.5, 1], "stop": ["", "", "", "naï"]}
    served = write(signatures, ["zoo "] * 4, [30] * 4, [1.0] * 4, [4] * 4, **asked)
    assert [text.decode() for text in served["text"].numpy()] == expected
    assert len(set(expected)) == 4


def test_scores_are_those_of_the_logits(signatures: dict[str, Signature], vocabulary: CharacterVocabulary) -> None:
    pairs = [("", "zoo river"), ("knight ", "z"), ("naïve ", ""), ("über ", "☃x")]
    prompts, texts = (tf.constant([pair[side].encode() for pair in pairs]) for side in (0, 1))
    served = {name: value.numpy() for name, value in signatures["score"](prompt=prompts, text=texts).items()}
    for row, (prompt, text) in enumerate(pairs):
        ids = vocabulary.encode_all([(prompt or "\n") + text]).astype(np.int32)
        logits = signatures["tensors"](tokens=tf.constant(ids[None]), lengths=tf.constant([len(ids)]))["logits"].numpy()
        logits = logits[0].astype(np.float64)
        logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        places = np.arange(len(ids) - len(text), len(ids))
        expected = logs[places - 1, ids[places]]
        np.testing.assert_allclose(served["log_probabilities"][row, : len(text)], expected, atol=1e-5)
        assert not served["log_probabilities"][row, len(text) :].any()
        assert served["log_probability"][row] == pytest.approx(expected.sum(), abs=1e-5)
    assert served["characters"].tolist() == [9, 1, 0, 2] and served["unknown_characters"].tolist() == [0, 0, 0, 1]


def test_what_clients_are_told(exported: Path) -> None:
    told = read_signatures(exported)
    assert (told.model, told.pipeline) == ("words", "text_generation")
    step = told.signatures["step"]
    assert {name: (state.next, state.zero) for name, state in step.states.items()} == {"state_0": ("next_state_0", 0.0)}
    steps = told.signatures["serving_default"].inputs["steps"]
    assert (steps.least, steps.most, steps.default) == (1, 1000, 200)
    nameless = [
        name
        for signature in told.signatures.values()
        for name, tensor in (*signature.inputs.items(), *signature.outputs.items())
        if not tensor.meaning
    ]
    assert not nameless and all(signature.summary for signature in told.signatures.values())


def test_keras_calls_every_signature_and_loading_warns_of_nothing(
    exported: Path, signatures: dict[str, Signature], caplog: pytest.LogCaptureFixture
) -> None:
    monitored = logging.getLogger("absl")
    monitored.addHandler(caplog.handler)
    try:
        layer = keras.layers.TFSMLayer(str(exported))
        names = ("serving_default", "step")
        named = {name: keras.layers.TFSMLayer(str(exported), call_endpoint=name) for name in names}
    finally:
        monitored.removeHandler(caplog.handler)
    assert not caplog.records
    told, served = read_signatures(exported), write(signatures, ["zoo"], [9], [0.9], [3])["text"]
    inputs = told.signatures["serving_default"].inputs
    asked = {name: tf.constant([tensor.default], tensor.dtype) for name, tensor in inputs.items()}
    asked |= {"prompt": tf.constant(["zoo"]), "steps": tf.constant([9]), "temperature": tf.constant([0.9])}
    asked["seed"] = tf.constant([3], tf.int64)
    assert layer(asked)["text"] == served and named["serving_default"](asked)["text"] == served
    size = told.signatures["step"].inputs["state_0"].shape[1]
    chunk = {"tokens": tf.constant([[1, 2]]), "lengths": tf.constant([2]), "state_0": tf.zeros((1, size))}
    np.testing.assert_array_equal(named["step"](chunk)["logits"], signatures["step"](**chunk)["logits"])


@pytest.mark.slow
def test_folders_that_cannot_be_written_are_one_line(run: Path, text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = text.read_bytes()
    for folder in (text, Path("/proc/model")):
        assert f"{folder}: cannot be written" in complaint(capsys, "export", "--run", run, "--to", folder)
    assert text.read_bytes() == before
