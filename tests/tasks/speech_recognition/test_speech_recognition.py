from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnapps.cells import CELLS
from rnnapps.cli.main import main as rnnapps_main
from rnnapps.tasks.speech_recognition.data.utterance import as_pcm
from rnnapps.tasks.speech_recognition.evaluation import WEIGHTS
from tests.tasks.command import skip_report
from tests.tasks.speech_recognition.recordings import audio_bytes, say, write_manifest
from tests.tasks.speech_recognition.spoken import SETTINGS, answer, complaint, succeed
from tests.tasks.text_generation import small

WORDS = ("--data.unit=words",)
TEXT = (*small.SETTINGS, "--training.steps=100", "--training.evaluate_every=100")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_manifest(tmp_path_factory.mktemp("speech") / "tones", 80).parent


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    place = folder.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        steps = ("--training.steps=120", "--training.evaluate_every=60", "--model.bidirectional=false")
        succeed("train", "--run", place, "--data.source", folder, *SETTINGS, *WORDS, *steps)
    return place


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(audio_bytes(say("hi lo mid", seed=99)))
    return path


def test_it_learns_tones(run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)
    found = answer(capsys, "evaluate", "--run", run)
    assert found["split"] == "test" and found["examples"] == 8
    assert found["word_error_rate"] <= 0.1 < 0.5 < found["baselines"]["most frequent transcript"]["word_error_rate"]
    assert found["verdict"]["part"] == "recordings" and set(found["baselines"]) == {
        "most frequent transcript",
        "nearest training recording",
    }
    counted = found["diagnostics"]
    wrong = counted["substitutions"] + counted["insertions"] + counted["deletions"]
    assert found["word_error_rate"] == pytest.approx(wrong / counted["words"])


def test_predict_takes_one_file_or_a_folder(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.flac").write_bytes(audio_bytes(np.repeat(say("hi lo mid", seed=99), 2), rate=16_000, kind="FLAC"))
    (tmp_path / "b.wav").write_bytes(audio_bytes(np.zeros(4000)))
    found = answer(capsys, "predict", "--run", run, "--file", tmp_path)["results"]
    assert [Path(each["file"]).name for each in found] == ["a.flac", "b.wav"]
    assert found[0]["transcript"] == "hi lo mid" and found[1]["words"] == []
    assert [each["word"] for each in found[0]["words"]] == ["hi", "lo", "mid"]
    assert all(0 < each["confidence"] <= 1 for each in found)
    starts = [each["start"] for each in found[0]["words"]]
    assert starts == sorted(starts) and starts[-1] < 0.8


def test_a_damaged_file_of_a_folder_is_listed_and_the_others_are_answered(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, samples in (("a.wav", 4000), ("b.wav", 0), ("c.wav", 4000)):
        (tmp_path / name).write_bytes(audio_bytes(np.zeros(samples)))
    capsys.readouterr()
    assert rnnapps_main(["speech_recognition", "predict", "--run", str(run), "--file", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    first, second, third = map(json.loads, printed.out.splitlines())
    assert [Path(each["file"]).name for each in (first, second, third)] == ["a.wav", "b.wav", "c.wav"]
    assert second["problem"].startswith("holds no samples") and set(second) == {"file", "problem"}
    assert printed.err.splitlines()[-1] == f"error: 1 input cannot be read: {tmp_path / 'b.wav'}"
    assert "b.wav: holds no samples" in complaint(capsys, "predict", "--run", run, "--file", tmp_path / "b.wav")


@pytest.mark.slow
def test_predict_by_beam(run: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--decoding.beam_width", 4, "--decoding.language_model_weight", 0.2)
    assert answer(capsys, "predict", "--run", run, "--file", clip, *flags)["results"][0]["transcript"] == "hi lo mid"


def test_stream_prints_the_same_words(
    run: Path, clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    succeed("stream", "--run", run, "--file", clip, "--chunk_ms", 33)
    captured = capsys.readouterr()
    assert captured.out.split() == ["hi", "lo", "mid"] and "real-time factor" in captured.err
    raw = as_pcm(say("hi lo mid", seed=99)).astype("<i2").tobytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    succeed("stream", "--run", run, "--file", "-")
    assert capsys.readouterr().out.split() == ["hi", "lo", "mid"]


def test_complaints_are_one_line(run: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(clip.read_bytes()[:50])
    for flags, expected in (
        (("predict", "--file", bad), "bad.wav: "),
        (("predict", "--file", tmp_path / "none.wav"), "none.wav: does not exist"),
        (("predict", "--file", "-"), "stream reads what has no end"),
        (("predict",), "give either --file, a recording, or --microphone true"),
        (
            ("predict", "--file", clip, "--decoding.language_model_weight", 1),
            "need a decoding.beam_width of at least 2",
        ),
        (("stream", "--file", clip, "--chunk_ms", 0), "chunk_ms must be from 1 to 10,000"),
        (("predict", "--file", clip, "--output", "a.txt"), "output must be a file that ends in .srt, .vtt, .ctm"),
        (("predict", "--file", clip, "--segment_seconds", 0.5), "segment_seconds must be from 1 to 900, not 0.5"),
        (("predict", "--file", clip, "--pause_seconds", 0), "pause_seconds must be from 0.1 to 60"),
    ):
        verb, *rest = flags
        assert expected in complaint(capsys, verb, "--run", run, *rest)
    if "sounddevice" not in sys.modules:
        monkey = pytest.MonkeyPatch()
        monkey.setitem(sys.modules, "sounddevice", None)
        assert "the microphone cannot be read" in complaint(
            capsys, "stream", "--run", run, "--microphone", "true", printed=True
        )
        monkey.undo()


def test_bad_training_data_are_one_line_and_leave_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "run"
    source = write_manifest(tmp_path / "short", 4)
    long = "lo lo lo lo lo lo lo lo lo lo lo lo lo"
    lines = [f"train_{number}.wav,{long},a" for number in range(4)]
    for number in range(4):
        (source.parent / f"train_{number}.wav").write_bytes(audio_bytes(np.zeros(80)))
    source.write_text("\n".join(["audio,transcript,speaker", *lines]))
    empty = tmp_path / "empty.csv"
    empty.write_text("audio,transcript\n")
    for flags, expected in (
        (("--data.source", empty), "empty.csv: holds no recordings"),
        (("--data.source", write_manifest(tmp_path / "one", 1)), "train.csv: holds 1 recordings; a split needs 3"),
        (("--data.source", source), ".wav: lasts 0.01 s"),
        (("--data.source", tmp_path / "gone.csv"), "gone.csv: does not exist"),
        (("--data.source", folder, "--training.compile=xla"), "training.compile must be graph"),
        (("--data.source", folder, "--decoding.language_model=gone", "--data.unit=characters"), "gone: "),
    ):
        assert expected in complaint(capsys, "train", "--run", place, *SETTINGS, *WORDS, *flags)
        assert not place.exists()


@pytest.mark.slow
def test_an_export_verifies_serves_and_fine_tunes_with_more_words(
    run: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rnnapps.export.inference import load_for_inference

    skip_report(monkeypatch)
    flags = ("--decoding.beam_width=4", "--decoding.language_model_weight=0.2")
    succeed("export", "--run", run, "--to", tmp_path / "model", *flags)
    version = tmp_path / "model" / "1"
    assert rnnapps_main(["verify", str(version)]) == 0
    served = load_for_inference(version)
    assert served.signatures == ("serving_default", "step", "tensors")
    wavs = [clip.read_bytes(), audio_bytes(np.zeros(0)), audio_bytes(say("lo", rate=44_100), rate=44_100)]
    found = served.run("serving_default", {"audio_bytes": wavs})
    assert found["transcript"].tolist() == [b"hi lo mid", b"", b"lo"]
    assert found["word_counts"].tolist() == [3, 0, 1] and found["words"].shape == (3, 3)
    assert (np.diff(found["word_starts"][0]) > 0).all() and (found["word_ends"] >= found["word_starts"]).all()
    other = write_manifest(tmp_path / "other", 12, words=1, seed=5)
    other.write_text(other.read_text().replace(",mid,", ",middle,"))
    small = ("--training.steps=2", "--training.evaluate_every=2", *SETTINGS, *WORDS, "--model.bidirectional=false")
    found = answer(capsys, "finetune", "--from", version, "--run", tmp_path / "tuned", "--data.source", other, *small)[
        "transfer"
    ]
    assert set(found["grown"]) == {"logits/kernel", "logits/bias"} and not found["reset"]


@pytest.mark.slow
def test_inspect_report_and_tuning(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "evaluate", "--run", run, "--tune")
    assert "chosen_language_model_weight" in found["diagnostics"] and found["word_error_rate"] <= 0.1
    page = Path(answer(capsys, "inspect", "--run", run)["report"]).read_text()
    assert "Recordings and their transcripts" in page and "audio/wav" in page and "Confused words" in page


@pytest.mark.slow
def test_a_character_model_counts_beside_the_sound(
    folder: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rnnapps.export.inference import load_for_inference

    skip_report(monkeypatch)
    rows = [line.split(",")[1] for line in (folder / "train.csv").read_text().splitlines()[1:]]
    (tmp_path / "lines.txt").write_text("\n".join(rows * 5))
    small.succeed("train", "--run", tmp_path / "text", "--data.source", tmp_path / "lines.txt", *TEXT)
    small.succeed("export", "--run", tmp_path / "text", "--to", tmp_path / "characters")
    succeed("train", "--run", tmp_path / "run", "--data.source", folder, *SETTINGS, "--training.steps=2")
    flags = ("--decoding.language_model", tmp_path / "characters")
    chosen = answer(capsys, "evaluate", "--run", tmp_path / "run", "--tune", *flags)["diagnostics"]
    assert chosen["chosen_language_model_weight"] in WEIGHTS
    flags = (*flags, "--decoding.beam_width=4", "--decoding.language_model_weight=2", "--decoding.symbol_bonus=3")
    found = answer(capsys, "predict", "--run", tmp_path / "run", "--file", clip, *flags)["results"][0]["transcript"]
    assert set(found.split()) & {"lo", "mid", "hi"}  # hardly trained, it writes words that the character model knows
    succeed("export", "--run", tmp_path / "run", "--to", tmp_path / "model", *flags)
    shutil.rmtree(tmp_path / "characters")  # it is inside the export now
    assert rnnapps_main(["verify", str(tmp_path / "model" / "1")]) == 0
    served = load_for_inference(tmp_path / "model").run("serving_default", {"audio_bytes": [clip.read_bytes()]})
    assert served["transcript"].tolist() == [found.encode()]
    assert "characters: " in complaint(capsys, "predict", "--run", tmp_path / "run", "--file", clip, *flags)


@pytest.mark.slow
def test_a_model_that_reads_backwards_says_that_it_cannot_stream(
    folder: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    skip_report(monkeypatch)
    flags = (*SETTINGS, "--training.steps=2", "--data.join_maximum=3", "--model.normalization=utterance")
    succeed("train", "--run", tmp_path / "run", "--data.source", folder, *flags)
    assert "cannot stream" in complaint(capsys, "stream", "--run", tmp_path / "run", "--file", clip)
    succeed("export", "--run", tmp_path / "run", "--to", tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / "1" / "assets.extra" / "manifest.json").read_text())
    assert sorted(manifest["signatures"]) == ["serving_default", "tensors"]


@pytest.mark.slow
def test_one_silent_recording_is_enough_to_train_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    skip_report(monkeypatch)
    source = write_manifest(tmp_path / "one", 1)
    (source.parent / "train_0.wav").write_bytes(audio_bytes(np.zeros(8000)))
    flags = (*SETTINGS, "--training.steps=2", "--data.validation", source, "--data.test", source)
    succeed("train", "--run", tmp_path / "run", "--data.source", source, *flags)
    found = answer(capsys, "evaluate", "--run", tmp_path / "run")
    assert found["examples"] == 1 and all(np.isfinite(found[f"{kind}_error_rate"]) for kind in ("word", "character"))
    assert found["baselines"]["most frequent transcript"]["word_error_rate"] == 0


@pytest.mark.slow
def test_a_recording_of_ten_minutes(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(audio_bytes(np.tile(say("hi lo mid", seed=99), 600 * 8000 // 4800)))
    for flags in (("--segmentation", "energy"), ("--segment_seconds", 900)):
        found = answer(capsys, "predict", "--run", run, "--file", path, *flags)["results"][0]
        assert len(found["words"]) > 1500 and found["words"][-1]["end"] > 550


@pytest.mark.slow
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_every_cell(cell: str, folder: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)
    flags = (*SETTINGS, f"--model.cell={cell}", "--model.bidirectional=false", "--training.steps=2")
    succeed("train", "--run", tmp_path / "run", "--data.source", folder, *flags)
    succeed("predict", "--run", tmp_path / "run", "--file", clip)
    succeed("export", "--run", tmp_path / "run", "--to", tmp_path / "model")
    assert rnnapps_main(["verify", str(tmp_path / "model" / "1")]) == 0
