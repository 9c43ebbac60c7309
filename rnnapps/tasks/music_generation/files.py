"""Pieces as files that a person can see and hear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnnapps.errors import ConfigError
from rnnapps.tasks.music_generation.data.midi import write_midi
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.fluidsynth import FluidSynth, find_fluidsynth, is_installed
from rnnapps.tasks.music_generation.metrics.music_diagnostics import music_diagnostics
from rnnapps.tasks.music_generation.piano_roll import plot_piano_roll
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from rnnapps.tasks.music_generation.synthesis import render_wav
from rnnapps.training.run import write_atomically

__all__ = ["choose_synthesizer", "write_files"]


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


def write_files(
    piece: Piece, target: Path, grid: MusicGrid, *, primer_steps: int, synthesizer: FluidSynth | None = None
) -> dict[str, Any]:
    """Writes a piece as MIDI to `target`, and beside it a piano roll (.png) and its sound (.wav).

    Args:
        piece: the piece.
        target: the MIDI file.
        grid: of the piece.
        primer_steps: grid steps at its beginning that were given.
        synthesizer: what `choose_synthesizer` returned.

    Returns:
        The paths by kind, the number of notes, and the figures of `music_diagnostics`.

    Raises:
        ConfigError: a file cannot be written, or the synthesiser fails.
    """
    midi = write_midi(piece, steps_per_beat=grid.steps_per_beat, percussion=grid.percussion)
    plot = plot_piano_roll(piece, steps_per_beat=grid.steps_per_beat, primer_steps=primer_steps, title=target.stem)
    contents = {
        "midi": (target, midi),
        "picture": (target.with_suffix(".png"), plot.png()),
        "sound": (target.with_suffix(".wav"), _sound(piece, midi, grid, synthesizer)),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for path, content in contents.values():
            write_atomically(path, content)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror or error}; choose another --output") from error
    figures = {
        name: round(value, 3) for name, value in music_diagnostics([piece], steps_per_beat=grid.steps_per_beat).items()
    }
    return {**{kind: str(path) for kind, (path, _) in contents.items()}, "notes": len(piece.notes), **figures}


def _sound(piece: Piece, midi: bytes, grid: MusicGrid, synthesizer: FluidSynth | None) -> bytes:
    """A piece, and the same as MIDI, as a WAV file."""
    if synthesizer is None:
        return render_wav(piece, steps_per_beat=grid.steps_per_beat)
    return synthesizer.render_wav(midi, seconds=piece.steps * 60.0 / piece.tempo_bpm / grid.steps_per_beat)
