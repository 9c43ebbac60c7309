"""The lists of recordings that others write are read as they are: rows, transcripts, speakers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.audio import AUDIO_SUFFIXES, read_audio
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.layouts import by_subset, list_rows
from tests.tasks.speech_recognition.recordings import audio_bytes


def found(source: Path) -> list[tuple[str, str, str]]:
    return [(Path(str(row.audio)).name, row.transcript, row.speaker) for row in list_rows(source)]


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_common_voice(tmp_path: Path) -> None:
    lines = ("client_id\tpath\tsentence\tup_votes", 'x1\ta.mp3\tSeven "green" boats.\t2', 'x2\tb.mp3\t"No.\t0')
    table = write(tmp_path / "train.tsv", *lines)
    assert found(table) == [("a.mp3", 'Seven "green" boats.', "x1"), ("b.mp3", '"No.', "x2")]
    (tmp_path / "clips").mkdir()
    assert list_rows(table)[0].audio == tmp_path / "clips" / "a.mp3"
    write(table, lines[0], f"x1\t{'9' * 5000}.mp3\tno\t1")
    assert len(list_rows(table)) == 1


def test_nemo(tmp_path: Path) -> None:
    said = (("a", "no"), ("b", "yes"))
    rows = [{"audio_filepath": f"wavs/{name}.wav", "duration": 0.5, "text": text} for name, text in said]
    table = write(tmp_path / "nemo.jsonl", *map(json.dumps, rows), "")
    assert found(table) == [("a.wav", "no", ""), ("b.wav", "yes", "")]
    for line, complaint in {
        "{": "line 3 is no JSON",
        "[]": "line 3 is JSON, but no object",
        '{"audio": "c.wav", "words": 1}': "line 3 has no transcript; its keys are audio, words",
        '{"audio": "\\ud800.wav", "text": "a"}': "line 3: the audio has half a surrogate pair",
        '{"audio": "c.wav", "text": "a", "speaker": "\\ud800"}': "line 3: the speaker has half a surrogate pair",
    }.items():
        with pytest.raises(DataError, match=complaint):
            list_rows(write(tmp_path / "bad.jsonl", *map(json.dumps, rows), line))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_audio_folders_of_hugging_face(kind: str, tmp_path: Path) -> None:
    if kind == "csv":
        write(tmp_path / "metadata.csv", "file_name,transcription", "../wavs/a.wav,seven green boats")
    else:
        write(tmp_path / "metadata.jsonl", '{"file_name": "../wavs/a.wav", "transcription": "seven green boats"}')
    rows = list_rows(tmp_path)
    assert [(row.audio, row.transcript) for row in rows] == [(tmp_path / "../wavs/a.wav", "seven green boats")]
    assert list(by_subset(rows, tmp_path)) == ["train"]


def test_deepspeech(tmp_path: Path) -> None:
    table = write(tmp_path / "train.csv", "wav_filename,wav_filesize,transcript", "/data/a.wav,32044,no")
    assert found(table) == [("a.wav", "no", "")]


def test_kaldi(tmp_path: Path) -> None:
    write(tmp_path / "wav.scp", "s1-a wavs/a.wav", "s2-b /data/b.wav", "s3-c sox c.sph -t wav - |", "s4-d d.wav")
    write(tmp_path / "text", "s1-a seven green boats", "s2-b no", "s3-c yes")
    write(tmp_path / "utt2spk", "s1-a s1", "s2-b s2")
    good = GoodExamples(tmp_path, SpeechDataConfig(bad_limit=0.9), noun="recordings")
    rows = list_rows(tmp_path, good=good)
    assert [(row.audio, row.transcript, row.speaker) for row in rows] == [
        (tmp_path / "wavs/a.wav", "seven green boats", "s1"),
        (Path("/data/b.wav"), "no", "s2"),
    ]
    assert [example.problem.partition(";")[0] for example in good.skipped()] == [
        "is a command and no file",
        "'s4-d' has no line in text",
    ]
    assert list(by_subset(rows, tmp_path)) == ["train"]


def test_a_text_beside_each_recording(tmp_path: Path) -> None:
    said = ("Seven green boats.", "no", "yes")
    for name, text in (("train/a", "Seven\ngreen boats.\n"), ("train/b", "no"), ("Test/c", "yes")):
        write(tmp_path / f"{name}.txt", text)
        (tmp_path / f"{name}.opus").write_bytes(b"x")
    assert sorted(found(tmp_path)) == [(f"{name}.opus", text, "") for name, text in zip("abc", said, strict=True)]
    parts = by_subset(list_rows(tmp_path), tmp_path)
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 2, "test": 1}
    write(tmp_path / "train" / "e.txt", "and no sound")
    good = GoodExamples(tmp_path, SpeechDataConfig(bad_limit=0.5), noun="recordings")
    assert len(list_rows(tmp_path, good=good)) == 3
    assert [Path(example.file).name for example in good.skipped()] == ["e.txt"]
    (tmp_path / "train" / "e.txt").unlink()
    (tmp_path / "train" / "d.wav").write_bytes(b"x")
    with pytest.raises(DataError, match=r"d\.wav: has no transcript beside it; write d\.txt"):
        list_rows(tmp_path)


KINDS = {".aiff": "AIFF", ".au": "AU", ".caf": "CAF", ".w64": "W64", ".rf64": "RF64", ".sph": "NIST", ".flac": "FLAC"}


@pytest.mark.parametrize("ending", KINDS)
def test_kinds_of_sound_that_the_decoder_knows(ending: str, tmp_path: Path) -> None:
    wave = np.sin(np.arange(800) / 7) * 0.5
    path = tmp_path / f"a{ending}"
    path.write_bytes(audio_bytes(wave, kind=KINDS[ending], subtype="PCM_16"))
    np.testing.assert_allclose(read_audio(path, sample_rate_hz=8000), wave, atol=1e-4)


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "PCM_U8"])
def test_encodings_of_wav(subtype: str, tmp_path: Path) -> None:
    wave = np.sin(np.arange(800) / 7) * 0.5
    for kind in ("WAV", "WAVEX"):
        (tmp_path / "a.wav").write_bytes(audio_bytes(wave, kind=kind, subtype=subtype))
        np.testing.assert_allclose(read_audio(tmp_path / "a.wav", sample_rate_hz=8000), wave, atol=0.02)


def test_opus(tmp_path: Path) -> None:
    wave = np.sin(np.arange(8000) / 7) * 0.5
    soundfile.write(tmp_path / "a.opus", wave, 8000, format="OGG", subtype="OPUS")
    heard = read_audio(tmp_path / "a.opus", sample_rate_hz=8000)
    assert np.corrcoef(heard[1000:7000], wave[1000:7000])[0, 1] > 0.95
    assert len(set(AUDIO_SUFFIXES)) == len(AUDIO_SUFFIXES)
