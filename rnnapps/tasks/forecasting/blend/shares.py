"""The shares of several forecasts in their blend, from their errors on held-out windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnapps.types import Array

__all__ = ["choose_shares", "least_squares_shares"]

FOLDS = 8
"""Stretches of held-out windows; each is forecast by shares that the others give."""

OWN = (0.0, 0.5, 0.9)
"""What the errors of a step itself count for its shares, beside those of all steps."""

SURE = 2.0
"""Standard errors by which a mix must be better than the simplest forecast, where that is better than the network."""

Fit = Callable[[Array], Array]
"""Maps products of errors `(horizon, parts, parts)` to shares `(parts, horizon)`."""


@dataclass(frozen=True)
class _Option:
    """A way to find shares.

    Attributes:
        error: mean squared error of each fold by the shares that the other folds give `(folds,)`.
        shares: by all folds.
    """

    error: Array
    shares: Array


def choose_shares(errors: Array) -> Array:
    """Shares of forecasts, none below 0, that add up to 1, with which the squared error of their mix is least.

    Any forecast alone, shares for all steps alike, and shares of each step are compared, each on stretches of windows
    which it was not fitted to. What is more than the first forecast alone must be better than that by more than the
    standard error of the differences between the stretches; of several such the best is taken. But where the second
    forecast, the simplest of all, is among them, it must be better than that by more than two standard errors: of a
    random walk, what seems to know more than the last value has only met with luck.

    Args:
        errors: of each forecast `(parts, windows, horizon, channels)`, 0 for all where nothing is to be forecast;
            windows in the order of time.

    Returns:
        `(parts, horizon)`.
    """
    parts, windows, horizon, _ = errors.shape
    alone = np.zeros((parts, horizon))
    alone[0] = 1.0
    folds = np.array_split(np.arange(windows), min(FOLDS, windows))
    products = np.stack([_products(errors[:, fold]) for fold in folds])
    if len(folds) < 2 or not products.any():
        return alone
    fits = [_only(part) for part in range(parts)] + [_by_steps(own) for own in OWN]
    first, *others = (_tried(products, fit) for fit in fits)
    better = [option for option in others if _gains(first.error - option.error)]
    best = min(better, key=lambda option: float(option.error.sum()), default=first)
    simplest = [option for option in better if option is others[0]]
    lucky = simplest and not _gains(simplest[0].error - best.error, errors=SURE)
    return simplest[0].shares if lucky else best.shares


def least_squares_shares(products: Array) -> Array:
    """The shares with which a mix has the least squared error.

    Args:
        products: mean products of the errors of each two forecasts `(parts, parts)`.

    Returns:
        `(parts,)`, none below 0, with a sum of 1.
    """
    from scipy.optimize import nnls

    values, vectors = np.linalg.eigh(products)
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    heavy = 1e3 * max(float(np.sqrt(np.trace(products))), 1e-12)
    rows = np.concatenate([root, np.full((1, len(products)), heavy)])
    found, _ = nnls(rows, np.append(np.zeros(len(products)), heavy))
    return np.asarray(found / found.sum())


def _products(errors: Array) -> Array:
    """Sums of products of errors of each two forecasts, of each step `(horizon, parts, parts)`."""
    rows = errors.transpose(2, 0, 1, 3).reshape(errors.shape[2], len(errors), -1).astype(np.float64)
    return np.asarray(rows @ rows.transpose(0, 2, 1))


def _only(part: int) -> Fit:
    """One forecast alone."""

    def fit(products: Array) -> Array:
        horizon, parts, _ = products.shape
        return np.repeat(np.eye(parts)[:, part : part + 1], horizon, axis=1)

    return fit


def _by_steps(own: float) -> Fit:
    """Shares for each step, for which its own errors count so much, and those of all steps the rest."""

    def fit(products: Array) -> Array:
        every = products.mean(axis=0)
        if not own:
            return np.repeat(least_squares_shares(every)[:, None], len(products), axis=1)
        return np.stack([least_squares_shares(own * each + (1 - own) * every) for each in products], axis=1)

    return fit


def _tried(products: Array, fit: Fit) -> _Option:
    """A way to find shares, on each fold by what the others give; products `(folds, horizon, parts, parts)`."""
    total = products.sum(axis=0)
    errors = [_squared(fold, fit(total - fold)) for fold in products]
    return _Option(np.array(errors), fit(total))


def _squared(products: Array, shares: Array) -> float:
    """The sum of squared errors of a mix."""
    return float(np.einsum("ph,hpq,qh->", shares, products, shares))


def _gains(gains: Array, *, errors: float = 1.0) -> bool:
    """Whether a gain on folds is more than so many of its standard errors."""
    return bool(gains.sum() > errors * gains.std(ddof=1) * np.sqrt(len(gains)))
