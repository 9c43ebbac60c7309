"""The problems that recurrent layers are timed on: shapes, inputs and weights, the same for every framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["CASES", "Case", "inputs", "summary", "weights"]

GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class Case:
    """Shapes of one problem.

    Attributes:
        batch: rows.
        time: steps.
        features: size of the inputs.
        units: size of the state.
    """

    batch: int
    time: int
    features: int
    units: int

    @classmethod
    def parse(cls, text: str) -> Case:
        """Reads what `str` writes.

        Raises:
            ValueError: the text is not four numbers like 64x100,256-256.
        """
        return cls(*(int(number) for number in text.replace(",", "x").replace("-", "x").split("x")))

    def __str__(self) -> str:
        """Batch x time, features-units."""
        return f"{self.batch}x{self.time},{self.features}-{self.units}"


CASES = tuple(Case.parse(text) for text in ("64x100,256-256", "64x100,512-1024", "16x50,64-128", "1x100,128-128"))


def inputs(case: Case) -> Any:
    """Inputs `(batch, time, features)`, float32."""
    return np.random.default_rng(0).standard_normal((case.batch, case.time, case.features), np.float32)


def weights(cell: str, case: Case) -> list[Any]:
    """Kernel, recurrent kernel and bias in Keras's order and layout, float32, small enough to be stable."""
    random, gates = np.random.default_rng(1), GATES[cell] * case.units
    shapes: list[Sequence[int]] = [
        (case.features, gates),
        (case.units, gates),
        (2, gates) if cell == "gru" else (gates,),
    ]
    return [random.standard_normal(shape, np.float32) * np.float32(0.5 / np.sqrt(case.units)) for shape in shapes]


def summary(outputs: Any, gradients: Sequence[Any] = ()) -> dict[str, float]:
    """Numbers that differ when the arrays do.

    Args:
        outputs: `(batch, time, units)`.
        gradients: those of the inputs, the kernel and the recurrent kernel, the latter two in any layout.
    """
    numbers = {"outputs": _projection(outputs), "loss": float(np.mean(np.square(outputs, dtype=np.float64)))}
    if gradients:
        numbers["gradient of the inputs"] = _projection(gradients[0])
        for name, gradient in zip(("kernel", "recurrent kernel"), gradients[1:], strict=True):
            numbers[f"gradient of the {name}"] = float(np.linalg.norm(gradient))
    return numbers


def _projection(array: Any) -> float:
    """The norm of an array plus its product with fixed weights from 1 to 2, so places matter."""
    values = np.asarray(array, np.float64)
    places = 1 + np.linspace(0, 1, values.size).reshape(values.shape)
    return float(np.linalg.norm(values * places))
