"""Music generation as Python users have it: primers in any form in, pieces out that save themselves."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

import rnnapps
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.music_generation.data.config import MusicDataConfig
from rnnapps.tasks.music_generation.data.midi import parse_midi
from rnnapps.tasks.music_generation.data.music import read_piece_splits
from rnnapps.tasks.music_generation.files import GeneratedPiece
from tests.tasks.command import as_settings, skip_report
from tests.tasks.cuts import interrupted
from tests.tasks.music_generation.midi_bytes import scales, write_scales
from tests.tasks.music_generation.pieces import NETWORK, SETTINGS, answer, succeed

SMALL = {**as_settings((*SETTINGS, *NETWORK["frames"])), "steps": 5, "evaluate_every": 5}


@pytest.fixture(scope="module", autouse=True)
def no_report() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scales(tmp_path_factory.mktemp("music") / "scales", 10)


@pytest.fixture(scope="module")
def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.mid"))]


@pytest.fixture(scope="module")
def model(folder: Path, contents: list[bytes]) -> rnnapps.Model[Any, Any, Any]:
    return rnnapps.train("music_generation", data=contents, run=folder.parent / "memory", **SMALL)


@pytest.fixture
def primer(tmp_path: Path) -> Path:
    path = tmp_path / "primer.mid"
    path.write_bytes(scales(60, notes=12))
    return path


def test_memory_trains_what_the_same_files_train(model: Any, folder: Path) -> None:
    of_files = rnnapps.train("music_generation", data=folder, run=folder.parent / "files", **SMALL)
    for ours, theirs in zip(model.network.weights, of_files.network.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    assert model.evaluate().metrics == of_files.evaluate().metrics


@pytest.mark.slow
def test_a_run_goes_on_with_the_same_data_only(model: Any, contents: list[bytes], tmp_path: Path) -> None:
    run = shutil.copytree(model.path, tmp_path / "run")
    with pytest.raises(ConfigError, match=r"the data of this run \(data\.source memory\) have changed") as raised:
        rnnapps.train("music_generation", data=contents[:-1], run=run, steps=6)
    assert "\n" not in str(raised.value)
    longer = rnnapps.train("music_generation", data=contents, run=run, steps=6)
    assert [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()] == [5, 6]
    assert longer.config.model == model.config.model


def test_predict_in_any_form_equals_the_command_line(
    model: Any, primer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"bars": 2, "seed": 5}
    target = tmp_path / "line" / "more.mid"
    flags = ("--primer", primer, "--bars", 2, "--seed", 5, "--synthesizer", "additive", "--output", target)
    (printed,) = answer(capsys, "predict", "--run", model.path, *flags)["results"]
    content = primer.read_bytes()
    notes = parse_midi(content, "primer", steps_per_beat=1).notes
    found = model.predict(primer, **asked)
    assert isinstance(found, GeneratedPiece) and found.midi == target.read_bytes()
    assert found.primer_steps == 12 < found.piece.steps <= 20 and not found.files
    assert not (tmp_path / "generated.mid").exists()  # nothing is written unasked
    saved = found.save(tmp_path / "python" / "more.mid", synthesizer="additive")
    assert saved.printed() == {**printed, **{kind: str(path) for kind, path in saved.files.items()}}
    for kind, path in saved.files.items():
        assert path.read_bytes() == Path(printed[kind]).read_bytes()
    several = model.predict([content, mido.MidiFile(file=io.BytesIO(content)), str(primer), notes], **asked)
    assert [each.midi for each in several[:-1]] == [found.midi] * 3
    np.testing.assert_array_equal(several[-1].notes, found.notes)  # its tempo is another


def test_a_piece_goes_on_and_begins_from_nothing(model: Any, tmp_path: Path) -> None:
    begun = model.predict(bars=1, seed=3)
    assert isinstance(begun, GeneratedPiece) and begun.primer_steps == 0
    three = model.predict(bars=1, seed=3, samples=3)
    assert len(three) == 3 and three[0].midi == begun.midi
    assert begun.figures["notes_per_beat"] == pytest.approx(len(begun.notes) / begun.piece.steps)
    more = model.predict(begun, bars=1)
    assert more.primer_steps == begun.piece.steps
    written = model.predict(bars=1, seed=3, output=str(tmp_path / "asked.mid"), synthesizer="additive")
    assert written.files["midi"].read_bytes() == begun.midi


def test_a_stream_yields_what_the_command_line_prints(
    model: Any, primer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    succeed("stream", "--run", model.path, "--primer", primer, "--bars", 2)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for form in (primer, primer.read_bytes()):
        changes = list(model.stream(form, bars=2))
        assert (
            changes
            and [
                {"beat": each.beat, "note_on": list(each.note_on), "note_off": list(each.note_off)} for each in changes
            ]
            == printed
        )


@pytest.mark.slow
def test_a_loaded_run_and_an_export_write_the_same(model: Any, primer: Path, tmp_path: Path) -> None:
    found = model.predict(primer, bars=2).midi
    loaded = rnnapps.load(model.path)
    assert loaded.predict(primer, bars=2).midi == found
    with pytest.raises(DataError, match="the data of this run were given from Python"):
        loaded.evaluate()
    assert rnnapps.load(model.export(tmp_path / "models").parent).predict(primer, bars=2).midi == found


@pytest.mark.slow
def test_finetune_from_memory(model: Any, contents: list[bytes], tmp_path: Path) -> None:
    tuned = model.finetune(contents[:4], run=tmp_path / "tuned", steps=1, evaluate_every=1)
    assert tuned.path == tmp_path / "tuned" and tuned.config.data.source == "memory"


def config(**settings: Any) -> MusicDataConfig:
    return MusicDataConfig(source="memory", steps_per_beat=1, **settings)


def test_what_is_missing_is_split_off(contents: list[bytes], folder: Path) -> None:
    def tunes(split: Any) -> list[bytes]:
        return [piece.notes.tobytes() for piece in split]

    of_folder = read_piece_splits(MusicDataConfig(source=str(folder), steps_per_beat=1))
    paths = read_piece_splits(config(), sorted(folder.glob("*.mid"), reverse=True))
    assert paths.digest() == of_folder.digest() == read_piece_splits(config(), contents).digest()
    assert [len(part) for part in (paths.train, paths.validation, paths.test)] == [8, 1, 1]
    named = read_piece_splits(config(), {"train": contents[:6], "validation": contents[6:8], "test": contents[8:]})
    expected = [parse_midi(content, "", steps_per_beat=1).notes.tobytes() for content in contents]
    assert (tunes(named.train), tunes(named.validation), tunes(named.test)) == (
        expected[:6],
        expected[6:8],
        expected[8:],
    )
    partly = read_piece_splits(config(), {"train": contents[:8], "test": contents[8:]})
    assert [len(part) for part in (partly.train, partly.validation, partly.test)] == [7, 1, 2]
    assert tunes(partly.test) == tunes(named.test)


NOTES = np.array([[0, 2, 60, 80], [2, 4, 64, 80]])


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (7, "memory: train is of type int; give a list of pieces: paths, MIDI bytes, notes"),
        (scales(60), "memory: train is of type bytes; give a list of pieces"),
        ([NOTES, NOTES, 3], r"memory: train\[2\]: is of type int; give a path, MIDI bytes, notes \(notes, 4\)"),
        ([NOTES / 2] * 3, r"train\[\d\]: has float64 \(2, 4\); notes are integers \(notes, 4\): start, end, pitch"),
        ([NOTES[:, :3]] * 3, r"train\[\d\]: has int64 \(2, 3\); notes are integers"),
        ([NOTES[:0]] * 3, r"train\[\d\]: holds no notes"),
        ([np.add(NOTES, [-1, 0, 0, 0])] * 3, r"note 0 is \[-1, 2, 60, 80\]; start and end are grid steps from 0"),
        ([NOTES * (1, 0, 1, 1)] * 3, r"note 0 is \[0, 0, 60, 80\]; a note must end after its start"),
        ([np.add(NOTES, [0, 0, 60, 0])] * 3, r"note 0 is \[0, 2, 120, 80\]; the keys of a piano are 21 to 108"),
        ([NOTES * (1, 1, 1, 0)] * 3, r"note 0 is \[0, 2, 60, 0\]; a velocity is from 1 to 127"),
        ([b"MThd"] * 3, r"memory: train\[\d\]: is no Standard MIDI File"),
        ([mido.MidiFile()] * 3, r"memory: train\[\d\]: holds no notes but percussion"),
        (["none.mid"] * 3, r"none\.mid: does not exist"),
        ([NOTES] * 2, "memory: holds 2 pieces; a split needs 3 at least"),
        ({"train": [NOTES], "test": [NOTES]}, "memory: holds 1 pieces; a split needs 2 at least"),
    ],
)
def test_wrong_data_are_one_line(given: object, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as raised:
        read_piece_splits(config(), given)
    assert "\n" not in str(raised.value)


def test_wrong_primers_are_one_line(model: Any, primer: Path) -> None:
    for given, complaint in (
        ([NOTES, 3], r"memory: inputs\[1\]: is of type int; give a path"),
        (b"", "memory: input: is no Standard MIDI File"),
        (Path("gone.mid"), r"gone\.mid: does not exist"),
    ):
        with pytest.raises(DataError, match=complaint):
            model.predict(given)
    with pytest.raises(DataError, match="memory: input: is of type int"):
        list(model.stream(3))
    with pytest.raises(ConfigError, match="the input is given twice"):
        model.predict(primer, primer="other.mid")
    with pytest.raises(ConfigError, match="bars must be from 1 to 256, not 0"):
        model.predict(primer, bars=0)


def test_an_interrupted_stream_goes_on_from_its_state(model: Any, primer: Path, tmp_path: Path) -> None:
    whole = list(model.stream(primer, bars=2))
    for after in (0, 1, len(whole) // 2, len(whole)):
        assert interrupted(model, primer, tmp_path / str(after), after=after, bars=2) == whole
