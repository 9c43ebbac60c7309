"""eSpeak NG, a speech synthesiser, through its shared library from the package espeakng-loader."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnapps.errors import DataError

__all__ = ["SpokenAs", "synthesize"]

Array = np.ndarray[Any, Any]

# Numbers of speak_lib.h: output to a callback at once, text in UTF-8, and the parameters.
SYNCHRONOUS, UTF_8 = 0x02, 1
RATE, PITCH, RANGE = 1, 3, 4
BUFFER_MS = 200
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


class _Synthesizer:
    """The library, which has one state for the process."""

    def __init__(self, library: Any, rate: int) -> None:
        self.library, self.sample_rate_hz, self.parts = library, rate, list[Array]()
        self._callback: Callable[..., Any] = _Callback(self._receive)  # the library keeps no reference of its own
        library.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self.parts.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0

    def speak(self, text: str, how: SpokenAs) -> Array:
        """int16 `(samples,)`."""
        if self.library.espeak_SetVoiceByName(how.voice.encode()) != 0:
            raise DataError("builtin", f"eSpeak NG has no voice {how.voice!r}", "install espeakng-loader anew")
        for parameter, value in ((RATE, how.words_per_minute), (PITCH, how.pitch), (RANGE, how.pitch_range)):
            self.library.espeak_SetParameter(parameter, value, 0)
        self.parts.clear()
        content = text.encode() + b"\0"
        status = self.library.espeak_Synth(content, ctypes.c_size_t(len(content)), 0, 0, 0, UTF_8, None, None)
        if status != 0 or not self.parts:
            raise DataError("builtin", f"eSpeak NG cannot speak {text!r} as {how.voice}", "install it anew")
        self.library.espeak_Synchronize()
        return np.concatenate(self.parts)


@functools.lru_cache(maxsize=1)
def _synthesizer() -> _Synthesizer:
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path())
    except (ImportError, OSError) as error:
        remedy = "pip install 'rnnapps[samples]'"
        raise DataError("builtin", f"needs eSpeak NG from the package espeakng-loader ({error})", remedy) from None
    rate = int(library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data.encode(), 0))
    if rate <= 0:
        raise DataError("builtin", f"eSpeak NG does not start with the data in {data}", "install it anew")
    return _Synthesizer(library, rate)


def synthesize(text: str, how: SpokenAs) -> tuple[Array, int]:
    """Speaks a text: int16 `(samples,)` and their rate; not for several threads at once.

    The voices flutter a little, at random: the same text never sounds quite the same twice.

    Raises:
        DataError: the package is missing, or the voice does not exist.
    """
    synthesizer = _synthesizer()
    return synthesizer.speak(text, how), synthesizer.sample_rate_hz
