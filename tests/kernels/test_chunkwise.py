"""The chunkwise kernel: hand-computed values, a plain NumPy loop, and what would overflow if done naively."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.kernels import chunkwise
from rnnapps.kernels.chunks import chunk_width
from rnnapps.kernels.matrix_step import MatrixInputs

KINDS = (
    *("decay", "decays of rows", "delta rule", "delta rule and decays of rows", "input gate"),
    *("removal", "removal and decays of rows", "removal and weak decays of rows"),
)
LEAST = -0.6
BATCH, HEADS, KEYS, VALUES = 2, 2, 3, 2


class Plain:
    """What the kernel needs of a cell; its output is what is read of the true memory, not divided by its scale."""

    def __init__(self, least_log_decay: float | None = None) -> None:
        self.least_log_decay = least_log_decay

    def read(self, values: Any, inputs: MatrixInputs, log_scale: Any = ()) -> Any:
        true = values if isinstance(log_scale, tuple) else tf.exp(log_scale)[..., None] * values
        return tf.reshape(true, tf.concat([tf.shape(true)[:-2], [true.shape[-2] * true.shape[-1]]], axis=0))


def problem(kind: str, time: int) -> tuple[MatrixInputs, list[Any]]:
    random = np.random.default_rng(time)

    def normal(*shape: int) -> Any:
        return tf.constant(random.normal(size=shape))

    leading = (BATCH, time, HEADS)
    keys, removal = normal(*leading, KEYS), normal(*leading, KEYS) if "removal" in kind else ()
    decay = normal(*leading, KEYS if "rows" in kind else 1)
    inputs = MatrixInputs(
        normal(*leading, KEYS),
        keys / tf.norm(keys, axis=-1, keepdims=True),
        normal(*leading, VALUES),
        LEAST * tf.sigmoid(decay) if "weak" in kind else -tf.exp(decay),
        beta=tf.sigmoid(normal(*leading)) if "delta" in kind else (),
        log_input=3 * normal(*leading) if kind == "input gate" else (),
        removal=removal / tf.norm(removal, axis=-1, keepdims=True) if "removal" in kind else (),
        rate=tf.sigmoid(normal(*leading, KEYS)) if "removal" in kind else (),
    )
    scale = [normal(BATCH, HEADS)] if kind == "input gate" else []
    return inputs, [normal(BATCH, HEADS * VALUES), normal(BATCH, HEADS, KEYS, VALUES), *scale]


def loop(inputs: MatrixInputs, states: list[Any], mask: Any) -> tuple[Any, Any]:
    """What is read and the true memory, not divided by its scale."""
    output, memory = states[0].numpy().reshape(BATCH, HEADS, VALUES), states[1].numpy()
    if len(states) == 3:
        memory = memory * np.exp(states[2].numpy())[..., None, None]
    q, k, v, decay = (np.asarray(part) for part in inputs[:4])
    outputs = np.empty((*v.shape[:2], HEADS * VALUES))
    for row, t, head in np.ndindex(*v.shape[:3]):
        if mask[row, t]:
            place = (row, t, head)
            old = np.exp(decay[place])[:, None] * memory[row, head]
            if not isinstance(inputs.removal, tuple):
                removal = inputs.removal.numpy()[place]
                old -= np.outer(inputs.rate.numpy()[place] * removal, removal) @ memory[row, head]
            written, strength = v[place], 1.0
            if not isinstance(inputs.beta, tuple):
                written = inputs.beta.numpy()[place] * (written - old.T @ k[place])
            if not isinstance(inputs.log_input, tuple):
                strength = np.exp(inputs.log_input.numpy()[place])
            memory[row, head] = old + strength * np.outer(k[place], written)
            output[row, head] = memory[row, head].T @ q[place]
        outputs[row, t, head * VALUES : (head + 1) * VALUES] = output[row, head]
    return outputs, memory


def run(inputs: MatrixInputs, states: list[Any], *, least: float | None = None, **options: Any) -> Any:
    return tf.function(lambda: chunkwise.scan(Plain(least), inputs, states, **options), autograph=False)()


@pytest.mark.parametrize("time", [1, 65, *(pytest.param(time, marks=pytest.mark.slow) for time in (2, 63, 64, 130))])
@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_a_loop(kind: str, time: int) -> None:
    inputs, states = problem(kind, time)
    mask = np.random.default_rng(time).random((BATCH, time)) < (0.7 if time % 2 else 1.1)
    options = {"mask": None if mask.all() else tf.constant(mask), "least": LEAST if "weak" in kind else None}
    outputs, (last, memory, *scale) = run(inputs, states, **options)
    expected, expected_memory = loop(inputs, states, mask)
    if scale:  # by which the memory is divided; the kernel chose it
        assert np.all(scale[0] >= states[2] + tf.reduce_sum(inputs.log_decay[..., 0] * mask[..., None], axis=1) - 1e-9)
        memory = memory * np.exp(scale[0])[..., None, None]
    np.testing.assert_allclose(outputs, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(last, expected[:, -1], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(memory, expected_memory, rtol=1e-9, atol=1e-9)


def test_by_hand() -> None:
    """Memories of one number: 4 decays to 2 and takes 3 * 1, then to 2.5 and takes 1 * 2; read times 10 and 1."""

    def steps(*values: float) -> Any:
        return tf.reshape(tf.constant(values), (1, 2, 1, 1))

    inputs = MatrixInputs(steps(10, 1), steps(3, 1), steps(1, 2), tf.math.log(steps(0.5, 0.5)))
    outputs, (last, memory) = run(inputs, [tf.zeros((1, 1)), tf.fill((1, 1, 1, 1), 4.0)])
    np.testing.assert_allclose(outputs[0, :, 0], [50, 4.5], rtol=1e-6)
    np.testing.assert_allclose([last[0, 0], memory[0, 0, 0, 0]], [4.5, 4.5], rtol=1e-6)
    # The other way: 4 decays to 2 and takes 1 * 2, then to 2 and takes 3 * 1.
    outputs, (last, _) = run(inputs, [tf.zeros((1, 1)), tf.fill((1, 1, 1, 1), 4.0)], reverse=True)
    np.testing.assert_allclose(outputs[0, :, 0], [50, 4], rtol=1e-6)
    np.testing.assert_allclose(last, [[50]], rtol=1e-6)
    # The delta rule: under a key of length 1, with strength 1, what was there is replaced.
    inputs = inputs._replace(k=steps(1, 1), beta=tf.ones((1, 2, 1)))
    outputs, _ = run(inputs, [tf.zeros((1, 1)), tf.fill((1, 1, 1, 1), 4.0)])
    np.testing.assert_allclose(outputs[0, :, 0], [10, 2], rtol=1e-6)
    # Removal by other keys: 4 decays to 2, loses .25 * 4 * 4 and takes 3, is 1; .5 less .5 * 1 * 1 plus 2, is 2.
    inputs = inputs._replace(k=steps(3, 1), beta=(), removal=steps(2, 1), rate=steps(0.25, 0.5))
    outputs, _ = run(inputs, [tf.zeros((1, 1)), tf.fill((1, 1, 1, 1), 4.0)])
    np.testing.assert_allclose(outputs[0, :, 0], [10, 2], rtol=1e-6)


@pytest.mark.parametrize("kind", ["decay", "decays of rows", "delta rule", "removal and decays of rows"])
def test_strong_decays_neither_overflow_nor_lose_gradients(kind: str) -> None:
    """Over a chunk the decays of exp(-50) a step multiply to exp(-3200), which no float holds, nor its inverse."""
    inputs, states = tf.nest.map_structure(lambda tensor: tf.cast(tensor, tf.float32), problem(kind, 65))
    inputs = inputs._replace(log_decay=tf.fill(inputs.log_decay.shape, -50.0))

    @tf.function(autograph=False)
    def differentiated() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs, final = chunkwise.scan(Plain(), inputs, states)
        return outputs, tape.gradient([outputs, *final], tf.nest.flatten(inputs))

    outputs, gradients = differentiated()
    assert all(np.all(np.isfinite(tensor)) for tensor in (outputs, *gradients))
    beta = 1.0 if isinstance(inputs.beta, tuple) else inputs.beta[..., None]
    alone = tf.reduce_sum(inputs.q * inputs.k, axis=-1, keepdims=True) * beta * inputs.v
    # A removal key still finds what was there before the decay.
    removes = not isinstance(inputs.removal, tuple)
    expected = loop(inputs, states, np.ones((BATCH, 65)))[0] if removes else tf.reshape(alone, outputs.shape)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_the_strongest_decays_of_a_bound_lose_nothing_in_32_bits() -> None:
    """Of 130 steps, in chunks of 44 that decay to exp(-26): factors of both ends reach exp(13)."""
    inputs, states = problem("removal and weak decays of rows", 130)
    inputs = inputs._replace(log_decay=tf.fill(inputs.log_decay.shape, tf.constant(LEAST, tf.float64)))
    expected, memory = loop(inputs, states, np.ones((BATCH, 130)))
    single = tf.nest.map_structure(lambda tensor: tf.cast(tensor, tf.float32), [inputs, states])
    outputs, (_, final) = run(*single, least=LEAST)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(final, memory, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("least", "expected"), [(None, (16, False)), (-0.6, (64, True)), (-2.0, (20, True)), (-3.0, (16, False))]
)
def test_chunks_are_as_wide_as_their_decays_allow(least: float | None, expected: tuple[int, bool]) -> None:
    inputs, _ = problem("decays of rows", 1)
    assert chunk_width(inputs, least) == expected
    assert chunk_width(problem("decay", 1)[0], least) == (64, False)


def test_one_key_again_and_again() -> None:
    """Each step replaces what the last wrote. (Powers of this system, by which it might be solved, reach 1e18.)"""
    inputs, states = problem("delta rule", 130)
    key = tf.one_hot(tf.ones((BATCH, 130, HEADS), tf.int32), KEYS)
    replaced = inputs._replace(q=key, k=key, beta=tf.ones_like(inputs.beta), log_decay=inputs.log_decay * 0)
    single = tf.nest.map_structure(lambda tensor: tf.cast(tensor, tf.float32), replaced)
    outputs, _ = run(single, [tf.cast(state, tf.float32) for state in states])
    np.testing.assert_allclose(outputs, tf.reshape(single.v, outputs.shape), atol=2e-5)


@pytest.mark.parametrize("reverse", [False, True])
def test_no_step(reverse: bool) -> None:
    inputs, states = problem("delta rule", 1)
    empty = tf.nest.map_structure(lambda tensor: tensor[:, :0], inputs)
    outputs, final = run(empty, states, reverse=reverse)
    assert outputs.shape == (BATCH, 0, HEADS * VALUES)
    for have, want in zip(final, states, strict=True):
        np.testing.assert_array_equal(have, want)


def test_masked_steps_repeat_the_output_before_them() -> None:
    inputs, states = problem("decay", 4)
    mask = tf.constant([[False, True, False, True], [True, False, False, False]])
    outputs, (last, _) = run(inputs, states, mask=mask)
    np.testing.assert_array_equal(outputs[0, 0], states[0][0])
    np.testing.assert_array_equal(outputs[0, 2], outputs[0, 1])
    np.testing.assert_array_equal(outputs[1, 1:], [outputs[1, 0]] * 3)
    np.testing.assert_array_equal(last, outputs[:, -1])
    outputs, (last, _) = run(inputs, states, mask=mask, reverse=True)
    np.testing.assert_array_equal(outputs[0, 0], outputs[0, 1])
    np.testing.assert_array_equal(outputs[1, 1:], [states[0][1]] * 3)
    np.testing.assert_array_equal(last, outputs[:, 0])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_one_xla_program_and_programs_of_its_own(kind: str) -> None:
    inputs, states = problem(kind, 9)
    mask = tf.constant(np.random.default_rng(1).random((BATCH, 9)) < 0.6)

    def differentiated(*, compiled: bool = False) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([inputs, states])
            outputs, final = chunkwise.scan(Plain(), inputs, states, mask=mask, reverse=True, compiled=compiled)
        sources = tf.nest.flatten([inputs, states])
        return [outputs, *final, *tape.gradient([outputs, *final], sources, unconnected_gradients="zero")]

    expected = tf.function(differentiated, autograph=False)()
    for function in (
        tf.function(differentiated, autograph=False, jit_compile=True),
        tf.function(lambda: differentiated(compiled=True), autograph=False),
    ):
        for have, want in zip(function(), expected, strict=True):
            np.testing.assert_allclose(have, want, rtol=1e-9, atol=1e-12)
