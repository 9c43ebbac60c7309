"""What usually ruins a model of measured rows: dead columns, shifts of level, and gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rnnapps.contract.data_report import Caution
from rnnapps.printable import name_list
from rnnapps.types import Array

__all__ = ["column_cautions"]

SHIFT = 3.0
"""Deviations of the training rows by which the middle of later rows may lie elsewhere."""

MISSING = 0.2
STANDS_STILL = 0.25
"""From this share of the rows on, a value that stays the same at their end is a dead sensor."""

LEAST_ROWS = 20
_NAMED = 3


def column_cautions(parts: Mapping[str, Array], channels: Sequence[str]) -> list[Caution]:
    """What is wrong with columns of numbers.

    Args:
        parts: name of a part -> rows `(rows, channels)`, NaN where missing; `train` among them.
        channels: names of the columns.
    """
    train, cautions = parts["train"], []
    if channels and all(_is_number(name) for name in channels):
        told = f"the names of the columns are numbers ({', '.join(channels[:_NAMED])}): the first row is read as names"
        cautions.append(Caution(told, "put a line of names above the rows"))
    constant = [name for place, name in enumerate(channels) if len(train) and _stands_still(train[:, place])]
    if constant:
        cautions.append(Caution(_told(constant, "the same in all training rows"), _leave_out(constant, channels)))
    dead = [name for place, name in enumerate(channels) if name not in constant and _died(train[:, place])]
    if dead:
        told = f"the same in the last {100 * STANDS_STILL:.0f} % of the training rows and more"
        cautions.append(Caution(_told(dead, told), _leave_out(dead, channels)))
    gaps = {name: float(np.isnan(train[:, place]).mean()) for place, name in enumerate(channels) if len(train)}
    missing = {name: share for name, share in gaps.items() if share >= MISSING}
    if missing:
        shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in list(missing.items())[:_NAMED])
        cautions.append(Caution(f"missing in many training rows: {shares}", _leave_out(list(missing), channels)))
    return [*cautions, *_shifts(parts, channels)]


def _shifts(parts: Mapping[str, Array], channels: Sequence[str]) -> list[Caution]:
    """Tells of columns whose later rows lie on another level than the training rows."""
    train, cautions = parts["train"], []
    for part, rows in parts.items():
        if part == "train" or len(rows) < LEAST_ROWS or len(train) < LEAST_ROWS:
            continue
        moved = {}
        for place, name in enumerate(channels):
            before, after = (own[np.isfinite(own)] for own in (train[:, place], rows[:, place]))
            width = float(before.std()) if len(before) else 0.0
            if width > 0 and len(after):
                moved[name] = float(np.median(after) - np.median(before)) / width
        far = {name: by for name, by in moved.items() if abs(by) >= SHIFT}
        if far:
            named = ", ".join(f"{name} by {by:+.1f}" for name, by in list(far.items())[:_NAMED])
            told = f"the middle of the {part} rows is shifted, in deviations of the training rows: {named}"
            remedy = "the model has not seen such values: train on rows of both levels, or split at other moments"
            cautions.append(Caution(told, remedy))
    return cautions


def _stands_still(values: Array) -> bool:
    """Whether all present values are the same."""
    present = values[np.isfinite(values)]
    return len(values) >= LEAST_ROWS and (not len(present) or bool(present.min() == present.max()))


def _died(values: Array) -> bool:
    """Whether the last values are all the same, where those before were not whole numbers of a few kinds."""
    present = values[np.isfinite(values)]
    end = present[round(len(present) * (1 - STANDS_STILL)) :]
    many = len(np.unique(present[: LEAST_ROWS * 50])) >= LEAST_ROWS
    return len(end) >= LEAST_ROWS and many and bool(end.min() == end.max())


def _told(names: Sequence[str], what: str) -> str:
    """Names of columns, a few of them, and what is wrong."""
    named = name_list([repr(name) for name in names], _NAMED)
    return f"{'column' if len(names) == 1 else 'columns'} {named}: {what}"


def _leave_out(names: Sequence[str], channels: Sequence[str]) -> str:
    """The flag that reads all other columns."""
    kept = [name for name in channels if name not in names]
    return f"leave them out: --data.channels '[{', '.join(kept)}]'" if 0 < len(kept) <= 12 else "leave them out"


def _is_number(name: str) -> bool:
    try:
        float(name.replace(",", "."))
    except ValueError:
        return False
    return True
