"""Pieces as sound of recorded instruments, by the program FluidSynth where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.music_generation.synthesis import LONGEST_SECONDS, SAMPLE_RATE_HZ, wav_file

__all__ = ["FluidSynth", "find_fluidsynth", "is_installed"]

FOLDERS = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
)
"""Where Debian, Fedora, Arch and Homebrew put soundfonts."""

CHANNELS, SAMPLE_BYTES = 2, 4
LONGEST_TAIL_SECONDS = 60
TIMEOUT_SECONDS = 300
MEMORY_BYTES = 4 << 30
SPARE_FILE_BYTES = 256 << 20
"""Files may be larger than the sound by this: libraries behind the program lay out memory they share as files."""

LIMITED = 'ulimit -t "$1"; ulimit -v "$2"; ulimit -f "$3"; shift 3; exec "$@"'
"""A shell's way to start a program with limits: seconds of processor time, KiB of memory, file blocks of 512 bytes."""


@dataclass(frozen=True)
class FluidSynth:
    """The program and the instruments it plays with.

    Attributes:
        executable: path of `fluidsynth`.
        soundfont: file of instruments (.sf2, .sf3).
    """

    executable: str
    soundfont: Path

    def render_wav(self, midi: bytes, *, seconds: float) -> bytes:
        """A WAV file, 16 bit, two channels, as loud as one of `rnnapps.tasks.music_generation.synthesis`.

        Args:
            midi: a Standard MIDI File.
            seconds: how long it lasts.

        Raises:
            DataError: it lasts longer than half an hour.
            ConfigError: the program fails, does not end, or cannot use the soundfont.
        """
        if seconds > LONGEST_SECONDS:
            problem = f"lasts {seconds:,.0f} s; at most {LONGEST_SECONDS:,} are rendered"
            raise DataError("piece", problem, "ask for fewer bars or give a faster --tempo_bpm")
        with TemporaryDirectory(prefix="rnnapps-sound-") as folder:
            piece, sound = Path(folder, "piece.mid"), Path(folder, "sound.raw")
            piece.write_bytes(midi)
            self._run(piece, sound, seconds)
            samples = np.fromfile(sound, "<f4") if sound.exists() else np.zeros(0, np.float32)
        if not len(samples) or len(samples) % CHANNELS or not np.isfinite(samples).all():
            raise self._failed("wrote no sound")
        return wav_file(samples.reshape(-1, CHANNELS))

    def _run(self, piece: Path, sound: Path, seconds: float) -> None:
        """Renders a MIDI file to raw float32 samples, with limits on time, memory and the size of files."""
        settings = ["-f", os.devnull, "-r", str(SAMPLE_RATE_HZ), "-T", "raw", "-O", "float", "-E", "little"]
        command = [self.executable, "-n", "-i", "-q", *settings, "-F", str(sound), str(self.soundfont), str(piece)]
        if os.name == "posix":
            most = SPARE_FILE_BYTES + (seconds + LONGEST_TAIL_SECONDS) * SAMPLE_RATE_HZ * CHANNELS * SAMPLE_BYTES
            limits = (TIMEOUT_SECONDS, MEMORY_BYTES // 1024, int(most) // 512)
            command = ["sh", "-c", LIMITED, "sh", *map(str, limits), *command]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._failed(f"did not finish within {TIMEOUT_SECONDS} s") from None
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from None
        said = done.stderr.decode(errors="replace").strip().splitlines()
        # It ends with code 0 even when it could read neither the soundfont nor the piece.
        complaints = [line for line in said if "error" in line.lower()]
        if done.returncode or complaints:
            raise self._failed(
                " ".join((complaints or said or [f"ended with code {done.returncode}"])[0].split())[:300]
            )

    def _failed(self, reason: str) -> ConfigError:
        """The error that says so, to be raised."""
        return ConfigError(
            f"{self.executable} with {self.soundfont}: {reason}; give another --soundfont, or --synthesizer additive"
        )


def is_installed() -> bool:
    """Whether both FluidSynth and a soundfont are found where systems put them."""
    return bool(shutil.which("fluidsynth") and _soundfonts())


def find_fluidsynth(soundfont: str = "") -> FluidSynth:
    """FluidSynth with a soundfont.

    Args:
        soundfont: path of one; empty takes the system's.

    Raises:
        ConfigError: the program or the soundfont is missing, or the file is none.
    """
    executable = shutil.which("fluidsynth")
    remedy = "install it (Debian: apt install fluidsynth fluid-soundfont-gm), or give --synthesizer additive"
    if executable is None:
        raise ConfigError(f"--synthesizer: the program fluidsynth is not installed; {remedy}")
    soundfonts = [Path(soundfont)] if soundfont else _soundfonts()
    if not soundfonts:
        raise ConfigError(f"--synthesizer: fluidsynth is installed, but no soundfont; {remedy}, or give --soundfont")
    try:
        with soundfonts[0].open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise ConfigError(
            f"--soundfont {soundfonts[0]}: {error.strerror or error}; name an .sf2 or .sf3 file"
        ) from None
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise ConfigError(f"--soundfont {soundfonts[0]}: is no soundfont; name an .sf2 or .sf3 file")
    return FluidSynth(executable, soundfonts[0])


def _soundfonts() -> list[Path]:
    """Those of the system, its default first."""
    files = [path for folder in FOLDERS for path in sorted(Path(folder).glob("*.sf[23]")) if path.is_file()]
    return sorted(files, key=lambda path: not path.name.startswith("default"))
