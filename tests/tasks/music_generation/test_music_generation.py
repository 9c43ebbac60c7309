from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnapps.cells import CELLS
from rnnapps.cli.main import main as rnnapps_main
from rnnapps.tasks.music_generation.data.midi import parse_midi
from tests.tasks.command import skip_report
from tests.tasks.music_generation.midi_bytes import file_of, note_track, scales, write_scales
from tests.tasks.music_generation.pieces import NETWORK, SETTINGS, answer, complaint, succeed

REPRESENTATIONS = ("frames", "events")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scales(tmp_path_factory.mktemp("music") / "scales", 16)


@pytest.fixture(scope="module", params=REPRESENTATIONS)
def run(request: pytest.FixtureRequest, folder: Path) -> Path:
    place = folder.parent / request.param
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        kind = f"--data.representation={request.param}"
        steps = ("--training.steps=400", "--training.evaluate_every=200")
        succeed("train", "--run", place, "--data.source", folder, kind, *SETTINGS, *NETWORK[request.param], *steps)
    return place


def test_it_learns_scales(run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)
    found = answer(capsys, "evaluate", "--run", run)
    name = "nats_per_step" if run.name == "frames" else "nats_per_event"
    best = min(baseline[name] for baseline in found["baselines"].values())
    # The best baseline has counted much of a scale too: eight steps of each key, or three events.
    assert found["split"] == "test" and found[name] < 0.85 * best
    assert len(found["baselines"]) == (4 if run.name == "frames" else 3)
    assert found["diagnostics"]["real_share_in_key"] == 1.0


def test_predict_continues_a_primer(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    primer, target = tmp_path / "primer.mid", tmp_path / "new" / "more.mid"
    primer.write_bytes(scales(60, notes=12))
    asked = ("--run", run, "--primer", primer, "--primer_bars", 1, "--bars", 2, "--temperature", 0.9, "--top_p", 0.9)
    asked += ("--synthesizer", "additive")
    found = answer(capsys, "predict", *asked, "--seed", 5, "--output", target)["results"][0]
    content = target.read_bytes()
    piece = parse_midi(content, target, steps_per_beat=1)
    assert 4 < piece.steps <= 12 and found["notes"] == len(piece.notes)
    assert {48, 60} <= set(piece.notes[:, 2].tolist())
    assert Path(found["picture"]).read_bytes().startswith(b"\x89PNG")
    assert Path(found["sound"]).read_bytes().startswith(b"RIFF")
    succeed("predict", *asked, "--seed", 5, "--output", target)
    assert target.read_bytes() == content


def test_stream_prints_changes_of_keys(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    succeed("stream", "--run", run, "--bars", 2)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines and all(line.keys() == {"beat", "note_on", "note_off"} for line in lines)
    beats = [line["beat"] for line in lines]
    assert beats == sorted(beats) and beats[-1] <= 8


def test_bad_primers_and_flags_are_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.mid"
    bad.write_bytes(file_of(note_track([(0, 0x99, 36, 99), (480, 0x89, 36, 0)])))
    output = ("--output", tmp_path / "x.mid")
    assert "bad.mid: holds no notes but percussion" in complaint(
        capsys, "predict", "--run", run, "--primer", bad, *output
    )
    assert "bars must be from 1 to 256, not 0" in complaint(capsys, "predict", "--run", run, "--bars", 0)
    assert "ends in .mid" in complaint(capsys, "predict", "--run", run, "--output", "x.wav")
    assert not (tmp_path / "x.mid").exists()


def test_a_synthesizer_that_is_missing_is_said_before_anything_is_written(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    output = ("--run", run, "--bars", 1, "--output", tmp_path / "x.mid")
    asked = ("--synthesizer", "fluidsynth")
    assert "the program fluidsynth is not installed" in complaint(capsys, "predict", *output, *asked)
    assert "fluidsynth is not installed" in complaint(capsys, "predict", *output, "--soundfont", "mine.sf2")
    assert "must be one of auto, additive, fluidsynth" in complaint(capsys, "predict", *output, "--synthesizer", "x")
    assert not (tmp_path / "x.mid").exists()
    succeed("predict", *output)  # the additive one plays
    assert (tmp_path / "x.wav").exists()


def test_carried_states_are_refused_for_frames(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--data.source", folder, *SETTINGS, "--training.carry_state=true")
    assert "carry_state must be false" in complaint(capsys, "train", "--run", tmp_path / "run", *flags)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_an_export_verifies_and_fine_tunes(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)
    succeed("export", "--run", run, "--to", tmp_path / "model")
    assert rnnapps_main(["verify", str(tmp_path / "model" / "1")]) == 0
    other = write_scales(tmp_path / "other", 6)
    kind = f"--data.representation={run.name}"
    flags = ("--data.source", other, kind, *SETTINGS, *NETWORK[run.name], "--training.steps=2")
    flags += ("--training.evaluate_every=2",)
    succeed("finetune", "--from", tmp_path / "model" / "1", "--run", tmp_path / "tuned", *flags)


@pytest.mark.slow
def test_inspect_and_report(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "inspect", "--run", run)
    page = Path(found["report"]).read_text()
    assert "Continuation of" in page and "audio/wav" in page


@pytest.mark.slow
@pytest.mark.parametrize("representation", REPRESENTATIONS)
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_every_cell(
    cell: str, representation: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    flags = (
        *SETTINGS,
        *NETWORK[representation],
        f"--model.cell={cell}",
        f"--data.representation={representation}",
        "--training.steps=2",
    )
    succeed("train", "--run", tmp_path / "run", "--data.source", folder, *flags)
    succeed("predict", "--run", tmp_path / "run", "--bars", 1, "--output", tmp_path / "x.mid")
    assert parse_midi((tmp_path / "x.mid").read_bytes(), tmp_path / "x.mid", steps_per_beat=1).steps <= 4
    succeed("export", "--run", tmp_path / "run", "--to", tmp_path / "model")
    assert rnnapps_main(["verify", str(tmp_path / "model" / "1")]) == 0
