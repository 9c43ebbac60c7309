"""Series that nobody measured: what a forecaster is trained on that is to forecast series it has never seen.

python -m benchmarks.synthetic_series series.csv --series 400 --rows 300 --seed 0

Each is a sum or a product of some of: a trend with changes of slope, a season of one to three harmonics, a smooth curve
(a Gaussian process with a squared exponential kernel), autoregressive noise, a random walk, jumps of level; a sixth are
intermittent demand. All of it is synthetic. With --walks they are rates that nobody can forecast: random walks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rnnapps.types import Array

__all__ = ["main", "random_walks", "synthetic_series"]

SEASONS = (4, 5, 6, 7, 11, 12, 12, 24, 24)
INTERMITTENT_SHARE = 1 / 6


def main(argv: Sequence[str] | None = None) -> int:
    """Writes a table with the columns series, time and value."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("to", type=Path, help="the CSV file to write")
    parser.add_argument("--series", type=int, default=400)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--walks", action="store_true", help="random walks instead")
    arguments = parser.parse_args(argv)
    make = random_walks if arguments.walks else synthetic_series
    values = make(arguments.series, arguments.rows, seed=arguments.seed)
    times = pd.date_range("2000-01-01", periods=arguments.rows, freq="D")
    frame = pd.DataFrame(
        {
            "series": np.repeat([f"s{number:04}" for number in range(len(values))], arguments.rows),
            "time": np.tile(times, len(values)),
            "value": values.reshape(-1),
        }
    )
    frame.to_csv(arguments.to, index=False, float_format="%.6g")
    return 0


def synthetic_series(series: int, rows: int, *, seed: int) -> Array:
    """Series float64 `(series, rows)`, in units from a hundredth to a hundred thousand."""
    draw = np.random.default_rng(seed)
    return np.stack(
        [_demand(draw, rows) if draw.random() < INTERMITTENT_SHARE else _curve(draw, rows) for _ in range(series)]
    )


def random_walks(series: int, rows: int, *, seed: int) -> Array:
    """Random walks float64 `(series, rows)` like exchange rates: independent returns of half a percent, half common."""
    draw = np.random.default_rng(seed)
    common, own = draw.normal(size=(1, rows)), draw.normal(size=(series, rows))
    walks: Array = np.exp(draw.normal(size=(series, 1)) + np.cumsum(0.005 * (common + own) / 2**0.5, axis=1))
    return walks


def _curve(draw: np.random.Generator, rows: int) -> Array:
    """A mixture of the parts."""
    main = _season if draw.random() < 0.8 else _walk
    parts = [main, *(part for part in PARTS if draw.random() < 0.5)]
    curve: Array = np.sum([part(draw, rows) * draw.lognormal(0, 0.7) for part in parts], axis=0)
    curve = curve / max(float(curve.std()), 1e-9)
    level, noise = 10 ** draw.uniform(-2, 5), draw.lognormal(-2.5, 1.0)
    if draw.random() < 0.3:
        return level * np.exp(0.4 * curve + 0.4 * noise * draw.normal(size=rows))
    return level * (curve + noise * draw.normal(size=rows) + draw.normal(0, 5))


def _season(draw: np.random.Generator, rows: int) -> Array:
    """A wave of one to three harmonics whose size changes slowly."""
    phase = 2 * np.pi * np.arange(rows) / draw.choice(SEASONS)
    waves = [np.sin(k * phase + draw.uniform(0, 2 * np.pi)) / k**0.5 for k in range(1, draw.integers(2, 5))]
    wave: Array = np.sum(waves, axis=0) * (1 + 0.3 * _smooth(draw, rows))
    return wave


def _trend(draw: np.random.Generator, rows: int) -> Array:
    """Straight lines that meet where the slope changes."""
    slopes = np.zeros(rows)
    for start in (0, *draw.integers(0, rows, draw.integers(0, 3))):
        slopes[start:] += draw.normal()
    line = np.cumsum(slopes)
    return line / max(float(np.abs(line).max()), 1e-9) * 2


def _smooth(draw: np.random.Generator, rows: int) -> Array:
    """A Gaussian process with a squared exponential kernel: noise under a Gaussian window."""
    width = draw.uniform(4, 40)
    window = np.exp(-0.5 * (np.arange(-4 * width, 4 * width + 1) / width) ** 2)
    noise = draw.normal(size=rows + len(window) - 1)
    curve = np.convolve(noise, window, mode="valid")[:rows]
    return curve / max(float(curve.std()), 1e-9)


def _autoregressive(draw: np.random.Generator, rows: int) -> Array:
    """An AR(1) process."""
    coefficient, value, values = draw.uniform(0.3, 0.98), 0.0, []
    for shock in draw.normal(size=rows):
        value = coefficient * value + shock
        values.append(value)
    noise: Array = np.array(values) * (1 - coefficient**2) ** 0.5
    return noise


def _walk(draw: np.random.Generator, rows: int) -> Array:
    """A random walk, with drift or without."""
    walk = np.cumsum(draw.normal(draw.normal(0, 0.1), 1, rows))
    return walk / max(float(walk.std()), 1e-9)


def _jumps(draw: np.random.Generator, rows: int) -> Array:
    """Levels that change at a few moments."""
    level = np.zeros(rows)
    for start in draw.integers(0, rows, draw.integers(1, 4)):
        level[start:] += draw.normal()
    return level


def _demand(draw: np.random.Generator, rows: int) -> Array:
    """Whole numbers, most of them zero."""
    happens = draw.random(rows) < draw.uniform(0.1, 0.6)
    return happens * (1 + draw.poisson(draw.lognormal(0.5, 1.0), rows)).astype(np.float64)


PARTS: tuple[Callable[[np.random.Generator, int], Array], ...] = (
    _season,
    _trend,
    _smooth,
    _autoregressive,
    _walk,
    _jumps,
)

if __name__ == "__main__":
    sys.exit(main())
