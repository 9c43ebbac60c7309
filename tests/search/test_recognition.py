"""Which task data are of: by names of files, first lines, one table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rnnapps.errors import ConfigError, DataError
from rnnapps.search.recognition import choose_task, recognised_by

Made = Callable[[Path], Path]


def named(*names: str) -> Made:
    """A folder of files of which the names say all."""

    def make(folder: Path) -> Path:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"?")
        return folder

    return make


def written(name: str, *lines: str) -> Made:
    def make(folder: Path) -> Path:
        (folder / name).write_text("\n".join(lines) + "\n")
        return folder / name

    return make


HOURS = [f"2024-01-{1 + hour // 24:02d} {hour % 24:02d}:00,{hour % 24}.5,{(hour * 7) % 11}" for hour in range(200)]
FLAGGED = [f"{line},{int(number % 50 == 7)}" for number, line in enumerate(HOURS)]
PAIRS = ["Good morning.\tGuten Morgen.", "How are you?\tWie geht es dir?", "I am tired.\tIch bin müde."] * 5

PLAIN = {
    "music": (named("a.mid", "b/c.midi", "readme.txt"), "music_generation", "2 pieces of music (.mid, .midi)"),
    "videos": (named("walk/1.mp4", "walk/2.mp4", "run/3.avi"), "video_recognition", "3 videos (.avi, .mp4)"),
    "films as pictures": (
        named("walk/1/001.png", "walk/1/002.png", "run/2/001.png"),
        "video_recognition",
        "3 pictures of films (.png)",
    ),
    "a table of videos": (
        written("clips.csv", "video,label", "1.mp4,walk", "2.mp4,run"),
        "video_recognition",
        "a table that names videos",
    ),
    "recordings": (named("a.wav", "a.txt", "b.wav", "b.txt"), "speech_recognition", "2 recordings (.wav) with"),
    "LJSpeech": (named("metadata.csv", "wavs/a.wav", "wavs/b.wav"), "speech_recognition", "2 recordings (.wav) with"),
    "captions": (named("a.wav", "a.srt", "b.m4a", "b.vtt"), "speech_recognition", "2 recordings (.m4a, .wav) with"),
    "a translation memory": (written("a.tmx", "<tmx>", "</tmx>"), "translation", "a translation memory"),
    "Kaldi": (named("wav.scp", "text"), "speech_recognition", "a Kaldi folder"),
    "a manifest": (
        written("train.tsv", "path\tsentence", "a.mp3\tfive nine", "b.mp3\ttwo", "c.mp3\tsix"),
        "speech_recognition",
        "a table that names recordings",
    ),
    "pairs": (written("deu.txt", *PAIRS), "translation", "lines with two sentences each"),
    "pairs as CSV": (
        written("pairs.csv", "en,de", *(line.replace("\t", ",") for line in PAIRS)),
        "translation",
        "lines with two sentences each",
    ),
    "pairs as JSON": (
        written("pairs.jsonl", *['{"en": "Good morning.", "de": "Guten Morgen."}'] * 5),
        "translation",
        "lines with two sentences each",
    ),
    "a book": (
        written("book.txt", *["It was a dark and stormy night; the rain fell."] * 9),
        "text_generation",
        "lines",
    ),
    "books": (named("a.txt", "b.txt", "cover.png"), "text_generation", "2 files of text (.txt)"),
    "chats": (written("chat.jsonl", *['{"text": "Hello there."}'] * 5), "text_generation", "records with a text each"),
    "a series": (written("load.csv", "time,load,wind", *HOURS), "forecasting", "a table of 2 numbers over the column"),
    "numbers without times": (
        written("waves.csv", "a,b", *(f"{row}.5,{row % 7}" for row in range(60))),
        "forecasting",
        "a table of 2 numbers row by row",
    ),
    "marked rows": (
        written("pump.csv", "time,load,wind,is_anomaly", *FLAGGED),
        "anomaly_detection",
        "a table of numbers whose column 'is_anomaly' marks rows",
    ),
    "a series as InfluxDB writes it": (
        written("power.lp", *(f"power,site=a load={row}.5 {1735689600 + 60 * row}000000000" for row in range(60))),
        "forecasting",
        "a table of 1 number over the column 'time'",
    ),
    "series of an archive": (
        written("x.tsf", "@attribute name string", "@frequency hourly", "@data", "T1:1,2,3,4", "T2:5,6,7,8"),
        "forecasting",
        "a table of 1 number row by row",
    ),
    "arrays of telemanom": (
        named("train/a.npy", "train/b.npy", "test/a.npy"),
        "anomaly_detection",
        "2 series with rows to train on and to test on (.npy)",
    ),
    "arrays": (named("a.npz", "b.npz"), "anomaly_detection", "2 series with rows to train on and to test on (.npz)"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_data_are_of_one_task(name: str, tmp_path: Path) -> None:
    make, task, why = PLAIN[name]
    source = str(make(tmp_path))
    found = recognised_by(source)
    assert choose_task(source, found) == task
    assert found[task].why.startswith(why)


def test_marks_are_told_to_the_task(tmp_path: Path) -> None:
    source = str(PLAIN["marked rows"][0](tmp_path))
    found = recognised_by(source)
    assert found["anomaly_detection"].settings == {"data.label": "is_anomaly"}
    assert not found["forecasting"].plain  # it may be meant, and --task says so
    assert choose_task(source, found, "forecasting") == "forecasting"


def test_a_folder_of_two_kinds_is_asked_for_in_a_line(tmp_path: Path) -> None:
    tables = [f"{hour},{hour % 5}" for hour in range(40)]
    written("pairs.csv", "video,label", "a.mp4,walk", "b.mp4,run")(tmp_path)
    written("rows.csv", "a,b", *tables)(tmp_path)
    source = str(written("mixed.txt", *["a.wav\tone two", "b.mp4\twalking about"] * 3)(tmp_path))
    with pytest.raises(
        DataError, match=r"mixed\.txt: is not recognised; say what it is for with --task, one of anomaly"
    ):
        choose_task(source, {})
    found = {**recognised_by(str(tmp_path / "rows.csv")), **recognised_by(str(tmp_path / "pairs.csv"))}
    with pytest.raises(DataError) as caught:
        choose_task("both", found)
    assert str(caught.value) == (
        "both: may be of several tasks; say which: --task forecasting (a table of 2 numbers row by row) "
        "or --task video_recognition (a table that names videos)"
    )


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(50), b"%PDF-1.7 " + bytes(99)])
def test_what_is_of_no_task_is_said_to_be(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.thing"
    path.write_bytes(content)
    assert recognised_by(str(path)) == {}


def test_what_does_not_exist_is_said_first(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist; name a file or a folder of data"):
        recognised_by(str(tmp_path / "none.csv"))


def test_a_task_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'forecasting'"):
        choose_task(str(tmp_path), {}, "forcasting")
