"""A simulated machine: synthetic sensor rows with operating modes and labelled faults.

A drive follows a commanded load through modes of random length; speed, current, temperature, vibration, pressure and
flow follow from it with their own inertia and noise. All of it is made up: no figure measured on it says how a detector
does on a real machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnapps.types import Array

__all__ = ["FAULTS", "ROW_SECONDS", "SENSORS", "Fault", "inject", "simulate", "simulate_with_faults"]

SENSORS = ("load", "speed", "current", "temperature", "vibration", "pressure", "flow", "ambient")
FAULTS = ("spike", "drift", "stuck sensor", "noise burst", "broken correlation")
"""Kinds of faults; a row's label is 0 or the place in this table, counted from 1."""

ROW_SECONDS = 60
DAY_ROWS = 86_400 // ROW_SECONDS
MODES = ((0.15, 60), (0.55, 120), (0.9, 90))
"""Commanded load and mean length in rows of the modes idle, half and full."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        kind: one of `FAULTS`.
        sensor: the sensor that shows it.
        first: first row.
        last: last row.
    """

    kind: str
    sensor: str
    first: int
    last: int


def simulate(rows: int, generator: np.random.Generator, *, first_row: int = 0) -> Array:
    """Rows `(rows, 8)` of a machine without faults, in the order of `SENSORS`; one row a minute."""
    command = _modes(rows, generator)
    noise = generator.normal(size=(rows, len(SENSORS)))
    speed = 1500 * _lag(command, 4) + 4 * noise[:, 1]
    current = 2 + 18 * command * (0.8 + 0.2 * speed / 1500) + 0.15 * noise[:, 2]
    ambient = 21 + 4 * np.sin(2 * np.pi * (np.arange(rows) + first_row) / DAY_ROWS) + 0.1 * noise[:, 7]
    temperature = ambient + _lag(0.11 * current**2, 45) + 0.2 * noise[:, 3]
    vibration = 0.5 + 1.4 * (speed / 1500) ** 2 + 0.08 * noise[:, 4]
    pressure = 1 + 5 * (_lag(speed, 3) / 1500) ** 2 + 0.04 * noise[:, 5]
    flow = 40 * _lag(speed, 3) / 1500 + 0.4 * noise[:, 6]
    table = [100 * command, speed, current, temperature, vibration, pressure, flow, ambient]
    return np.stack(table, axis=1)


def simulate_with_faults(rows: int, generator: np.random.Generator, *, per_kind: int = 5) -> tuple[Array, list[Fault]]:
    """Rows `(rows, 8)` and the faults in them, `per_kind` of each kind, in random order, apart from one another."""
    values = simulate(rows, generator)
    kinds = generator.permutation(np.repeat(np.arange(len(FAULTS)), per_kind))
    room = rows // (len(kinds) + 1)
    faults = []
    for number, kind in enumerate(kinds):
        name = FAULTS[kind]
        length = {"spike": 1, "drift": 180, "stuck sensor": 120, "noise burst": 60, "broken correlation": 120}[name]
        first = room // 2 + number * room + int(generator.integers(0, max(room - length - 60, 1)))
        sensor = str(generator.choice(["pressure", "flow"] if name == "broken correlation" else SENSORS[1:7]))
        faults.append(Fault(name, sensor, first, min(first + length, rows) - 1))
    for fault in faults:
        inject(values, fault, generator)
    return values, faults


def inject(values: Array, fault: Fault, generator: np.random.Generator) -> None:
    """Writes a fault into the rows of a healthy machine."""
    column, rows = SENSORS.index(fault.sensor), slice(fault.first, fault.last + 1)
    length, spread = fault.last - fault.first + 1, values[:, column].std()
    sign = generator.choice([-1.0, 1.0])
    if fault.kind == "spike":
        values[rows, column] += sign * spread * generator.uniform(2, 3)
    elif fault.kind == "drift":
        values[rows, column] += sign * spread * np.linspace(0, generator.uniform(1.5, 2.5), length)
    elif fault.kind == "stuck sensor":
        values[rows, column] = values[fault.first, column]
    elif fault.kind == "noise burst":
        values[rows, column] += spread * generator.uniform(0.4, 0.7) * generator.normal(size=length)
    else:  # the sensor shows another moment's readings: plausible ones, but not for this load
        values[rows, column] = np.roll(values[:, column], len(values) // 3)[rows]


def _modes(rows: int, generator: np.random.Generator) -> Array:
    """The commanded load, 0 to 1."""
    command, mode = np.empty(0), 0
    while len(command) < rows:
        mode = int(generator.choice([other for other in range(len(MODES)) if other != mode]))
        level, mean = MODES[mode]
        length = int(generator.integers(mean // 2, 2 * mean))
        command = np.append(command, np.full(length, level + generator.uniform(-0.05, 0.05)))
    return command[:rows]


def _lag(values: Array, steps: float) -> Array:
    """First-order inertia with a time constant of `steps` rows."""
    share, level, lagged = 1 - np.exp(-1 / steps), float(values[0]), np.empty(len(values))
    for row, value in enumerate(values):
        level += share * (value - level)
        lagged[row] = level
    return lagged
