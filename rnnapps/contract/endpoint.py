"""One signature of an exported model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnapps.types import Array, Tensor

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["Endpoint"]


@dataclass(frozen=True)
class Endpoint:
    """One signature of an exported model.

    A server runs it for strangers, in batches of its own making; so `rnnapps verify` holds every endpoint to this:

    - Every input and output is dense, of a type that JSON has, and leads with the batch dimension: no scalars, no
      ragged or sparse tensors. Row `i` of the outputs answers row `i` of the inputs, whatever the other rows are, and a
      batch of one gives what the row gives in a larger batch.
    - Inputs of variable length come with `lengths` (int32, `(batch,)`): a batching server pads rows with their first
      element, and what lies behind a length must not change an answer. `rnnapps.layers.SequenceMask` makes the mask.
      Strings carry their own length.
    - Outputs that are bytes and no text end in `_bytes` (REST then carries them as base64); all other strings are
      UTF-8.
    - No state: what goes on from one request to the next is an input and an output. No variable or table changes.
    - No randomness but that of an input `seed` (int64, `(batch,)`), with `tf.random.stateless_*`: the same request
      gives the same answer.
    - No NaN or infinity leaves the graph: JSON has neither.
    - TensorFlow core operations only, which run on any server: no Python, no custom operations, no XLA, no cuDNN, no
      files.

    Attributes:
        function: takes the named tensors, returns a dict of dense tensors that all lead with the batch dimension.
        input_signature: input name -> `tf.TensorSpec` whose first dimension is the batch (None).
        examples: input name -> array of valid raw inputs, at least 5 rows, for verification and warm-up.
        trackables: what the function uses beside network and preprocessor: other models, variables, tables.
    """

    function: Callable[..., dict[str, Tensor]]
    input_signature: dict[str, tf.TensorSpec]
    examples: dict[str, Array]
    trackables: tuple[Any, ...] = ()
