"""Speech recognition as Python users have it: sound in memory in, dataclasses out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

import rnnapps
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.speech import read_utterance_splits
from rnnapps.tasks.speech_recognition.prediction import Transcription, Word, transcribe
from rnnapps.tasks.speech_recognition.results import LongTranscription
from rnnapps.tasks.speech_recognition.segmentation.config import SegmentationConfig
from rnnapps.tasks.speech_recognition.transcription import Transcriber
from tests.tasks.command import as_settings, skip_report
from tests.tasks.cuts import from_standard_input, in_parts, interrupted
from tests.tasks.speech_recognition.recordings import RATE, audio_bytes, say, write_manifest
from tests.tasks.speech_recognition.spoken import SETTINGS, answer, succeed
from tests.tasks.speech_recognition.spoken import complaint as failure

PARTS = {"train": 24, "validation": 4, "test": 4}
SMALL = {
    **as_settings(SETTINGS),
    "data.unit": "words",
    "model.bidirectional": False,
    "steps": 40,
    "evaluate_every": 40,
}


@pytest.fixture(scope="module", autouse=True)
def no_report() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("speech") / "tones"
    for seed, (part, count) in enumerate(PARTS.items()):
        write_manifest(place, count, name=f"{part}.csv", seed=seed)
    return place


@pytest.fixture(scope="module")
def recordings(folder: Path) -> dict[str, list[tuple[np.ndarray, str]]]:
    """What the manifests say."""
    frames = {part: pd.read_csv(folder / f"{part}.csv") for part in PARTS}
    return {
        part: [
            (soundfile.read(folder / name, dtype="int16")[0], text)
            for name, text in zip(frame["audio"], frame["transcript"], strict=True)
        ]
        for part, frame in frames.items()
    }


@pytest.fixture(scope="module")
def model(folder: Path, recordings: Any) -> rnnapps.Model[Any, Any, Any]:
    return rnnapps.train("speech_recognition", data=recordings, run=folder.parent / "memory", **SMALL)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(audio_bytes(say("hi lo mid", seed=99)))
    return path


def test_memory_trains_what_the_same_files_train(model: Any, folder: Path) -> None:
    of_files = rnnapps.train("speech_recognition", data=folder, run=folder.parent / "files", **SMALL)
    assert model.config.data.source == "memory"
    for ours, theirs in zip(model.network.weights, of_files.network.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    assert model.evaluate().metrics == of_files.evaluate().metrics


def test_predict_in_any_form_equals_the_command_line(
    model: Any, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = model.predict(clip)
    assert isinstance(found, Transcription) and isinstance(found.words[0], Word)
    (printed,) = answer(capsys, "predict", "--run", model.path, "--file", clip)["results"]
    assert dataclasses.asdict(found) == {**printed, "words": tuple(printed["words"])}
    assert found.transcript and " ".join(word.word for word in found.words) == found.transcript
    samples = soundfile.read(clip, dtype="int16")[0]
    floats = samples.astype(np.float64) / 32768
    twice = (np.repeat(samples, 2), 2 * RATE)
    several = [
        samples,
        floats,
        np.stack([floats, floats], axis=1),
        (samples, RATE),
        clip.read_bytes(),
        str(clip),
        twice,
    ]
    results = model.predict(several)
    assert [dataclasses.replace(each, file=str(clip)) for each in results[:-1]] == [found] * 6
    assert [each.file for each in results] == ["", "", "", "", "", str(clip), ""]
    assert results[-1].transcript == found.transcript  # resampled
    assert dataclasses.replace(model.predict((samples, RATE)), file=str(clip)) == found
    assert model.predict(file=str(clip)) == [found]


def test_a_stream_says_what_predict_says(model: Any, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    succeed("stream", "--run", model.path, "--file", clip)
    printed = capsys.readouterr().out
    pieces = list(model.stream(clip))
    assert "".join(pieces) == printed and len(pieces) > 2
    assert printed == model.predict(clip).transcript + "\n"
    samples = soundfile.read(clip, dtype="int16")[0]
    assert "".join(model.stream(samples, chunk_ms=33)) == printed
    assert "".join(model.stream(samples[first : first + 777] for first in range(0, len(samples), 777))) == printed
    assert "real-time" not in capsys.readouterr().err  # that is for a terminal


@pytest.mark.slow
def test_a_loaded_run_and_an_export_say_the_same(model: Any, clip: Path, tmp_path: Path) -> None:
    found = model.predict(clip)
    loaded = rnnapps.load(model.path)
    assert loaded.predict(clip) == found
    with pytest.raises(DataError, match="the data of this run were given from Python") as raised:
        loaded.evaluate()
    assert "\n" not in str(raised.value)
    exported = rnnapps.load(model.export(tmp_path / "models").parent)
    assert exported.predict(clip) == found


@pytest.mark.slow
def test_finetune_from_memory(model: Any, recordings: Any, tmp_path: Path) -> None:
    more = [(samples, text.replace("mid", "middle")) for samples, text in recordings["train"]]
    tuned = model.finetune(more, run=tmp_path / "tuned", steps=1, evaluate_every=1)
    assert set(tuned.preprocessor.alphabet.symbols) == {"hi", "lo", "mid", "middle"}
    assert tuned.path == tmp_path / "tuned"


def config(**settings: Any) -> SpeechDataConfig:
    return SpeechDataConfig(source="memory", sample_rate_hz=RATE, **settings)


def test_what_is_missing_is_split_off(recordings: Any) -> None:
    train = [(*pair, f"speaker {number % 4}") for number, pair in enumerate(recordings["train"])]
    splits = read_utterance_splits(config(), train)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [20, 2, 2]
    assert splits.train[0].name.startswith("memory: train[")
    again = read_utterance_splits(config(), pd.DataFrame(train, columns=["audio", "transcript", "speaker"]))
    assert again.digest() == splits.digest()
    by_speaker = read_utterance_splits(config(hold_out="speakers"), train)
    speakers = [{each.speaker for each in part} for part in (by_speaker.train, by_speaker.validation, by_speaker.test)]
    assert [len(part) for part in speakers] == [2, 1, 1] and len(set.union(*speakers)) == 4
    partly = read_utterance_splits(config(), {"train": train, "test": train[:3]})
    assert [len(part) for part in (partly.train, partly.validation, partly.test)] == [22, 2, 3]
    assert read_utterance_splits(config(), train[:-1]).digest() != splits.digest()


SOUND = np.zeros(4000, np.int16)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (7, r"memory: train is of type int; give a list or a frame: give \(audio, transcript\) or"),
        ([SOUND], r"memory: train\[0\] is of type ndarray; give \(audio, transcript\)"),
        ([(SOUND,)], r"memory: train\[0\] has 1 parts; give \(audio, transcript\)"),
        ([(SOUND, "lo"), (SOUND, 3)], r"memory: train\[1\]: the transcript is of type int"),
        ([(SOUND, "lo"), ([1, 2], "lo"), (SOUND, "lo")], r"memory: train\[1\]: is of type list; give a path"),
        ([(SOUND.astype(np.int64), "lo")] * 3, r"train\[\d\]: holds int64; give a path, samples \(int16"),
        ([(SOUND * np.nan, "lo")] * 3, r"train\[\d\]: sample 0 is nan; full scale is 1"),
        ([(np.zeros((10, 30)), "lo")] * 3, r"has the shape \(10, 30\); expected \(samples,\) or"),
        ([((SOUND, 5), "lo")] * 3, r"has 5 samples a second; a rate is a whole number from 1,000"),
        ([("none.wav", "lo")] * 3, r"none\.wav: does not exist"),
        ([(SOUND, "?!")] * 3, r"train\[\d\]: the transcript '\?!' of memory: train\[\d\] has no letters"),
        ([(SOUND[:0], "lo")] * 3, r"train\[\d\]: holds no samples"),
        ([(SOUND, "lo")] * 2, "memory: holds 2 recordings; a split needs 3"),
        ({"train": [(SOUND, "lo")], "valid": []}, "memory: has the splits valid; name them train"),
        (pd.DataFrame({"audio": [SOUND]}), "train has no column transcript; its columns are audio"),
    ],
)
def test_wrong_data_are_one_line(given: object, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as raised:
        read_utterance_splits(config(), given)
    assert "\n" not in str(raised.value)


def test_wrong_inputs_are_one_line(model: Any, clip: Path) -> None:
    for given, complaint in (
        ([SOUND, 3], r"memory: inputs\[1\]: is of type int; give a path"),
        (SOUND.astype(np.int32), r"memory: input: holds int32"),
        (Path("gone.wav"), r"gone\.wav: does not exist"),
        (np.append(np.zeros(40 * RATE), np.inf), r"memory: input: sample 320,000 is inf"),
    ):
        with pytest.raises(DataError, match=complaint):
            model.predict(given)
    for given, complaint in (
        (3, "memory: input: is of type int; give a recording, or an iterable of pieces"),
        ([SOUND, "lo"], r"memory: input, chunk 1: is of type str"),
    ):
        with pytest.raises(DataError, match=complaint):
            list(model.stream(given))
    with pytest.raises(ConfigError, match="the input is given twice"):
        model.predict(clip, file="other.wav")
    with pytest.raises(ConfigError, match="the input is given twice"):
        list(model.stream(clip, microphone=True))
    with pytest.raises(ConfigError, match="give either --file"):
        model.predict()


def test_a_long_recording_is_cut_at_pauses(model: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = (0.003 * np.random.default_rng(0).normal(size=RATE)).astype(np.float32)
    spoken = [say(("hi lo", "mid", "lo mid hi")[number % 3], seed=number) for number in range(24)]
    samples = np.concatenate([part for own in spoken for part in (own, quiet)])
    assert 30 * RATE < len(samples) < 60 * RATE
    transcriber = Transcriber(model.network, model.preprocessor)

    def transcribed(sound: np.ndarray, **settings: Any) -> Any:
        own = SegmentationConfig(**{"method": "energy", **settings})  # words that are chords are no voices
        return next(iter(transcribe(transcriber, [("x", sound)], own)))

    found = transcribed(samples)
    assert isinstance(found, LongTranscription) and capsys.readouterr().err == ""
    assert [segment.transcript for segment in found.segments] == [own.text for own in transcriber(spoken)]
    assert found.transcript.split() == [word.word for word in found.words]
    starts = np.cumsum([0, *(len(own) + RATE for own in spoken)])[:-1] / RATE
    for segment, start, own in zip(found.segments, starts, spoken, strict=True):
        assert abs(segment.start - start) < 0.25 and abs(segment.end - start - len(own) / RATE) < 0.35
    assert found.words[-1].start > starts[-1] and 0 < found.confidence < 1
    whole = transcribed(samples, longest_seconds=60.0)  # one that is no longer than a segment is read whole, as ever
    assert type(whole) is Transcription and whole.transcript == transcriber([samples])[0].text
    windows = transcribed(samples, method="windows", longest_seconds=7.0)
    assert [segment.end - segment.start for segment in windows.segments][:3] == [7.0, 7.0, 7.0]
    silence = transcribed(np.zeros(40 * RATE))
    assert silence == LongTranscription("", "", 1.0, (), ()) and "nothing was recognised" in capsys.readouterr().err
    path, target = tmp_path / "long.flac", tmp_path / "{}.srt"
    path.write_bytes(audio_bytes(samples, kind="FLAC", subtype="PCM_24"))
    flags = ("--file", path, "--output", target, "--segmentation", "energy")
    (printed,) = answer(capsys, "predict", "--run", model.path, *flags)["results"]
    assert printed["transcript"] == found.transcript and len(printed["segments"]) == len(found.segments)
    assert (tmp_path / "long.srt").read_text().count("-->") == 24
    few = np.concatenate([part for own in spoken[:5] for part in (own, quiet)])  # longer than any that was learned from
    assert model.preprocessor.longest_seconds < 5 < len(few) / RATE < 30
    assert len(model.predict(few, segmentation="energy").segments) == 5
    assert type(model.predict(few, segment_seconds=30.0)) is Transcription
    with pytest.raises(ConfigError, match=r"is one file, and there may be several recordings; write \{\}"):
        model.predict([path, path], output=str(tmp_path / "long.srt"))


@pytest.fixture(scope="module")
def talk() -> tuple[list[str], np.ndarray]:
    """What is said in strings with pauses of two seconds behind them, and the sound."""
    quiet = (0.003 * np.random.default_rng(0).normal(size=2 * RATE)).astype(np.float32)
    texts = ["hi lo", "mid", "lo mid hi"]
    return texts, np.concatenate(
        [part for number, text in enumerate(texts) for part in (say(text, seed=number), quiet)]
    )


def test_the_words_of_a_text_get_their_times(
    model: Any, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, said = model.predict(clip), tmp_path / "said.txt"
    first, *others = found.transcript.split()
    shown = [f"– {first.title()},", *(f"{word.upper()} …" for word in others)]
    said.write_text("\n".join(shown), encoding="utf-8")
    (aligned,) = model.predict([clip], transcript=str(said))
    assert aligned.transcript == " ".join(shown) and [word.word for word in aligned.words] == shown
    # What was recognised has the same times and the same probability.
    assert others and aligned.confidence == pytest.approx(found.confidence, rel=1e-5)
    assert [(word.start, word.end) for word in aligned.words] == [(word.start, word.end) for word in found.words]
    said.write_text("mid mid mid mid")
    wrong = model.predict(clip, transcript=str(said))
    assert wrong.transcript == "mid mid mid mid" and wrong.confidence < found.confidence / 100
    times = [time for word in wrong.words for time in (word.start, word.end)]
    assert times == sorted(times) and times[-1] <= 0.8
    for name in ("a", "b"):
        (tmp_path / f"{name}.wav").write_bytes(clip.read_bytes())
        (tmp_path / f"{name}.txt").write_text("hi lo mid")
    clip.unlink()
    flags = ("--transcript", tmp_path / "{}.txt", "--output", tmp_path / "{}.TextGrid")
    (tmp_path / "b.txt").write_text("hi seven")
    failed = failure(capsys, "predict", "--run", model.path, "--file", tmp_path, *flags, printed=True)
    assert failed == f"error: 1 input cannot be read: {tmp_path / 'b.txt'}"
    assert (tmp_path / "a.TextGrid").read_text().count('text = "lo"') == 1 and not (tmp_path / "b.TextGrid").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hi seven", "said.txt: holds 'seven', which the model cannot write; write what is said in words of"),
        ("…", "said.txt: has no letters; write what is said"),
        (" ", "said.txt: is empty; write what is said"),
        ("lo " * 500, "said.txt: holds 500 symbols, too many for a recording of 0.56 s"),
    ],
)
def test_texts_that_cannot_be_aligned_are_one_line(
    model: Any, clip: Path, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "said.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        model.predict(clip, transcript=str(tmp_path / "said.txt"))
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_utterances_end_at_endpoints(model: Any, talk: tuple[list[str], np.ndarray]) -> None:
    texts, samples = talk
    alone = [model.predict(say(text, seed=number)).transcript for number, text in enumerate(texts)]
    assert "".join(model.stream(samples, chunk_ms=70)) == "".join(f"{text}\n" for text in alone)
    final = list(model.stream(samples, chunk_ms=70, results="final"))
    assert [result.transcript for result in final] == alone and [result.segment for result in final] == [0, 1, 2]
    # Whatever the chunks: an utterance ends at an output, not where a chunk does.
    for size in (37, 1000, len(samples)):
        pieces = [samples[first : first + size] for first in range(0, len(samples), size)]
        assert list(model.stream(pieces, results="final")) == final
    for result, after in zip(final, [*final[1:], None], strict=True):
        assert result.final and result.stable == result.transcript == " ".join(word.word for word in result.words)
        assert result.start < result.words[0].start < result.words[-1].end < result.end - 1.1
        assert after is None or after.start == result.end
    begun = list(model.stream(samples, results="final", rule1_min_trailing_silence=0.8))
    assert begun[0].end == final[0].end and begun[1].start == pytest.approx(final[0].end + 0.8, abs=0.03)
    partial = list(model.stream(samples, chunk_ms=70, results="partial"))
    assert [result for result in partial if result.final] == final
    for result in partial:
        last = final[result.segment]
        assert last.transcript.startswith(result.transcript) and result.transcript.startswith(result.stable)
        assert result.words == last.words[: len(result.words)] or not result.final
    assert len(partial) >= len(final) + sum(len(text.split()) for text in alone)


def test_long_utterances_are_parted_between_words(model: Any) -> None:
    samples = say("hi lo mid lo hi mid hi lo", seed=5)
    whole = list(model.stream(samples, results="final"))
    parted = list(model.stream(samples, results="final", rule3_min_utterance_length=1.0))
    assert len(whole) == 1 and len(parted) > 1
    assert " ".join(result.transcript for result in parted) == whole[0].transcript
    assert [word for result in parted for word in result.words] == list(whole[0].words)


def test_results_of_a_stream_go_on_from_its_state(
    model: Any, talk: tuple[list[str], np.ndarray], tmp_path: Path
) -> None:
    samples = talk[1]
    chunks = [samples[first : first + 3000] for first in range(0, len(samples), 3000)]
    for results in ("partial", "words"):
        whole = in_parts(model, [chunks], tmp_path / f"{results} whole", results=results)
        assert len(whole) > 3
        for cut in (1, 5, len(chunks) // 2, len(chunks) - 1):
            parts = [chunks[:cut], chunks[cut:]]
            assert in_parts(model, parts, tmp_path / f"{results} {cut}", results=results) == whole


def test_a_stream_goes_on_from_its_state(model: Any, clip: Path, tmp_path: Path) -> None:
    samples = soundfile.read(clip, dtype="int16")[0]
    chunks = [samples[first : first + 777] for first in range(0, len(samples), 777)]
    whole = in_parts(model, [chunks], tmp_path / "whole")
    assert len(whole) > 1 and model.predict(clip).transcript.startswith("".join(whole))
    for cut in range(len(chunks)):
        assert in_parts(model, [chunks[:cut], chunks[cut:]], tmp_path / str(cut)) == whole
    raw = samples.astype("<i2").tobytes()
    whole = from_standard_input(model, [raw], tmp_path / "whole raw", file="-")
    for cut in (0, 801, 4000, len(raw)):
        assert from_standard_input(model, [raw[:cut], raw[cut:]], tmp_path / f"{cut} raw", file="-") == whole
    pieces = list(model.stream(clip))
    for after in range(len(pieces) + 1):
        assert interrupted(model, clip, tmp_path / f"{after} of a file", after=after) == pieces
