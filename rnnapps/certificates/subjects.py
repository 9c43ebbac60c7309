"""The cells that certificates are about: by name, or a user's own by `module:Class`."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import inspect
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnapps.cells import CELLS, Cell, make_cell
from rnnapps.errors import ConfigError

__all__ = ["READOUT_UNITS", "Certified", "find_cell", "parameters_of", "units_within"]

STEP_OF_UNITS, READOUT_UNITS = 4, 64


@dataclass(frozen=True)
class Certified:
    """A cell that is tried.

    Attributes:
        name: as it was given.
        make: maps a number of units to a new cell.
    """

    name: str
    make: Callable[[int], Cell]

    @functools.cached_property
    def identity(self) -> str:
        """Changes when the cell does: a digest of its settings and of the code it is made of."""
        cell = self.make(STEP_OF_UNITS)
        config = {key: value for key, value in cell.get_config().items() if key != "name"}
        parts = json.dumps([config, _sources(cell)], sort_keys=True, default=repr)
        return hashlib.sha256(parts.encode()).hexdigest()


def _sources(cell: Cell) -> list[str]:
    """The code of the modules of a cell, of those that it wraps, and of their classes below `Cell`."""
    classes = [kind for layer in cell._flatten_layers() for kind in type(layer).__mro__]
    modules = dict.fromkeys(kind.__module__ for kind in classes if issubclass(kind, Cell) and kind is not Cell)
    return [inspect.getsource(sys.modules[name]) for name in modules]


def find_cell(name: str) -> Certified:
    """The cell of a name.

    Args:
        name: one of `CELLS`, or `module:Class` of a class or function that makes a cell from a number of units; modules
            of the current folder are found, too.

    Raises:
        ConfigError: there is no such cell, or it cannot be tried.
    """
    make = _own(name) if ":" in name else functools.partial(make_cell, name)
    if ":" not in name and name not in CELLS:
        make(STEP_OF_UNITS)  # says which there are
    cell = _made(name, make)
    if cell.takes_constants:
        raise ConfigError(f"{name}: reads constants, which no probe gives; certify the cell without")
    return Certified(name, make)


def _own(name: str) -> Callable[[int], Cell]:
    """A class or function of a module."""
    module_name, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    hint = "give module:Class, the module in this folder or installed"
    with _told(f"{name}: the module {module_name!r} cannot be imported", hint):
        module = importlib.import_module(module_name)
    if not hasattr(module, attribute):
        raise ConfigError(f"{name}: the module {module_name!r} has no {attribute!r}; give module:Class")
    made: Callable[[int], Cell] = getattr(module, attribute)
    return made


def _made(name: str, make: Callable[[int], Any]) -> Cell:
    """A cell of a few units."""
    with _told(f"{name}: cannot be made by a number of units", "name a class or a function that takes one"):
        cell = make(STEP_OF_UNITS)
    if not isinstance(cell, Cell):
        raise ConfigError(f"{name}: expected a rnnapps.cells.Cell, got {type(cell).__name__}; see docs/own_cell.md")
    return cell


@contextlib.contextmanager
def _told(what: str, hint: str) -> Iterator[None]:
    """Tells in one line what a user's own code raises."""
    try:
        yield
    except Exception as error:
        said = next(iter(str(error).splitlines()), "")
        raise ConfigError(f"{what}: {type(error).__name__}: {said}; {hint}") from error


def units_within(make: Callable[[int], Cell], features: int, parameters: int) -> int:
    """The most units, a multiple of 4, with which cell and readout have no more parameters than these.

    The readout counts: a cell of few weights a unit could else have hundreds of units, and leave the work to it.

    Raises:
        ConfigError: even the fewest have more.
    """

    def fits(count: int) -> bool:
        return parameters_of(make(count * STEP_OF_UNITS), features) <= parameters

    if not fits(1):
        raise ConfigError(f"parameters: {STEP_OF_UNITS} units have more than {parameters:,}; give more --parameters")
    fitting, beyond = 1, 2
    while fits(beyond):  # from below: large matrices take long to make
        fitting, beyond = beyond, 2 * beyond
    while beyond - fitting > 1:
        middle = (fitting + beyond) // 2
        fitting, beyond = (middle, beyond) if fits(middle) else (fitting, middle)
    return fitting * STEP_OF_UNITS


def parameters_of(cell: Cell, features: int) -> int:
    """Numbers that are trained, for so many input features: those of the cell, and of the readout's hidden layer."""
    cell.build_for((None, features))
    own: int = sum(math.prod(weight.shape) for weight in cell.trainable_variables)
    return own + (cell.output_size + 1) * READOUT_UNITS
