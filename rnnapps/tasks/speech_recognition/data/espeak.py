"""eSpeak NG, a speech synthesiser, through its shared library from the package espeakng-loader."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["SpokenAs", "Synthesizer"]

# Numbers of speak_lib.h: output to a callback at once, text in UTF-8, and the parameters.
SYNCHRONOUS, UTF_8 = 0x02, 1
RATE, PITCH, RANGE = 1, 3, 4
BUFFER_MS = 200
SEED = 1  # 0 would mean the time of day
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True)
class SpokenAs:
    """How a text is spoken.

    Attributes:
        voice: language and variant, such as "en-us+f2".
        words_per_minute: 80 to 450.
        pitch: 0 to 99.
        pitch_range: 0 (monotonous) to 99.
    """

    voice: str
    words_per_minute: int = 160
    pitch: int = 50
    pitch_range: int = 50


class Synthesizer:
    """The library in its first state: the same texts in the same order sound the same, bit for bit.

    Voices flutter and breathe, and the library goes on with both where the last text left off. So each synthesiser
    loads a copy of the library, whose state is its own, and starts its random numbers with the same seed. Not for
    several threads at once.

    Raises:
        DataError: the package is missing or does not start.
    """

    def __init__(self) -> None:
        self.library, data = _load_copy()
        self.sample_rate_hz = int(self.library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data.encode(), 0))
        if self.sample_rate_hz <= 0:
            raise DataError("builtin", f"eSpeak NG does not start with the data in {data}", "install it anew")
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(SEED))
        self._parts: list[Array] = []
        self._callback: Callable[..., Any] = _Callback(self._receive)  # the library keeps no reference of its own
        self.library.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave: ctypes._Pointer[ctypes.c_short], count: int, events: int | None) -> int:
        """Keeps a stretch of sound, which the library calls this with; 0 tells it to go on."""
        if wave and count > 0:
            self._parts.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0

    def speak(self, text: str, how: SpokenAs) -> Array:
        """Speaks a text: int16 `(samples,)` at `sample_rate_hz`.

        Raises:
            DataError: the voice does not exist, or there is nothing to say.
        """
        if self.library.espeak_SetVoiceByName(how.voice.encode()) != 0:
            raise DataError("builtin", f"eSpeak NG has no voice {how.voice!r}", "install espeakng-loader anew")
        for parameter, value in ((RATE, how.words_per_minute), (PITCH, how.pitch), (RANGE, how.pitch_range)):
            self.library.espeak_SetParameter(parameter, value, 0)
        self._parts.clear()
        content = text.encode() + b"\0"
        status = self.library.espeak_Synth(content, ctypes.c_size_t(len(content)), 0, 0, 0, UTF_8, None, None)
        if status != 0 or not self._parts:
            raise DataError("builtin", f"eSpeak NG cannot speak {text!r} as {how.voice}", "install it anew")
        self.library.espeak_Synchronize()
        return np.concatenate(self._parts)


def _load_copy() -> tuple[ctypes.CDLL, str]:
    """A copy of the library that nobody else in this process has, and the folder of its data."""
    try:
        import espeakng_loader

        path = Path(espeakng_loader.get_library_path())
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Windows keeps what is loaded
            copy = str(Path(folder) / path.name)
            shutil.copy(path, copy)
            return ctypes.CDLL(copy), str(espeakng_loader.get_data_path())
    except (ImportError, OSError) as error:
        remedy = "pip install 'rnnapps[samples]'"
        raise DataError("builtin", f"needs eSpeak NG from the package espeakng-loader ({error})", remedy) from None
