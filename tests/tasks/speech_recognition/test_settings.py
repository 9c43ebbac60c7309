"""Every setting and every option changes something, or is refused."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.tasks.speech_recognition.pipeline import PIPELINE
from tests.tasks.speech_recognition.recordings import audio_bytes, say, write_manifest
from tests.tasks.walk import Change, Changes, walks

ELSEWHERE = ("stream chunk_ms", "stream rule1_min_trailing_silence", "evaluate decoding.beam_width")
"""How much sound is read at once, on which no word may depend, see test_speech_recognition.py; silence, in which what
has learned nothing hears words, see test_python.py; and what shows in what it predicts, not in its scores."""


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    folder = tmp_path_factory.mktemp("changes")
    other = str(write_manifest(folder / "other", 20, seed=1))
    plain = write_manifest(folder / "plain", 24)
    plain.write_text("\n".join(line.rpartition(",")[0] for line in plain.read_text().splitlines()))
    marked = write_manifest(folder / "marked", 24)
    marked.write_text(marked.read_text().replace(",lo", ",lo!"))
    long = folder / "long.wav"
    long.write_bytes(audio_bytes(np.concatenate([np.pad(say("lo hi mid"), (0, pause)) for pause in (3000, 9000, 0)])))
    said = folder / "said.txt"
    said.write_text("Lo, hi")
    hot = folder / "hot.txt"
    hot.write_text("lo\nl\ni\n")
    first, second = ((folder / f"{words}.wav") for words in ("lo hi", "mid"))
    for file in (first, second):
        file.write_bytes(audio_bytes(say(file.stem)))
    builtin = {"data.source": "builtin", "data.builtin_utterances": 50}
    beam = {"decoding.beam_width": 4}
    return {
        "data.source": Change(other),
        "data.validation": Change(other),
        "data.test": Change(other),
        "data.speaker_pattern": Change(r"train_\d*(\d)", {"data.source": str(plain), "data.hold_out": "speakers"}),
        "export.longest_seconds": Change(0.2),
        "data.longest_seconds": Change(0.3),
        "data.keep_punctuation": Change(True, {"data.source": str(marked)}),
        "data.join_minimum": Change(2, {"data.join_maximum": 3}),
        "data.join_passes": Change(3, {"data.join_maximum": 3}),
        "data.builtin_utterances": Change(60, builtin),
        "model.strides": Change([2]),
        "training.speeds": Change([0.9, 1.0]),
        "training.frequency_mask_mels": Change(2, {"training.frequency_masks": 1}),
        "training.time_mask_ms": Change(20.0, {"training.time_masks": 1}),
        "decoding.beam_width": Change(32),
        "decoding.language_model_weight": Change(1.0, beam),
        "decoding.symbol_bonus": Change(2.0, beam),
        "decoding.language_model": Change("missing", beam | {"decoding.language_model_weight": 1.0}),
        "decoding.hot_words": Change(str(hot), beam),
        "predict decoding.hot_words": Change("missing", beam),
        "decoding.hot_word_boost": Change(5.0, beam | {"decoding.hot_words": str(hot)}),
        "file": Change(str(second), {"file": str(first)}),
        "results": Change("final"),
        "rule2_min_trailing_silence": Change(0.1, {"file": str(long)}),
        "rule3_min_utterance_length": Change(1.0, {"file": str(long)}),
        "transcript": Change(str(said)),
        "output": Change("said.srt"),
        "segmentation": Change("windows", {"file": str(long), "segment_seconds": 1.0, "segmentation": "energy"}),
        "segment_seconds": Change(1.0, {"file": str(long), "segmentation": "energy"}),
        "pause_seconds": Change(0.2, {"file": str(long), "segment_seconds": 1.5, "segmentation": "energy"}),
        "microphone": Change(True, {"file": str(first)}),
    }


test_repeats, test_setting, test_option = walks(PIPELINE, ELSEWHERE)
