"""One signature of an exported model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnapps.contract.tensor_names import meaning_of
from rnnapps.types import Array, NamedTensors, Tensor

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["Endpoint", "RowRule"]


@dataclass(frozen=True)
class RowRule:
    """What must hold of a row of a request; a row that breaks it is not run, and disturbs no other.

    Attributes:
        problem: what the row is told, in words that name the input and what is expected of it.
        broken: maps the inputs by name to bool `(batch,)`, True where a row breaks the rule. It must bear any values:
            it runs before anything is known of them.
        bounds: name of the input of which no NaN and no infinity keeps the rule, if there is one.
        least: the least value of that input; None where it is not one number.
        most: its largest value, likewise.
    """

    problem: str
    broken: Callable[[NamedTensors], Tensor]
    bounds: str = ""
    least: float | None = None
    most: float | None = None


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
    - A row that cannot be answered gets a `problem` in words and neutral values (zeros, empty strings); the rows beside
      it are answered as without it, bit for bit, and their `problem` is empty. A request of no rows has an answer of
      none. Export sees to that: it puts `rules` before the function, and looks for NaN behind it.
    - Outputs that are bytes and no text end in `_bytes` (REST then carries them as base64); all other strings are
      UTF-8.
    - No state: what goes on from one request to the next is an input `state_<name>` and an output
      `next_state_<name>` of the same type and shape. No variable or table changes.
    - No output has the name of an input: other runtimes know a tensor by its name alone.
    - No randomness but that of an input `seed` (int64, `(batch,)`), with `tf.random.stateless_*`: the same request
      gives the same answer.
    - No NaN or infinity leaves the graph: JSON has neither.
    - TensorFlow core operations only, which run on any server: no Python, no custom operations, no XLA, no cuDNN, no
      files.

    Attributes:
        function: takes the named tensors, returns a dict of dense tensors that all lead with the batch dimension. It
            sees rows that keep the rules only. What it finds out by itself, of a file for one, it returns as `problem`,
            string `(batch,)`, empty for good rows.
        input_signature: input name -> `tf.TensorSpec` whose first dimension is the batch (None).
        examples: input name -> array of valid raw inputs, at least 5 rows, for verification and warm-up.
        trackables: what the function uses beside network and preprocessor: other models, variables, tables.
        rules: what must hold of a row; the first that is broken is told. `rnnapps.export.row_rules` has the usual ones.
        neutral: input name -> value that keeps the rules, in every place of a row: what the function reads instead of a
            row with a problem. Zeros and empty strings where nothing is said; 1 for inputs that end in `lengths`.
        least_steps: inputs of variable length are lengthened to this before the function reads them.
        most_steps: input name -> the most places of its second dimension that are read, so that no request costs more.
        one_step: trace a copy of the function for inputs that `lengths` counts and that have one place, as streams
            mostly send them: it needs no loops, each of which costs as much as dozens of operations however often it
            turns.
        missing: float inputs in which NaN stands for a missing value; in all others it is a problem.
        found_problems: what the function's own `problem` may say, for the model card.
        summary: what the signature does, in a sentence.
        meanings: input or output -> what it is, with its shape in words and its unit; those of
            `rnnapps.contract.tensor_names` need none.
        defaults: input -> what a client sends of it where its user says nothing.
        zero_states: state input -> its value in a row of a first request, without the batch dimension; zeros where
            nothing is said.
        begins: the signature whose answer holds the first states, where zeros are none.
        chunk: places that inputs of variable length have in files for other runtimes, whose shapes are fixed; 0 for one
            in `step`, and for as many as the longest example has in other signatures.
        settled: input name -> its value in those files, where it is no input.
        words: input of strings -> the words that are told apart in each of its columns, in one where it has none: the
            function also takes int32, the number of each word from 1 on, 0 for any other, and so do those files.
        elsewhere: what those files hold in place of this endpoint, where it draws at random: probabilities.
    """

    function: Callable[..., dict[str, Tensor]]
    input_signature: dict[str, tf.TensorSpec]
    examples: dict[str, Array]
    trackables: tuple[Any, ...] = ()
    rules: tuple[RowRule, ...] = ()
    neutral: Mapping[str, Any] = field(default_factory=dict)
    least_steps: int = 1
    most_steps: Mapping[str, int] = field(default_factory=dict)
    one_step: bool = False
    missing: tuple[str, ...] = ()
    found_problems: tuple[str, ...] = ()
    summary: str = ""
    meanings: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    zero_states: Mapping[str, Array] = field(default_factory=dict)
    begins: str = ""
    chunk: int = 0
    settled: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    elsewhere: Endpoint | None = None

    def meaning(self, name: str) -> str:
        """What an input or output is; empty if nobody said."""
        return self.meanings.get(name) or meaning_of(name, self.input_signature)

    @property
    def problems(self) -> tuple[str, ...]:
        """All that a row may be refused for, but for values that are no finite numbers."""
        return (*(rule.problem for rule in self.rules), *self.found_problems)
