"""Other packages add formats of text, pairs, sound, video and music."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data import converters
from rnnapps.data.converters import Converter, Kind, converted, converter_suffixes
from rnnapps.data.text.documents import read_documents
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.music_generation.data.config import MusicDataConfig
from rnnapps.tasks.music_generation.data.midi import write_midi
from rnnapps.tasks.music_generation.data.music import read_piece
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.speech_recognition.data.audio import audio_suffixes, read_audio
from rnnapps.tasks.speech_recognition.data.utterance import wav_bytes
from rnnapps.tasks.translation.data.files import read_tab_file
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.decoder import VideoDecoder
from rnnapps.tasks.video_recognition.data.file import write_mp4
from rnnapps.tasks.video_recognition.data.frame_folders import films_in


class Reversed(Converter):
    """A format whose files are those of another, backwards, behind a mark."""

    title, suffixes, magic = "a reversed file", (".rev",), (b"REVERSED",)

    def __init__(self, into: str) -> None:
        self.into = into

    def convert(self, path: Path) -> bytes:
        content = path.read_bytes()
        if not content.startswith(b"REVERSED"):
            raise ValueError("it has\nno mark")
        return content.removeprefix(b"REVERSED")[::-1]


TEXT, PAIR, SOUND, VIDEO, MUSIC = (Reversed(into) for into in (".txt", ".tsv", ".wav", ".mp4", ".mid"))


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    names = {f"rnnapps.{kind}_readers": kind.upper() for kind in ("text", "pair", "sound", "video", "music")}

    def entry_points(group: str) -> list[EntryPoint]:
        return [EntryPoint("reversed", f"{__name__}:{names[group]}", group)] if group in names else []

    monkeypatch.setattr(converters, "entry_points", entry_points)
    converters.file_converters.cache_clear()
    yield names
    converters.file_converters.cache_clear()


def reverse(path: Path, folder: Path) -> Path:
    """The file backwards, in a folder."""
    folder.mkdir(exist_ok=True)
    (folder / f"{path.stem}.rev").write_bytes(b"REVERSED" + path.read_bytes()[::-1])
    return folder / f"{path.stem}.rev"


def test_texts_and_pairs(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Größe\tsize\nHaus\thouse\n")
    path = reverse(tmp_path / "a.txt", tmp_path / "folder")
    for source in (path, path.parent):
        assert read_documents(str(source)) == ["Größe\tsize\nHaus\thouse\n"]
    assert read_tab_file(str(path)) == [("Größe", "size"), ("Haus", "house")]
    hidden = path.rename(tmp_path / "hidden.txt")  # known by its first bytes
    assert read_documents(str(hidden)) == ["Größe\tsize\nHaus\thouse\n"]


def test_sound_and_music(tmp_path: Path) -> None:
    samples = np.arange(-400, 400, dtype=np.int16)
    (tmp_path / "a.wav").write_bytes(wav_bytes(samples, 8000))
    path = reverse(tmp_path / "a.wav", tmp_path / "sounds")
    np.testing.assert_array_equal(read_audio(path, sample_rate_hz=8000) * 2**15, samples)
    assert ".rev" in audio_suffixes()
    piece, config = Piece(np.array([[0, 4, 60, 80], [4, 8, 64, 80]], np.int32)), MusicDataConfig()
    (tmp_path / "b.mid").write_bytes(write_midi(piece, steps_per_beat=config.steps_per_beat))
    found = read_piece(reverse(tmp_path / "b.mid", tmp_path / "music"), config)
    np.testing.assert_array_equal(found.notes, piece.notes)


def test_videos(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), np.uint8)
    write_mp4(tmp_path / "a.mp4", frames, rate=10)
    path = reverse(tmp_path / "a.mp4", tmp_path / "videos")
    assert films_in(path.parent) == [path]
    with VideoDecoder(VideoDataConfig(size=32, frames_per_second=10)) as decoder:
        np.testing.assert_array_equal(decoder.decode(path), decoder.decode(tmp_path / "a.mp4"))


def test_a_damaged_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.rev").write_bytes(b"nothing")
    with pytest.raises(DataError) as caught:
        read_documents(str(tmp_path / "a.rev"))
    assert str(caught.value).endswith("a.rev: cannot be read as a reversed file: it has no mark; write it again")


def test_files_of_one_name_do_not_take_each_others_place(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.rev").write_bytes(b"REVERSED" + name.encode())
        found.append(converted(tmp_path / name / "a.rev", "text").read_text())
    assert found == ["eno", "owt"]


@pytest.mark.parametrize(("value", "told"), [("Reversed", "is no Converter"), ("ABSENT", "cannot be loaded")])
def test_what_is_no_reader_is_told(value: str, told: str, offered: dict[str, str]) -> None:
    kind: Kind = "text"
    offered[f"rnnapps.{kind}_readers"] = value
    with pytest.raises(ConfigError, match=told):
        converter_suffixes(kind)
