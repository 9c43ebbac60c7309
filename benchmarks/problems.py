"""The problems that recurrent layers are timed on: shapes, inputs and weights, the same for every framework."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.types import Array

__all__ = [
    "CASES",
    "FIXED_IDS",
    "GATES",
    "Case",
    "Writer",
    "inputs",
    "projection",
    "summary",
    "weights",
    "writer_weights",
]

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
        numbers = re.fullmatch(r"(\d+)x(\d+),(\d+)-(\d+)", text)
        if numbers is None:
            raise ValueError(f"expected batch x time,features-units like 64x100,256-256, got {text!r}")
        return cls(*map(int, numbers.groups()))

    def __str__(self) -> str:
        """Batch x time, features-units."""
        return f"{self.batch}x{self.time},{self.features}-{self.units}"


CASES = tuple(Case.parse(text) for text in ("64x100,256-256", "64x100,512-1024", "16x50,64-128", "1x100,128-128"))


FIXED_IDS = (3, 1, 4, 1, 5)


@dataclass(frozen=True)
class Writer:
    """Sizes of a character model: embedding, GRU, softmax.

    Attributes:
        vocabulary: distinct characters.
        units: size of the GRU.
        embedding_units: size of the vector that stands for a character.
    """

    vocabulary: int = 66
    units: int = 1024
    embedding_units: int = 256


def inputs(case: Case) -> Array:
    """Inputs `(batch, time, features)`, float32."""
    return np.random.default_rng(0).standard_normal((case.batch, case.time, case.features), np.float32)


def weights(cell: str, case: Case) -> list[Array]:
    """Kernel, recurrent kernel and bias in Keras's order and layout, float32, small enough to be stable."""
    random, gates = np.random.default_rng(1), GATES[cell] * case.units
    shapes: list[Sequence[int]] = [
        (case.features, gates),
        (case.units, gates),
        (2, gates) if cell == "gru" else (gates,),
    ]
    return [random.standard_normal(shape, np.float32) * np.float32(0.5 / np.sqrt(case.units)) for shape in shapes]


def writer_weights(writer: Writer) -> list[Array]:
    """Embeddings, the GRU's three weights, and kernel and bias of the last layer, float32, in Keras's layout."""
    random = np.random.default_rng(2)
    gru = weights("gru", Case(1, 1, writer.embedding_units, writer.units))
    shapes = [(writer.vocabulary, writer.embedding_units), (writer.units, writer.vocabulary), (writer.vocabulary,)]
    embeddings, kernel, bias = (random.standard_normal(shape, np.float32) * np.float32(0.1) for shape in shapes)
    return [embeddings, *gru, kernel, bias]


def summary(outputs: Array, gradients: Sequence[Array] = ()) -> dict[str, float]:
    """Numbers that differ when the arrays do.

    Args:
        outputs: `(batch, time, units)`.
        gradients: those of the inputs, the kernel and the recurrent kernel, the latter two in any layout.
    """
    numbers = {"outputs": projection(outputs), "loss": float(np.mean(np.square(outputs, dtype=np.float64)))}
    if gradients:
        numbers["gradient of the inputs"] = projection(gradients[0])
        for name, gradient in zip(("kernel", "recurrent kernel"), gradients[1:], strict=True):
            numbers[f"gradient of the {name}"] = float(np.linalg.norm(gradient))
    return numbers


def projection(array: Array) -> float:
    """The norm of an array plus its product with fixed weights from 1 to 2, so places matter."""
    values = np.asarray(array, np.float64)
    places = 1 + np.linspace(0, 1, values.size).reshape(values.shape)
    return float(np.linalg.norm(values * places))
