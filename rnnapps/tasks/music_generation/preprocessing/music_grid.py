"""Notes to frames or events and back, on a grid of steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.tasks.music_generation.data.config import MusicDataConfig, Representation
from rnnapps.tasks.music_generation.data.piece import HIGHEST_KEY, KEYS, LOWEST_KEY, Piece, joined_notes
from rnnapps.types import Array

__all__ = ["BOUNDARY", "NOTE_VELOCITY", "MusicGrid"]

FILE_NAME = "music.json"
BOUNDARY = 0
"""The token between two pieces."""

NOTE_VELOCITY = 80
"""Velocity of notes whose loudness the representation does not hold."""

_LEARNED = ("lowest_key", "highest_key")
"""Fields that training pieces decide, and no configuration."""

FIRST_ON, FIRST_OFF, FIRST_SHIFT = 1, 1 + KEYS, 1 + 2 * KEYS


@dataclasses.dataclass(frozen=True)
class MusicGrid:
    """How pieces are written as numbers, and numbers read as pieces.

    Frames are uint8 `(steps, 88)`: 1 where a key sounds. A key struck again without a gap is not told from one held.
    Events are tokens: 0 between pieces, then 88 note on, 88 note off, time shifts of 1 to `longest_shift_steps` steps,
    and velocities (only with more than one level; said before a note on when it changes). At one step keys are
    released before others are struck, the lower ones first.

    Attributes:
        representation: frames or events.
        steps_per_beat: grid steps in a quarter note.
        velocity_levels: loudnesses that events tell apart.
        longest_shift_steps: the longest time shift.
        percussion: whether the notes are those of the percussion channel.
        lowest_key: MIDI number of the lowest key that training pieces may hold, transposed; frames strike none below.
        highest_key: that of the highest.
    """

    representation: Representation = "frames"
    steps_per_beat: int = 4
    velocity_levels: int = 1
    longest_shift_steps: int = 16
    percussion: bool = False
    lowest_key: int = LOWEST_KEY
    highest_key: int = HIGHEST_KEY

    @classmethod
    def of(cls, config: MusicDataConfig) -> MusicGrid:
        """The grid that a configuration asks for, of all keys."""
        return cls(**{name: getattr(config, name) for name in _asked()})

    def settings(self) -> MusicDataConfig:
        """The configuration that asks for it; what it does not say is left out."""
        return MusicDataConfig(**{name: getattr(self, name) for name in _asked()}, transpose_semitones=0)

    def within(self, pieces: Sequence[Piece], *, transpose: int) -> MusicGrid:
        """The same grid, of the keys that pieces hold when they are moved by up to `transpose` semitones."""
        pitches = np.concatenate([piece.notes[:, 2] for piece in pieces])
        low, high = max(LOWEST_KEY, int(pitches.min()) - transpose), min(HIGHEST_KEY, int(pitches.max()) + transpose)
        return dataclasses.replace(self, lowest_key=low, highest_key=high)

    def joined(self, other: MusicGrid) -> MusicGrid:
        """The same grid, with the keys of another too."""
        low, high = min(self.lowest_key, other.lowest_key), max(self.highest_key, other.highest_key)
        return dataclasses.replace(self, lowest_key=low, highest_key=high)

    @property
    def known(self) -> Array:
        """Which of the 88 keys may be struck, bool."""
        keys = np.arange(LOWEST_KEY, LOWEST_KEY + KEYS)
        known: Array = (keys >= self.lowest_key) & (keys <= self.highest_key)
        return known

    @property
    def tokens(self) -> int:
        """Number of different tokens."""
        return FIRST_SHIFT + self.longest_shift_steps + (self.velocity_levels if self.velocity_levels > 1 else 0)

    def frames(self, piece: Piece) -> Array:
        """The frames of a piece, uint8 `(steps, 88)`."""
        roll = np.zeros((piece.steps, KEYS), np.uint8)
        for start, end, pitch, _ in piece.notes:
            roll[start:end, pitch - LOWEST_KEY] = 1
        return roll

    def from_frames(self, frames: Array) -> Piece:
        """The piece of frames `(steps, 88)`; what sounds without a gap is one note."""
        padded = np.pad(np.asarray(frames, np.int8), ((1, 1), (0, 0)))
        changes = np.diff(padded, axis=0).T
        (key, start), (_, end) = np.nonzero(changes > 0), np.nonzero(changes < 0)
        notes = np.stack([start, end, key + LOWEST_KEY, np.full_like(start, NOTE_VELOCITY)], axis=1)
        return Piece(joined_notes(notes.astype(np.int32)))

    def events(self, piece: Piece) -> Array:
        """The tokens of a piece, int32, without boundaries."""
        changes = [(int(end), 0, int(pitch), 0) for _, end, pitch, _ in piece.notes]
        changes += [(int(start), 1, int(pitch), self.level(int(loud))) for start, _, pitch, loud in piece.notes]
        return np.fromiter(self._written(sorted(changes)), np.int32)

    def level(self, velocity: int) -> int:
        """The loudness, from 0, of a velocity from 0 to 127."""
        return velocity * self.velocity_levels // 128

    def velocity(self, level: int) -> int:
        """The velocity in the middle of a loudness."""
        if self.velocity_levels == 1:
            return NOTE_VELOCITY
        low, above = (-(-number * 128 // self.velocity_levels) for number in (level, level + 1))
        return (low + above) // 2

    def _written(self, changes: list[tuple[int, int, int, int]]) -> Iterator[int]:
        """Tokens of sorted changes (step, whether a key is struck, pitch, loudness)."""
        now, loud = 0, -1
        for step, on, pitch, level in changes:
            while now < step:
                shift = min(step - now, self.longest_shift_steps)
                yield FIRST_SHIFT + shift - 1
                now += shift
            if on and level != loud and self.velocity_levels > 1:
                yield FIRST_SHIFT + self.longest_shift_steps + level
                loud = level
            yield (FIRST_ON if on else FIRST_OFF) + pitch - LOWEST_KEY

    def from_events(self, tokens: Array) -> Piece:
        """The piece of any tokens; boundaries and releases of silent keys say nothing, a key struck anew is released.

        Keys that are never released sound until the end.
        """
        notes, sounding = list[tuple[int, int, int, int]](), dict[int, tuple[int, int]]()
        now, loud = 0, self.velocity(self.level(NOTE_VELOCITY))
        for token in np.asarray(tokens).tolist():
            if pitch := self.key(token):
                if pitch in sounding:
                    start, velocity = sounding.pop(pitch)
                    notes += [(start, now, pitch, velocity)] if now > start else []
                if token < FIRST_OFF:
                    sounding[pitch] = (now, loud)
            elif token >= FIRST_SHIFT + self.longest_shift_steps:
                loud = self.velocity(token - FIRST_SHIFT - self.longest_shift_steps)
            elif token >= FIRST_SHIFT:
                now += token - FIRST_SHIFT + 1
        notes += [(start, now, pitch, velocity) for pitch, (start, velocity) in sounding.items() if now > start]
        return Piece(joined_notes(np.array(notes, np.int32).reshape(-1, 4)))

    def shift_steps(self, token: int) -> int:
        """The time that a token spans, in steps."""
        inside = FIRST_SHIFT <= token < FIRST_SHIFT + self.longest_shift_steps
        return token - FIRST_SHIFT + 1 if inside else 0

    def key(self, token: int) -> int:
        """The pitch that a token strikes or releases; 0 for other tokens."""
        return LOWEST_KEY + (token - FIRST_ON) % KEYS if FIRST_ON <= token < FIRST_SHIFT else 0

    def is_note_on(self, tokens: Array) -> Array:
        """Which tokens strike a key."""
        return (tokens >= FIRST_ON) & (tokens < FIRST_OFF)

    def require_same(self, config: MusicDataConfig) -> None:
        """Raises ConfigError where a configuration asks for another grid."""
        for name in _asked():
            if getattr(self, name) != (value := getattr(config, name)):
                raise ConfigError(f"data.{name} is {value}, but the model knows {getattr(self, name)}; give that")

    def save(self, folder: str | Path) -> None:
        """Writes `music.json`.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        write_json(Path(folder) / FILE_NAME, dataclasses.asdict(self))

    @classmethod
    def load(cls, folder: str | Path) -> MusicGrid:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: the file is missing or broken.
        """
        path = Path(folder) / FILE_NAME
        try:
            saved = read_json(path)
            low, high = (
                int(saved.pop(name, key)) for name, key in zip(_LEARNED, (LOWEST_KEY, HIGHEST_KEY), strict=True)
            )
            grid = cls.of(MusicDataConfig(**saved, transpose_semitones=0))
            return dataclasses.replace(grid, lowest_key=low, highest_key=high)
        except (TypeError, ValueError, ConfigError) as error:
            raise CheckpointError(f"{path}: {error}; restore the file or train again") from None


def _asked() -> list[str]:
    """The fields that a configuration decides."""
    return [field.name for field in dataclasses.fields(MusicGrid) if field.name not in _LEARNED]
