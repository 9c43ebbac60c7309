"""Where a music model's pieces come from, and how they are written as numbers. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnapps.config import require, require_choice, shares_of_given
from rnnapps.data.bad_examples import BadExamplesConfig
from rnnapps.errors import ConfigError

__all__ = ["TICKS_PER_BEAT", "MusicDataConfig", "Representation"]

Representation = Literal["frames", "events"]

TICKS_PER_BEAT = 480
"""Ticks of a quarter note in the MIDI files that are written; grids must divide it."""


@dataclass(frozen=True)
class MusicDataConfig(BadExamplesConfig):
    """The pieces to learn from, how they are split, and their representation.

    Folders `train`, `valid` or `validation`, and `test` below `source` are the split. Otherwise whole pieces are dealt
    out to the parts, in an order that depends on their names only.

    Attributes:
        source: `builtin` (Bach chorales of music21's corpus), a folder of MIDI, MusicXML, ABC or `**kern` files, one
            such file (a collection of tunes too), or `tfds:NAME[/config]` with a feature named midi.
        test: file or folder of pieces that are the test split; None takes what `source` offers.
        validation_fraction: share of the pieces held out for validation where `source` has no split of its own.
        test_fraction: the same for the test.
        representation: frames (which of the 88 keys sound at each grid step) or events (note on, note off, time shift,
            velocity).
        steps_per_beat: grid steps in a quarter note.
        transpose_semitones: training pieces are moved at random by up to so many semitones either way; 0 never.
        percussion: read channel 10, the drums, instead of all others.
        velocity_levels: events only: how many loudnesses are told apart; 1 leaves them out.
        longest_shift_steps: events only: the longest time that one event spans.

    Raises:
        ConfigError: a value is out of range.
    """

    source: str = "builtin"
    test: str | None = None
    validation_fraction: float = 0.1
    test_fraction: float = 0.1
    representation: Representation = "frames"
    steps_per_beat: int = 4
    transpose_semitones: int = 5
    percussion: bool = False
    velocity_levels: int = 1
    longest_shift_steps: int = 16

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require_choice("data.representation", self.representation, Representation)
        for name in ("validation_fraction", "test_fraction"):
            share = getattr(self, name)
            require(f"data.{name}", share, "above 0 and below 1", 0 < share < 1)
        if self.validation_fraction + self.test_fraction >= 1:
            raise ConfigError("data.validation_fraction and data.test_fraction leave no piece to train on; lower them")
        steps = self.steps_per_beat
        expected = "a divisor of 480 from 1 to 48, such as 4 (sixteenths), 12 or 24 (with triplets)"
        require("data.steps_per_beat", steps, expected, 1 <= steps <= 48 and TICKS_PER_BEAT % steps == 0)
        for name, low, high in (
            ("transpose_semitones", 0, 11),
            ("velocity_levels", 1, 127),
            ("longest_shift_steps", 1, 1000),
        ):
            require(f"data.{name}", getattr(self, name), f"from {low} to {high}", low <= getattr(self, name) <= high)
        if self.percussion and self.transpose_semitones:
            raise ConfigError("data.transpose_semitones must be 0 with data.percussion: a drum has no pitch to move")

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        why, names = "data.representation frames has no events", ("velocity_levels", "longest_shift_steps")
        return shares_of_given(self) | (dict.fromkeys(names, why) if self.representation == "frames" else {})
