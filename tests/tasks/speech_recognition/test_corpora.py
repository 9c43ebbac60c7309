"""Corpora as they lie on disks: which recording says what, who speaks, and which part it belongs to."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data import speech
from rnnapps.tasks.speech_recognition.data.audio import read_audio
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.layouts import by_subset, list_rows
from rnnapps.tasks.speech_recognition.data.speech import read_utterance_splits
from tests.tasks.damage import damaged
from tests.tasks.speech_recognition.recordings import audio_bytes

Said = list[tuple[str, str, str]]


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def found(source: Path) -> Said:
    return [(Path(str(row.audio)).name, row.transcript, row.speaker) for row in list_rows(source)]


def sound(path: Path, hertz: float = 100.0, seconds: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(audio_bytes(0.5 * np.sin(2 * np.pi * hertz * np.arange(round(8000 * seconds)) / 8000)))
    return path


def test_vctk(tmp_path: Path) -> None:
    for name in ("p225_001", "p225_002", "p226_001"):
        speaker = name[:4]
        write(tmp_path / "txt" / speaker / f"{name}.txt", f"Said in {name}.")
        for microphone in (1, 2):
            sound(tmp_path / "wav48_silence_trimmed" / speaker / f"{name}_mic{microphone}.flac")
    write(tmp_path / "speaker-info.txt", "ID  AGE  GENDER", "p225  23  F")
    (tmp_path / "wav48_silence_trimmed" / "p225" / "p225_002_mic1.flac").unlink()
    assert found(tmp_path) == [
        ("p225_001_mic1.flac", "Said in p225_001.", "p225"),
        ("p225_002_mic2.flac", "Said in p225_002.", "p225"),
        ("p226_001_mic1.flac", "Said in p226_001.", "p226"),
    ]


def test_libritts_and_texts_that_tell_of_the_corpus(tmp_path: Path) -> None:
    for kind, text in (("original", "No. 7"), ("normalized", "number seven")):
        write(tmp_path / "train-clean-100" / "84" / f"84_1.{kind}.txt", text)
    sound(tmp_path / "train-clean-100" / "84" / "84_1.wav")
    write(tmp_path / "train-clean-100" / "84" / "README.txt", "about")
    write(tmp_path / "SPEAKERS.txt", "84 | F")
    assert found(tmp_path) == [("84_1.wav", "number seven", "")]


def test_timit(tmp_path: Path) -> None:
    for part, speaker in (("TRAIN", "FCJF0"), ("TEST", "MDAB0")):
        folder = tmp_path / "data" / part / "DR1" / speaker
        write(folder / "SA1.TXT", "0 46797 She had your dark suit.")
        write(folder / "SA1.PHN", "0 3050 h#", "3050 4559 sh")
        write(folder / "SA1.WRD", "3050 5723 she")
        sound(folder / "SA1.WAV")
    sound(tmp_path / "data" / "TRAIN" / "DR1" / "FCJF0" / "SA1.WAV.wav")
    rows = list_rows(tmp_path)
    assert [(row.audio.name, row.transcript, row.speaker) for row in rows] == [
        ("SA1.WAV", "She had your dark suit.", "MDAB0"),
        ("SA1.WAV", "She had your dark suit.", "FCJF0"),
    ]
    assert {part: len(own) for part, own in by_subset(rows, tmp_path).items()} == {"test": 1, "train": 1}
    (tmp_path / "data" / "TRAIN" / "DR1" / "FCJF0" / "SA1.WAV").unlink()
    assert [row.audio.name for row in list_rows(tmp_path)] == ["SA1.WAV", "SA1.WAV.wav"]


def test_speech_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("yes", "no", "_background_noise_"):
        for speaker in ("0a7c", "1b2c", "9ff0"):
            sound(tmp_path / word / f"{speaker}_nohash_0.wav")
    write(tmp_path / "validation_list.txt", "yes/1b2c_nohash_0.wav", "no/1b2c_nohash_0.wav")
    write(tmp_path / "testing_list.txt", "yes/9ff0_nohash_0.wav", "no/9ff0_nohash_0.wav")
    parts = by_subset(list_rows(tmp_path), tmp_path)
    assert {part: [(row.transcript, row.speaker) for row in rows] for part, rows in parts.items()} == {
        "train": [("no", "0a7c"), ("yes", "0a7c")],
        "validation": [("no", "1b2c"), ("yes", "1b2c")],
        "test": [("no", "9ff0"), ("yes", "9ff0")],
    }
    assert "the folder of a recording is taken for what it says: no, yes" in capsys.readouterr().err
    for name in ("validation_list.txt", "testing_list.txt"):
        (tmp_path / name).unlink()
    assert list(by_subset(list_rows(tmp_path), tmp_path)) == ["train"]
    splits = read_utterance_splits(SpeechDataConfig(str(tmp_path), sample_rate_hz=8000))
    assert {own.transcript for part in splits.named().values() for own in part} == {"yes", "no"}


@pytest.mark.parametrize("folders", [("p225", "p226"), ("yes",), ("a/yes", "b/no")])
def test_folders_that_are_no_words_are_refused(folders: tuple[str, ...], tmp_path: Path) -> None:
    for folder in folders:
        sound(tmp_path / folder / "a.wav")
    with pytest.raises(DataError, match="has no transcript beside it"):
        list_rows(tmp_path)


GRID = 'File type = "ooTextFile"\n"TextGrid"\n0 0.5 <exists> 1 "IntervalTier" "said" 0 0.5 2 0 0.2 "no" 0.2 0.5 "yes"\n'


def test_pieces_of_recordings_that_grids_and_captions_name(tmp_path: Path) -> None:
    ramp = np.linspace(0, 0.5, 4000)
    for name in "abc":
        (tmp_path / f"{name}.wav").write_bytes(audio_bytes(ramp))
    (tmp_path / "a.TextGrid").write_text(GRID, encoding="utf-16")
    write(tmp_path / "b.en.srt", "1", "00:00:00,100 --> 00:00:00,300", "maybe")
    write(tmp_path / "c.vtt", "WEBVTT", "", "00:00.000 --> 00:00.100", "one", "", "00:00.100 --> 00:02.000", "too far")
    rows = list_rows(tmp_path)
    assert [(row.transcript, row.span) for row in rows] == [
        ("no", (0, 0.2)),
        ("yes", (0.2, 0.5)),
        ("maybe", (0.1, 0.3)),
        ("one", (0, 0.1)),
        ("too far", (0.1, 2)),
    ]
    config = SpeechDataConfig(str(tmp_path), sample_rate_hz=8000, bad_limit=0.5, test_fraction=0.3)
    splits = read_utterance_splits(config)
    pieces = {own.transcript: own.samples / 32768 for part in splits.named().values() for own in part}
    assert set(pieces) == {"no", "yes", "maybe", "one"}
    np.testing.assert_allclose(pieces["yes"], ramp[1600:4000], atol=1e-3)
    np.testing.assert_allclose(pieces["maybe"], ramp[800:2400], atol=1e-3)
    assert [bad.problem for bad in splits.skipped] == [
        "cuts from 0.1 to 2 s out of a recording of 0.50 s; correct the times, or name the right recording"
    ]
    assert splits.skipped[0].file == f"{tmp_path / 'c.vtt'}, line 6"


def test_recordings_are_held_out_whole_where_each_is_a_speaker(tmp_path: Path) -> None:
    for name in "abc":
        sound(tmp_path / f"{name}.wav")
        write(tmp_path / f"{name}.srt", *(f"00:00:00,{n}00 --> 00:00:00,{n + 1}00\nsaid {n}\n" for n in range(4)))
    config = SpeechDataConfig(
        str(tmp_path), sample_rate_hz=8000, hold_out="speakers", speaker_pattern=r"(.+)\.", test_fraction=0.3
    )
    parts = read_utterance_splits(config).named().values()
    assert [len(part) for part in parts] == [4, 4, 4] and [len({own.speaker for own in part}) for part in parts] == [
        1
    ] * 3


def test_a_recording_of_many_pieces_is_read_or_refused_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cues = [f"00:00:00,{n}00 --> 00:00:00,{n + 1}00\nsaid {n}\n" for n in range(4)]
    for name in "abc":
        sound(tmp_path / f"{name}.wav")
        write(tmp_path / f"{name}.srt", *cues)
    (tmp_path / "c.wav").write_bytes(b"RIFF")
    read: list[Path] = []
    monkeypatch.setattr(speech, "read_audio", lambda path, **rate: read.append(path) or read_audio(path, **rate))
    shares = {"validation_fraction": 0.3, "test_fraction": 0.3}
    splits = read_utterance_splits(SpeechDataConfig(str(tmp_path), sample_rate_hz=8000, bad_limit=0.5, **shares))
    assert sum(len(part) for part in splits.named().values()) == 8
    assert len(splits.skipped) == 4 and all(Path(bad.file).name == "c.wav" for bad in splits.skipped)
    assert max(read.count(path) for path in read) <= 3, "once for each part"


def kaldi(folder: Path, **tables: tuple[str, ...]) -> Path:
    for name, lines in tables.items():
        write(folder / name.replace("wav", "wav.scp"), *lines)
    return folder


def test_kaldi_with_segments(tmp_path: Path) -> None:
    kaldi(
        tmp_path,
        wav=("r1 one.wav", "r2 flac -c -d -s two.flac |", "r3 sox three.wav -t wav - |"),
        text=("u1 seven boats", "u2 no", "u3 yes", "u5 lost"),
        segments=(
            "u1 r1 0 0.25",
            "u2 r1 0.25 -1",
            "u3 r2 1.5 2",
            "u4 r1 0 1",
            "u5 r3 0 1",
            "u6 r9 0 1",
            "u7 r1 zero 1",
        ),
        utt2spk=("u1 anna", "u2 ben"),
    )
    good = GoodExamples(tmp_path, SpeechDataConfig(bad_limit=0.9), noun="recordings")
    rows = list_rows(tmp_path, good=good)
    assert [(row.audio, row.transcript, row.speaker, row.span) for row in rows] == [
        (tmp_path / "one.wav", "seven boats", "anna", (0.0, 0.25)),
        (tmp_path / "one.wav", "no", "ben", (0.25, None)),
        (tmp_path / "two.flac", "yes", "", (1.5, 2.0)),
    ]
    assert [bad.problem.partition(";")[0] for bad in good.skipped()] == [
        "'u4' has no line in text",
        "is a command and no file",
        "'r9' has no line in wav.scp",
        "is 'r1 zero 1' behind its name",
    ]
    sound(tmp_path / "one.wav")
    config = SpeechDataConfig(str(tmp_path), sample_rate_hz=8000, bad_limit=0.9)
    with pytest.raises(DataError, match="no recordings for the"):
        read_utterance_splits(config)


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("flac -c -d -s 'a b.flac' |", "a b.flac"),
        ("/usr/bin/sph2pipe -f wav a.sph |", "a.sph"),
        ("cat a.wav |", "a.wav"),
        ("sph2pipe -f wav -c 1 a.sph |", None),
        ("cat a.wav b.wav |", None),
        ("cat a.wav > b; |", None),
        ("rm a.wav |", None),
        ("cat 'a.wav |", None),
        ("|", None),
        ("cat -n |", None),
        ("cat " + "' '" * 200_000 + "a.wav |", None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_commands_that_only_unpack_are_the_file_they_unpack(command: str, file: str | None, tmp_path: Path) -> None:
    begun = time.process_time()
    kaldi(tmp_path, wav=(f"u1 {command}",), text=("u1 no",))
    if file is None:
        with pytest.raises(DataError, match="is a command and no file"):
            list_rows(tmp_path)
    else:
        assert [row.audio for row in list_rows(tmp_path)] == [tmp_path / file]
    assert time.process_time() - begun < 0.5


def test_folders_with_tables_are_the_parts_that_their_names_say(tmp_path: Path) -> None:
    for part, hertz in (("train", 200.0), ("dev", 300.0), ("test_other", 400.0)):
        sound(tmp_path / part / "a.wav", hertz)
        kaldi(tmp_path / part, wav=("u1 a.wav",), text=(f"u1 {part[:3]}",))
    splits = read_utterance_splits(SpeechDataConfig(str(tmp_path), sample_rate_hz=8000))
    assert {name: [own.transcript for own in part] for name, part in splits.named().items()} == {
        "train": ["tra"],
        "validation": ["dev"],
        "test": ["tes"],
    }


@pytest.mark.parametrize("mutations", [60, pytest.param(1200, marks=pytest.mark.slow)])
def test_damaged_folders_are_rows_or_one_line(mutations: int, tmp_path: Path) -> None:
    folders = {
        "kaldi": {
            "wav.scp": b"r1 a.wav\nr2 b.wav\n",
            "text": b"u1 no\nu2 yes\n",
            "segments": b"u1 r1 0 0.2\nu2 r2 0 1\n",
        },
        "timit": {"SA1.TXT": b"0 46797 She had.\n", "SA1.PHN": b"0 9 h#\n", "SA1.WAV": b"RIFF"},
        "words": {"validation_list.txt": b"yes/a.wav\n", "yes/a.wav": b"RIFF", "no/a.wav": b"RIFF"},
        "beside": {"a.srt": b"1\n00:00:00,000 --> 00:00:00,100\nno\n", "a.wav": b"RIFF"},
    }
    draw, read = np.random.default_rng(0), 0
    pieces = [b"\0", b"|", b"\n", b" ", b"nan", b"-1", b"1e999", b"\xff", b"../", b"-->"]
    for number in range(mutations):
        for name, files in folders.items():
            changed = sorted(files)[number % len(files)]
            for path, content in files.items():
                target = tmp_path / name / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(damaged(content, draw, pieces) if path == changed else content)
            good = GoodExamples(tmp_path, SpeechDataConfig(bad_limit=1.0), noun="recordings")
            try:
                rows = list_rows(tmp_path / name, good=good)
            except DataError as error:
                assert "\n" not in str(error) and str(tmp_path) in str(error)
                continue
            assert all("\0" not in str(row.audio) for row in rows)
            read += 1
    assert read > mutations
