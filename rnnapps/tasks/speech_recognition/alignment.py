"""When each word of a known transcript is said: forced alignment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnapps.data.sources import read_bytes
from rnnapps.errors import DataError
from rnnapps.printable import name_list
from rnnapps.tasks.speech_recognition.data.utterance import normalize_transcript
from rnnapps.tasks.speech_recognition.decoding.ctc import required_outputs
from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet, split_symbols
from rnnapps.tasks.speech_recognition.results import Transcription, Word
from rnnapps.tasks.speech_recognition.transcription import Transcriber
from rnnapps.types import Array

__all__ = ["aligned", "read_text"]

LONGEST_SECONDS = 900
"""The alignment of a longer recording would need more than a gigabyte."""

MAXIMUM_BYTES = 1 << 20
SHOWN = 8


def read_text(path: str | Path) -> str:
    """What a file says, UTF-8.

    Raises:
        DataError: it is missing, too large, no text, or empty.
    """
    content = read_bytes(Path(path), maximum_bytes=MAXIMUM_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(path, f"byte {error.start:,} is no UTF-8", "save it as UTF-8") from None
    if not text.strip():
        raise DataError(path, "is empty", "write what is said")
    return text


def aligned(
    transcriber: Transcriber, samples: Array, text: str, *, place: str, file: str, keep_punctuation: bool
) -> Transcription:
    """The words of a text as they are written there, with the times at which they are said.

    Args:
        transcriber: finds the likeliest alignment.
        samples: the recording, float32 `(samples,)` of full scale 1.
        text: what is said in it.
        place: what to call the text in errors.
        file: of the recording.
        keep_punctuation: whether the model writes punctuation.

    Returns:
        The text; its confidence is the probability of that transcript given the sound.

    Raises:
        DataError: the model cannot write the text, or the recording is too short or too long for it.
    """
    features = transcriber.features
    tokens = _tokens(text, keep_punctuation)
    normalized = " ".join(" ".join(words) for _, words in tokens)
    symbols = _encoded(normalized, features.alphabet, place)
    seconds = len(samples) / features.sample_rate_hz
    if seconds > LONGEST_SECONDS:
        raise DataError(file or place, f"lasts {seconds:,.0f} s; at most {LONGEST_SECONDS} s are aligned", "cut it")
    if required_outputs(symbols) > features.outputs(len(samples)):
        problem = f"holds {len(symbols):,} symbols, too many for a recording of {seconds:.2f} s"
        raise DataError(place, problem, "give the transcript of this recording")
    found = transcriber.aligned(samples, symbols)
    words = _as_written(tokens, [Word(*word) for word in found.words])
    return Transcription(file, " ".join(word.word for word in words), found.confidence, tuple(words))


def _tokens(text: str, keep_punctuation: bool) -> list[tuple[str, list[str]]]:
    """The words of a text as they are written, each with the words that are said; marks go with what is before."""
    found: list[tuple[str, list[str]]] = []
    for token in text.split():
        said = normalize_transcript(token, keep_punctuation=keep_punctuation).split()
        if said or not found:
            found.append((token, said))
        else:
            found[-1] = f"{found[-1][0]} {token}", found[-1][1]
    if len(found) > 1 and not found[0][1]:
        (mark, _), (token, said), *rest = found
        found = [(f"{mark} {token}", said), *rest]
    return found


def _encoded(text: str, alphabet: Alphabet, place: str) -> Array:
    """Ids of a transcript; raises DataError where there are none, or the model does not know one."""
    if not text:
        raise DataError(place, "has no letters", "write what is said")
    unknown = dict.fromkeys(each for each in split_symbols(text, alphabet.unit) if each not in set(alphabet.symbols))
    if unknown:
        told = name_list([repr(each) for each in unknown], SHOWN)
        remedy = f"write what is said in {alphabet.unit} of its training transcripts, numbers in words"
        raise DataError(place, f"holds {told}, which the model cannot write", remedy)
    return alphabet.encode(text)


def _as_written(tokens: Sequence[tuple[str, list[str]]], words: Sequence[Word]) -> list[Word]:
    """The tokens with the times of the words that are said in them."""
    found, place = [], 0
    for token, said in tokens:
        own = words[place : place + len(said)]
        place += len(said)
        found.append(Word(token, own[0].start, own[-1].end))
    return found
