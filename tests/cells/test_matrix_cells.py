"""Cells with a matrix memory against plain NumPy loops, one row and one head at a time."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.cells import MLSTM, RWKV7, DeltaNet, GatedDeltaNet, GatedLinearAttention, Mamba2, make_cell
from rnnapps.errors import ConfigError
from tests.cells.oracle import check_against, sigmoid

HEADS, KEYS, VALUES = 2, 2, 3
UNITS = HEADS * VALUES
OPTIONS = {"heads": HEADS, "key_size": KEYS, "dtype": "float64"}


def swish(values):
    return values * sigmoid(values)


def softplus(values):
    return np.log1p(np.exp(values))


def cut(values, *sizes):
    return np.split(values, np.cumsum(sizes)[:-1])


def scaled(values):
    return values / np.sqrt(np.mean(values**2) + 1e-5)


def of_length_1(values):
    return values / np.sqrt(np.sum(values**2) + 1e-6)


def head(values, number):
    return np.split(values, HEADS)[number]


def test_gated_linear_attention() -> None:
    def step(x, states, w):
        q, k, v, r = cut(x @ w["kernel"], HEADS * KEYS, HEADS * KEYS, UNITS, UNITS)
        decay = sigmoid(x @ w["decay_down"] @ w["decay_up"] + w["decay_bias"]) ** (1 / 16)
        memory, read = np.empty_like(states[1]), []
        for n in range(HEADS):
            memory[n] = np.diag(head(decay, n)) @ states[1][n] + np.outer(head(k, n), head(v, n))
            read.append(scaled(memory[n].T @ head(q, n) / np.sqrt(KEYS)))
        return [swish(r + w["output_bias"]) * w["gain"] * np.concatenate(read), memory]

    check_against(step, GatedLinearAttention(UNITS, **OPTIONS))


def test_m_lstm() -> None:
    def step(x, states, w):
        *parts, o, i, f = cut(x @ w["kernel"] + w["bias"], HEADS * KEYS, HEADS * KEYS, UNITS, UNITS, HEADS, HEADS)
        memory, largest, read = np.empty_like(states[1]), np.empty(HEADS), []
        for n in range(HEADS):
            q, k, v = (head(part, n) for part in parts)
            true = states[1][n] * np.exp(states[2][n])  # C and, last, n, as the paper's equations have them
            true = sigmoid(f[n]) * true + np.exp(i[n]) * np.outer(k / np.sqrt(KEYS), np.append(v, 1))
            largest[n] = max(np.log(sigmoid(f[n])) + states[2][n], i[n])
            memory[n] = true * np.exp(-largest[n])
            read.append(true[:, :-1].T @ q / max(abs(true[:, -1] @ q), 1))
        return [sigmoid(o) * np.concatenate(read), memory, largest]

    check_against(step, MLSTM(UNITS, **OPTIONS))


def test_delta_net() -> None:
    def step(x, states, w):
        q, k, v, b = cut(x @ w["kernel"], HEADS * KEYS, HEADS * KEYS, UNITS, HEADS)
        memory, read = np.empty_like(states[1]), []
        for n in range(HEADS):
            key, strength = of_length_1(swish(head(k, n))), sigmoid(b[n])
            erased = (np.eye(KEYS) - strength * np.outer(key, key)) @ states[1][n]
            memory[n] = erased + strength * np.outer(key, head(v, n))
            read.append(scaled(memory[n].T @ of_length_1(swish(head(q, n)))))
        return [w["gain"] * np.concatenate(read), memory]

    check_against(step, DeltaNet(UNITS, **OPTIONS))


def test_gated_delta_net() -> None:
    def step(x, states, w):
        q, k, v, r, b, a = cut(x @ w["kernel"], HEADS * KEYS, HEADS * KEYS, UNITS, UNITS, HEADS, HEADS)
        memory, read = np.empty_like(states[1]), []
        for n in range(HEADS):
            key, strength = of_length_1(swish(head(k, n))), sigmoid(b[n])
            decay = np.exp(-np.exp(w["log_rate"][n]) * softplus(a[n] + w["time_bias"][n]))
            erased = decay * (np.eye(KEYS) - strength * np.outer(key, key)) @ states[1][n]
            memory[n] = erased + strength * np.outer(key, head(v, n))
            read.append(scaled(memory[n].T @ of_length_1(swish(head(q, n)))))
        return [swish(r) * w["gain"] * np.concatenate(read), memory]

    check_against(step, GatedDeltaNet(UNITS, **OPTIONS))


def test_mamba2() -> None:
    def step(x, states, w):
        u, z, b, c, s = cut(x @ w["kernel"], UNITS, UNITS, KEYS, KEYS, HEADS)
        memory, read = np.empty_like(states[1]), []
        for n in range(HEADS):
            lasting, driven = softplus(s[n] + w["time_bias"][n]), head(swish(u), n)
            decay = np.exp(-np.exp(w["log_rate"][n]) * lasting)
            memory[n] = decay * states[1][n] + lasting * np.outer(swish(b), driven)
            read.append(memory[n].T @ swish(c) + w["skip"][n] * driven)
        return [scaled(np.concatenate(read) * swish(z)) * w["gain"], memory]

    check_against(step, Mamba2(UNITS, **OPTIONS))


def test_rwkv7() -> None:
    """The paper's equations, in its orientation: the rows of its state are those of the values."""

    def low_rank(x, w, name, function=lambda values: values):
        return function(x @ w[f"{name}_down"]) @ w[f"{name}_up"]

    def step(x, states, w):
        r, k, v = cut(x @ w["kernel"], HEADS * KEYS, HEADS * KEYS, UNITS)
        decay = np.exp(-np.exp(-0.5) * sigmoid(low_rank(x, w, "decay", np.tanh) + w["decay_bias"]))
        rate = sigmoid(low_rank(x, w, "rate") + w["rate_bias"])
        replacement = k * ((1 - w["key_mix"]) + w["key_mix"] * rate)
        memory, read = np.empty_like(states[1]), []
        for n in range(HEADS):
            removal, own = of_length_1(head(k * w["removal_scale"], n)), head(replacement, n)
            kept = np.diag(head(decay, n)) - np.outer(removal, head(rate, n) * removal)
            wkv = states[1][n].T @ kept + np.outer(head(v, n), own)
            centred = wkv @ head(r, n) - np.mean(wkv @ head(r, n))
            bonus = np.sum(head(r * w["bonus"], n) * own) * head(v, n)
            normal = centred / np.sqrt(np.mean(centred**2) + 64e-5)
            read.append(normal * head(w["gain"], n) + head(w["bias"], n) + bonus)
            memory[n] = wkv.T
        return [low_rank(x, w, "gate", sigmoid) * np.concatenate(read), memory]

    check_against(step, RWKV7(UNITS, **OPTIONS))


@pytest.mark.parametrize(("units", "heads"), [(4, 1), (64, 1), (128, 2), (100, 2), (101, 1), (512, 8), (96, 2)])
def test_heads_are_near_64_wide(units: int, heads: int) -> None:
    cell = make_cell("delta_net", units)
    assert cell.heads == heads
    assert cell.state_size == [units, (heads, units // heads, units // heads)]
    assert cell.state_shapes == [(units,), (heads, units // heads, units // heads)]


@pytest.mark.parametrize("heads", [3, 0, "2"])
def test_heads_of_different_sizes(heads: object) -> None:
    with pytest.raises(ConfigError, match=f"heads: expected a divisor of the 4 units, got {heads!r}"):
        DeltaNet(4, heads=heads)


def test_memory_without_rows() -> None:
    expected = r"DeltaNet: expected positive integers as the axes of a state, got \(1, 0, 4\)"
    with pytest.raises(ConfigError, match=expected):
        DeltaNet(4, key_size=0)


class Gated(DeltaNet):
    """Writes a gate, and does not say so."""

    def coefficients(self, inputs, training=False):
        inputs = super().coefficients(inputs, training)
        return inputs._replace(log_input=inputs.beta)


class GatedAndCorrecting(Gated):
    """What a gate does to a memory that corrects itself is not defined."""

    scaled = True


class RemovingHalf(RWKV7):
    """Says what is removed, and not how much of it."""

    def coefficients(self, inputs, training=False):
        return super().coefficients(inputs, training)._replace(rate=())


class RemovingAndCorrecting(RWKV7):
    """Two rules for one memory."""

    def coefficients(self, inputs, training=False):
        inputs = super().coefficients(inputs, training)
        return inputs._replace(beta=inputs.rate[..., 0])


TOGETHER = "expected removal and rate of coefficients together, without beta or log_input"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (RemovingHalf, f"RemovingHalf: {TOGETHER}"),
        (RemovingAndCorrecting, f"RemovingAndCorrecting: {TOGETHER}"),
        (Gated, "Gated: expected log_input of coefficients if scaled is True, and only then; scaled is False"),
        (GatedAndCorrecting, "GatedAndCorrecting: with log_input expected one decay a head, and no beta"),
    ],
)
def test_coefficients_that_do_not_fit(cell: type[DeltaNet], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        cell(4)(np.zeros((1, 2), "float32"), cell(4).initial_states(1))


@pytest.mark.parametrize("units", [0, "4"])
def test_sizes_that_are_none(units: object) -> None:
    with pytest.raises(ConfigError, match="DeltaNet: expected a positive integer as units"):
        DeltaNet(units)


def test_exponential_gates_stay_finite() -> None:
    """The input gate of the paper overflows float32 at 89."""
    cell = MLSTM(2)
    cell.build((None, 1))
    cell.kernel.assign(np.zeros(cell.kernel.shape))
    bias = np.ones(cell.bias.shape)
    bias[-2] = 500  # the logarithm of the input gate
    cell.bias.assign(bias)
    output, (_, memory, scale) = cell(np.zeros((1, 1), "float32"), cell.initial_states(1))
    np.testing.assert_allclose(scale, [[500]])
    np.testing.assert_allclose(memory[0, 0], np.full((2, 3), 0.5**0.5), rtol=1e-6)  # k / sqrt(2), v = 1, and the ones
    np.testing.assert_allclose(output, [[sigmoid(1.0)] * 2], rtol=1e-6)  # what was written, divided by its own key


def test_first_values_of_rwkv7() -> None:
    cell = RWKV7(128)
    cell.build((None, 48))
    np.testing.assert_allclose(cell.decay_bias[::127], [-6.5, -1.5])
    assert [tuple(cell.decay_factors[0].shape), tuple(cell.gate_factors[1].shape)] == [(48, 32), (32, 128)]
    assert [np.ptp(values[0]) for values in (cell.decay_factors, cell.rate_factors)] == [0, 0]
    np.testing.assert_allclose(np.linalg.norm(cell.decay_factors[1], axis=-1), 0.1, rtol=1e-5)
    wide = RWKV7(768)
    wide.build((None, 768))
    ranks = [factors[0].shape[1] for factors in (wide.decay_factors, wide.rate_factors, wide.gate_factors)]
    assert ranks == [64, 64, 128]  # those of the authors' smallest model


def test_first_values() -> None:
    cell = make_cell("m_lstm", 128)
    cell.build((None, 3))
    np.testing.assert_allclose(cell.bias[-4:], [0, 0, 3, 6])
    cell = make_cell("mamba2", 512)
    cell.build((None, 3))
    rates, times = np.exp(cell.log_rate), softplus(cell.time_bias.numpy())
    assert np.all((rates >= 1) & (rates <= 16)) and np.ptp(rates) > 1
    assert np.all((times >= 0.00099) & (times <= 0.101)) and np.ptp(np.log(times)) > 0.5
