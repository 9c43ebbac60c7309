"""What was understood of recordings: lengths, speakers, transcripts, and what usually ruins a recogniser."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from rnnapps.contract.data_report import AS_IT_IS, Caution, Counts, DataReport, Example, Part, Suggestion
from rnnapps.contract.sections import Block, Sound, Value
from rnnapps.data.digest import digest_examples
from rnnapps.data.look.repeats import crossing_groups, repeats
from rnnapps.data.look.spreads import counted, one_sided, spread
from rnnapps.printable import name_list
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.speech import UtteranceSplits, read_utterance_splits
from rnnapps.tasks.speech_recognition.data.utterance import FULL_SCALE, StoredSound, Utterance, wav_bytes

__all__ = ["look_at_recordings", "speaker_pattern"]

FEW_HOURS = 0.25
CLIPPED_SAMPLES = 0.001
"""Share of the samples at full scale from which on a recording is called clipped."""

SILENT = 0.003
"""Root mean square, full scale being 1, below which nothing can be heard: -50 dB."""

FASTEST = 30.0
"""Characters a second that nobody speaks."""

FEW_WORDS = 100
MOST_SPEAKERS_SHARE = 8
"""Recordings that there must be of a speaker, on average, to believe that a part of their names says who speaks."""

LEAST_RATE_HZ = 8000
LISTENED_TO = 20
"""Recordings of which the band is looked at, at most."""

LITTLE = 1e-4
"""Share of the power: of speech at 16 kHz some hundredths lie above 4 kHz, of what was converted from 8 kHz nothing."""

_NAME = re.compile(r"[A-Za-z]+\d{0,4}")
EXAMPLES = 3


def look_at_recordings(data: SpeechDataConfig, given: object = None) -> DataReport:
    """Describes recordings; raises DataError as `read_utterance_splits` does."""
    splits = read_utterance_splits(data, given)
    parts = splits.named()
    every = [utterance for own in parts.values() for utterance in own]
    speakers = {name: [utterance.speaker for utterance in own] for name, own in parts.items()}
    repeated, copied = repeats(
        {name: [(digest_examples([own.samples]), Path(own.name).name) for own in part] for name, part in parts.items()},
        "recordings",
        remedy="scores on them are of recordings that were learned by heart: leave the copies out",
    )
    pattern = "" if any(own.speaker for own in every) else speaker_pattern([Path(own.name).name for own in every])
    if pattern:
        speakers = {name: [_found_speaker(pattern, own) for own in part] for name, part in parts.items()}
    shared = crossing_groups(speakers, "speakers", remedy="new voices score lower: --data.hold_out speakers")
    transcripts = counted("transcripts", [own.transcript for own in every])
    rate = data.sample_rate_hz
    histograms = [
        spread("seconds of a recording", [own.seconds(rate) for own in every]),
        spread("characters a second", [len(own.transcript) / own.seconds(rate) for own in every]),
    ]
    return DataReport(
        splits.source,
        facts=_facts(data, every),
        parts=[_part(name, own, data, dealt=name in splits.dealt) for name, own in parts.items()],
        listings=[repeated] if repeated else [],
        histograms=[histogram for histogram in histograms if histogram],
        counts=[*_counts(every), *([transcripts] if transcripts.kinds <= FEW_WORDS else [])],
        skipped=splits.skipped,
        cautions=[*copied, *shared, *_cautions(every, transcripts, rate)],
        suggestions=_suggestions(splits, data, pattern),
        examples=[_example(own, rate) for own in splits.train[:EXAMPLES]],
        costs={"memory of the recordings, MB": round(_megabytes(every), 2)},
    )


def _megabytes(every: Sequence[Utterance]) -> float:
    """Memory of recordings; those on disk take none."""
    return sum(own.sound.nbytes for own in every if not isinstance(own.sound, StoredSound)) / 2**20


def _facts(config: SpeechDataConfig, every: Sequence[Utterance]) -> dict[str, Value]:
    """What is known of the source as a whole."""
    symbols = sorted({sign for own in every for sign in own.transcript})
    named = any(own.speaker for own in every)
    return {
        "recordings": len(every),
        "converted to, Hz": config.sample_rate_hz,
        "speakers": len({own.speaker for own in every}) if named else "not named",
        "different words": len({word for own in every for word in own.transcript.split()}),
        "symbols of transcripts": "".join(symbols[:100]),
    }


def _counts(every: Sequence[Utterance]) -> list[Counts]:
    """Speakers, where they are known, and words."""
    speakers = counted("speakers", [own.speaker for own in every if own.speaker])
    words = counted("words", [word for own in every for word in own.transcript.split()])
    return [counts for counts in (speakers, words) if counts.kinds]


def _part(name: str, own: Sequence[Utterance], config: SpeechDataConfig, *, dealt: bool) -> Part:
    """The size of a part, and why it is that."""
    hours = sum(utterance.seconds(config.sample_rate_hz) for utterance in own) / 3600
    sizes = {"recordings": len(own), "hours": round(hours, 3), "speakers": len({each.speaker for each in own} - {""})}
    path = getattr(config, name, None)
    if path is not None:
        return Part(name, sizes, f"all of {path}")
    share = 100 * getattr(config, f"{name}_fraction", 0)
    return Part(name, sizes, f"{share:.0f} % of the {config.hold_out}, at random" if dealt else AS_IT_IS)


def _cautions(every: Sequence[Utterance], transcripts: Counts, rate: int) -> list[Caution]:
    """What usually ruins a recogniser."""
    found: dict[str, tuple[Callable[[Utterance], bool], str]] = {
        "are clipped": (_is_clipped, "record them again with less gain"),
        "are nearly silent": (_is_silent, "leave them out"),
        f"have more than {FASTEST:g} characters a second": (
            lambda own: len(own.transcript) > FASTEST * own.seconds(rate),
            "their transcripts may be those of others",
        ),
    }
    cautions = []
    for what, (is_bad, remedy) in found.items():
        bad = [Path(own.name).name for own in every if is_bad(own)]
        if bad:
            told = f"{len(bad):,} of {len(every):,} recordings {what}: {name_list(bad, 3)}"
            cautions.append(Caution(told, remedy))
    hours = sum(own.seconds(rate) for own in every) / 3600
    if transcripts.kinds > FEW_WORDS and hours < FEW_HOURS:
        told = f"{60 * hours:.0f} minutes of speech with {transcripts.kinds:,} different transcripts"
        cautions.append(Caution(f"{told} are too little for a recogniser from scratch", "give more, or fine-tune"))
    return [*cautions, *(one_sided(transcripts, "recordings") if transcripts.kinds <= FEW_WORDS else [])]


def _is_clipped(own: Utterance) -> bool:
    """Whether many samples are at full scale, several in a row."""
    loud = np.abs(own.samples.astype(np.int32)) >= FULL_SCALE - 1
    return bool((loud[1:] & loud[:-1]).mean() > CLIPPED_SAMPLES) if len(loud) > 1 else False


def _is_silent(own: Utterance) -> bool:
    """Whether nothing can be heard."""
    waveform = own.waveform()
    return bool(np.sqrt(np.mean(waveform * waveform)) < SILENT)


def speaker_pattern(names: Sequence[str]) -> str:
    """An expression that finds the speaker in the names of files, where a part of all names seems to say it.

    That is a part between underscores or hyphens of letters, or of letters and a number, which has a few values that
    come again and again: `3_theo_12.wav`, `p225_001.wav`.
    """
    for sign in "_-":
        rows = [Path(name).stem.split(sign) for name in names]
        if len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
            continue
        for place in range(len(rows[0])):
            values = {row[place] for row in rows}
            few = 2 <= len(values) <= len(names) / MOST_SPEAKERS_SHARE
            if few and all(_NAME.fullmatch(value) for value in values):
                return f"^(?:[^{sign}]*{sign}){{{place}}}([^{sign}.]*)"
    return ""


def _found_speaker(pattern: str, own: Utterance) -> str:
    """The speaker that a pattern finds in the name of a recording."""
    match = re.search(pattern, Path(own.name).name)
    return match[1] if match else ""


def _suggestions(splits: UtteranceSplits, config: SpeechDataConfig, pattern: str) -> list[Suggestion]:
    """Words as units where there are few, half the rate where it holds all, speakers held out where they are known."""
    suggestions = []
    words = {word for own in splits.train for word in own.transcript.split()}
    if config.unit == "characters" and 1 < len(words) <= FEW_WORDS and len(splits.train) >= 10 * len(words):
        suggestions.append(Suggestion("data.unit", "words", f"there are only {len(words)} different words"))
    if pattern:
        suggestions.append(Suggestion("data.speaker_pattern", pattern, "names of files seem to say who speaks"))
    half, some = config.sample_rate_hz // 2, splits.train[:: len(splits.train) // LISTENED_TO + 1]
    if half >= LEAST_RATE_HZ and some and all(map(_is_low, some)):
        reason = f"nothing sounds above {half // 2:,} Hz, so that half the rate holds as much in half the time"
        suggestions.append(Suggestion("data.sample_rate_hz", half, reason))
    speakers = {own.speaker for own in splits.train} - {""}
    if config.hold_out == "clips" and len(speakers) >= 4:
        reason = f"{len(speakers)} speakers are known, and scores shall hold for new ones"
        suggestions.append(Suggestion("data.hold_out", "speakers", reason))
    return suggestions


def _is_low(own: Utterance) -> bool:
    """Whether nearly nothing sounds in the upper half of the band."""
    power = np.abs(np.fft.rfft(own.waveform())) ** 2
    return bool(power[len(power) // 2 :].sum() <= LITTLE * power.sum())


def _example(own: Utterance, rate: int) -> Example:
    """A recording as its transcript, and as a sound."""
    said = f"{own.transcript!r}, {own.seconds(rate):.2f} s" + (f", speaker {own.speaker}" if own.speaker else "")
    return Example(Path(own.name).name or "a recording", said, partial(_sound, own, rate))


def _sound(own: Utterance, rate: int) -> Sequence[Block]:
    """A recording with a player."""
    return [Sound(wav_bytes(own.samples, rate), own.transcript)]
