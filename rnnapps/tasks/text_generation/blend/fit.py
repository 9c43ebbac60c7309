"""Fits the gate of a blend to text that neither the network nor the n-grams have seen."""

from __future__ import annotations

import numpy as np

from rnnapps.tasks.text_generation.blend.evidence import FEATURES, Evidence, NetworkScores
from rnnapps.types import Array

__all__ = ["fit_gate"]

DOUBT = -1.0
"""Where the fit begins, and what it is drawn to where there is little to learn from: a context is believed by 27 %."""

PULL = 1.0
"""Strength of that: half its square of a weight's distance is added to the nats of the whole text."""

MOST_WEIGHT = 20.0
"""Of a feature: those of a network that has hardly learned differ by less than what batches of other sizes change, and
a larger weight would make answers of that."""

MOST_ITERATIONS = 100


def fit_gate(evidence: Evidence, network: NetworkScores) -> Array:
    """The weights with which the blend gives the text the highest probability, but for a slight pull to doubt.

    Args:
        evidence: what n-grams say of the text.
        network: what the network says of it.

    Returns:
        float32 `(contexts, features)`.
    """
    from scipy.optimize import minimize

    known = evidence.kept > 0
    entropy = np.broadcast_to(network.entropy[:, None], (*known.shape, 1))
    features = np.concatenate([evidence.features, entropy], axis=-1)
    centre, scale = _standards(features[known])
    standard, probability = (features - centre) / scale, np.exp(network.log_probability)
    shape = (len(known), len(FEATURES))
    start = np.zeros(shape)
    start[:, 0] = DOUBT

    def objective(flat: Array) -> tuple[float, Array]:
        kernel = flat.reshape(shape)
        loss, slope = _loss(kernel, standard, evidence, probability)
        pull = PULL / len(probability) * (kernel - start)
        return loss + 0.5 * float((pull * (kernel - start)).sum()), (slope + pull).ravel()

    bounds = np.full(shape, np.inf)
    bounds[:, 1:] = MOST_WEIGHT * scale[1:]
    found = minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-bound, bound) for bound in bounds.ravel()],
        options={"maxiter": MOST_ITERATIONS},
    )
    kernel = found.x.reshape(shape) / scale
    kernel[:, 0] -= kernel @ centre  # the centre of the constant 1 is 0
    fitted: Array = kernel.astype(np.float32)
    return fitted


def _standards(features: Array) -> tuple[Array, Array]:
    """Means and deviations of features `(cases, features)`; the first, which is always 1, stays."""
    if not len(features):
        return np.zeros(len(FEATURES)), np.ones(len(FEATURES))
    centre, scale = features.mean(axis=0), features.std(axis=0)
    constant = scale < 1e-6
    return np.where(constant, 0.0, centre), np.where(constant, 1.0, scale)


def _loss(kernel: Array, features: Array, evidence: Evidence, network: Array) -> tuple[float, Array]:
    """Mean nats of the symbols by the recursion of `BlendedModel`, and their slope by the weights.

    With p' = (1 - g s) p + g m, the slope of p' is m - s p by g, and 1 - g s by p: one pass back over the contexts.
    """
    gates = np.where(evidence.kept > 0, 1 / (1 + np.exp(-(features @ kernel[:, :, None])[..., 0])), 0.0)
    before = [network]
    for gate, share, kept in zip(gates, evidence.share, evidence.kept, strict=True):
        before.append((1 - gate * kept) * before[-1] + gate * share)
    back, slope = -1 / before[-1] / len(network), np.zeros_like(kernel)
    for context in reversed(range(len(gates))):
        gate, kept = gates[context], evidence.kept[context]
        by_gate = evidence.share[context] - kept * before[context]
        slope[context] = (back * by_gate * gate * (1 - gate)) @ features[context]
        back = back * (1 - gate * kept)
    return float(-np.log(before[-1]).mean()), slope
