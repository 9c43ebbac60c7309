"""What a client must know of a model to ask it something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rnnapps.contract.tensor_names import LENGTHS

__all__ = ["SIGNATURES_FORMAT", "ServedSignature", "ServedTensor", "Signatures"]

SIGNATURES_FORMAT = 1
"""Version of the layout of `assets.extra/signatures.json`."""


@dataclass(frozen=True)
class ServedTensor:
    """An input or output.

    Attributes:
        dtype: as TensorFlow names it.
        shape: size of each dimension, the batch first; None for any.
        meaning: what it is.
        least: the least value that is answered; None for any, or where it depends.
        most: the largest, likewise.
        missing: whether NaN stands for a missing value.
        default: what is sent where a user says nothing; None where there is no such value.
        next: of a state, the output that the next request takes it from.
        zero: of a state, its value in a row of a first request: one value for all places, or lists of them.
    """

    dtype: str
    shape: list[int | None]
    meaning: str = ""
    least: float | None = None
    most: float | None = None
    missing: bool = False
    default: Any = None
    next: str = ""
    zero: Any = None


@dataclass(frozen=True)
class ServedSignature:
    """One signature.

    Attributes:
        summary: what it does.
        inputs: name -> tensor.
        outputs: name -> tensor.
        problems: what a row may be refused for.
        begins: the signature whose answer holds the first states, where zeros are none.
    """

    summary: str
    inputs: dict[str, ServedTensor]
    outputs: dict[str, ServedTensor]
    problems: list[str] = field(default_factory=list)
    begins: str = ""

    @property
    def states(self) -> dict[str, ServedTensor]:
        """The inputs that carry what the model remembers."""
        return {name: tensor for name, tensor in self.inputs.items() if tensor.next}

    @property
    def counted(self) -> dict[str, str]:
        """Input of variable length -> the input that says how many of its items count."""
        counts = {}
        for name, tensor in self.inputs.items():
            lengths = next((key for key in (f"{name}_{LENGTHS}", LENGTHS) if key in self.inputs), "")
            if lengths and not tensor.next and len(tensor.shape) > 1 and tensor.shape[1] is None:
                counts[name] = lengths
        return counts


@dataclass(frozen=True)
class Signatures:
    """All signatures of a model, as `assets.extra/signatures.json` has them.

    Attributes:
        model: name of the model.
        pipeline: name of the task's pipeline; empty where there is none.
        signatures: name -> signature.
        format: version of this layout.
    """

    model: str
    pipeline: str
    signatures: dict[str, ServedSignature]
    format: int = SIGNATURES_FORMAT
