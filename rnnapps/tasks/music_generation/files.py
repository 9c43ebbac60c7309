"""Generated pieces, and their files that a person can see and hear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rnnapps.atomic import write_atomically
from rnnapps.errors import ConfigError
from rnnapps.tasks.music_generation.data.midi import write_midi
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.fluidsynth import FluidSynth, find_fluidsynth, is_installed
from rnnapps.tasks.music_generation.metrics.music_diagnostics import music_diagnostics
from rnnapps.tasks.music_generation.piano_roll import plot_piano_roll
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from rnnapps.tasks.music_generation.synthesis import render_wav
from rnnapps.types import Array

__all__ = ["SILENT", "GeneratedPiece", "choose_synthesizer"]

SILENT = "nothing sounds in what was added: ask for more bars, another seed or a temperature above 0, or train longer"


def choose_synthesizer(name: str, soundfont: str) -> FluidSynth | None:
    """What turns pieces into sound; None stands for the additive synthesiser.

    Args:
        name: "additive", "fluidsynth", or "auto" for fluidsynth where it is installed.
        soundfont: file of instruments for fluidsynth; empty takes the system's.

    Raises:
        ConfigError: what is asked for is not installed.
    """
    wanted = name == "fluidsynth" or (name == "auto" and (bool(soundfont) or is_installed()))
    return find_fluidsynth(soundfont) if wanted else None


@dataclass(frozen=True, eq=False)
class GeneratedPiece:
    """A piece that a model has written.

    Attributes:
        piece: its notes on the model's grid, its tempo and its bars.
        grid: the model's grid.
        primer_steps: grid steps at its beginning that were given.
        files: of what `save` has written: `midi`, `picture` and `sound`; empty before.
    """

    piece: Piece
    grid: MusicGrid
    primer_steps: int = 0
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def notes(self) -> Array:
        """int32 `(notes, 4)`: first grid step, step after the last, MIDI pitch and velocity of each note."""
        return self.piece.notes

    @property
    def is_silent(self) -> bool:
        """Whether nothing sounds behind what was given."""
        return not (self.notes[:, 1] > self.primer_steps).any()

    @property
    def midi(self) -> bytes:
        """A Standard MIDI File."""
        return write_midi(self.piece, steps_per_beat=self.grid.steps_per_beat, percussion=self.grid.percussion)

    @property
    def figures(self) -> dict[str, float]:
        """What it is like: see `music_diagnostics`; empty without notes."""
        return music_diagnostics([self.piece], steps_per_beat=self.grid.steps_per_beat)

    def save(
        self, path: str | Path, *, synthesizer: Literal["auto", "additive", "fluidsynth"] = "auto", soundfont: str = ""
    ) -> GeneratedPiece:
        """Writes it as MIDI, and beside it a piano roll (.png) and its sound (.wav).

        Args:
            path: the MIDI file.
            synthesizer: what makes the sound; auto takes fluidsynth where it is installed.
            soundfont: file of instruments for fluidsynth; empty takes the system's.

        Returns:
            The same piece, which knows its files.

        Raises:
            ConfigError: a file cannot be written, or the synthesiser is missing or fails.
        """
        target = Path(path)
        contents = self._contents(target, choose_synthesizer(synthesizer, soundfont))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            for file, content in contents.values():
                write_atomically(file, content)
        except OSError as error:
            problem = f"{target}: cannot be written: {error.strerror or error}; choose another --output"
            raise ConfigError(problem) from error
        return replace(self, files={kind: file for kind, (file, _) in contents.items()})

    def printed(self) -> dict[str, Any]:
        """The paths of its files by kind, the number of notes, figures to three places, and whether it is silent."""
        figures = {name: round(value, 3) for name, value in self.figures.items()}
        told: dict[str, Any] = {**{kind: str(path) for kind, path in self.files.items()}, "notes": len(self.notes)}
        return {**told, **figures, **({"remark": SILENT} if self.is_silent else {})}

    def _contents(self, target: Path, synthesizer: FluidSynth | None) -> dict[str, tuple[Path, bytes]]:
        """What is written where."""
        steps_per_beat = self.grid.steps_per_beat
        plot = plot_piano_roll(
            self.piece, steps_per_beat=steps_per_beat, primer_steps=self.primer_steps, title=target.stem
        )
        return {
            "midi": (target, self.midi),
            "picture": (target.with_suffix(".png"), plot.png()),
            "sound": (target.with_suffix(".wav"), _sound(self.piece, self.midi, self.grid, synthesizer)),
        }


def _sound(piece: Piece, midi: bytes, grid: MusicGrid, synthesizer: FluidSynth | None) -> bytes:
    """A piece, and the same as MIDI, as a WAV file."""
    if synthesizer is None:
        return render_wav(piece, steps_per_beat=grid.steps_per_beat)
    return synthesizer.render_wav(midi, seconds=float(piece.seconds(grid.steps_per_beat)[-1]))
