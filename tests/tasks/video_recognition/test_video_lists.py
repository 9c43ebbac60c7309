"""Videos as others list them: which file, which seconds of it, which class, and which part."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data.bad_examples import BadExamplesConfig, GoodExamples
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.clip import Clip
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.frame_folders import films_in, pictures_of
from rnnapps.tasks.video_recognition.data.official_splits import scene_of
from rnnapps.tasks.video_recognition.data.sources import dealt, list_videos
from tests.tasks.damage import damaged

Parts = dict[str, list[tuple[str, str]]]


def write(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def parts_of(source: Path, **settings: object) -> Parts:
    config = VideoDataConfig(str(source), **settings)
    return {
        part: [(str(own.film).removeprefix(f"{source}/"), own.label) for own in listed]
        for part, listed in list_videos(str(source), config).items()
    }


def test_ucf101(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"v_Dive_g0{group}_c0{clip}.avi" for group in (1, 2, 3) for clip in (1, 2)]
    for name in names:
        write(tmp_path / "UCF-101" / "Dive" / name)
    lists = tmp_path / "ucfTrainTestlist"
    for fold, group in ((1, "1"), (2, "2")):
        held = [name for name in names if f"g0{group}" in name]
        write(lists / f"testlist0{fold}.txt", "".join(f"Dive/{name}\r\n" for name in held))
        write(lists / f"trainlist0{fold}.txt", "".join(f"Dive/{name} 1\n" for name in names if name not in held))
    write(lists / "classInd.txt", "1 Dive\n")
    for fold, group in ((1, "1"), (2, "2")):
        parts = parts_of(tmp_path, fold=fold)
        assert [path[-11:-4] for path, _ in parts["test"]] == [f"g0{group}_c01", f"g0{group}_c02"]
        assert len(parts["train"]) == 4 and {label for own in parts.values() for _, label in own} == {"Dive"}
    assert "parts are those of its lists of split 1 (--data.fold), of 1, 2" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"has no lists of split 3; it has 1, 2; choose one by --data\.fold"):
        parts_of(tmp_path, fold=3)
    write(lists / "trainlist01.txt", "Dive/v_Dive_g09_c01.avi 1\n" + (lists / "trainlist01.txt").read_text())
    with pytest.raises(DataError, match=r"trainlist01\.txt: line 1: 'Dive/v_Dive_g09_c01\.avi' is not below"):
        parts_of(tmp_path, on_bad="refuse")
    listed = list_videos(str(tmp_path), VideoDataConfig(str(tmp_path), fold=2))
    kept = dealt(listed, VideoDataConfig(str(tmp_path)))
    assert {scene_of(own.name) for own in kept["train"]}.isdisjoint(scene_of(own.name) for own in kept["validation"])


def test_hmdb51(tmp_path: Path) -> None:
    films = {
        "Film_clap_u_nm_np1_fr_goo_0.avi": "1",
        "Film_clap_u_nm_np1_fr_goo_1.avi": "2",
        "Cut_clap_f_cm_np1_ba_med_0.avi": "0",
    }
    for name in films:
        write(tmp_path / "clap" / name)
    write(tmp_path / "splits" / "clap_test_split1.txt", "".join(f"{name} {part} \n" for name, part in films.items()))
    first, second, _ = films
    assert parts_of(tmp_path) == {"train": [(f"clap/{first}", "clap")], "test": [(f"clap/{second}", "clap")]}
    assert {scene_of(name) for name in films} == {"Film_clap", "Cut_clap"}


def test_kinetics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "train" / "push up, slow" / "abc-DEF_-12_000010_000020.mp4")
    write(tmp_path / "train" / "a or b / c" / "zzzzzzzzzzz.mkv")
    write(tmp_path / "val" / "push up, slow" / "yyyyyyyyyyy.mp4")
    head = "label,youtube_id,time_start,time_end,split,is_cc\n"
    rows = (
        '"push up, slow",abc-DEF_-12,10,20,train,0\na or b / c,zzzzzzzzzzz,3,13,train,0\nbye,xxxxxxxxxxx,3,13,train,0\n'
    )
    write(tmp_path / "kinetics400_train.csv", head + rows)
    write(
        tmp_path / "kinetics400_val.csv",
        head + '"push up, slow",yyyyyyyyyyy,0,9.5,validate,0\n'.replace("validate", "val"),
    )
    assert parts_of(tmp_path) == {
        "train": [
            ("train/push up, slow/abc-DEF_-12_000010_000020.mp4", "push up, slow"),
            ("train/a or b / c/zzzzzzzzzzz.mkv from 3 s to 13 s", "a or b / c"),
        ],
        "validation": [("val/push up, slow/yyyyyyyyyyy.mp4 from 0 s to 9.5 s", "push up, slow")],
    }
    assert "kinetics400_train.csv: 1 videos are not on this machine" in capsys.readouterr().err


def test_something_something_and_jester(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (7, 8, 9):
        write(tmp_path / "20bn-something-something-v2" / f"{number}.webm")
    entry = {"id": "7", "label": "holding a cup", "template": "Holding [something]", "placeholders": ["a cup"]}
    write(tmp_path / "something-something-v2-train.json", json.dumps([entry, {**entry, "id": 8}]))
    write(tmp_path / "something-something-v2-test.json", '[{"id": "9"}]')
    write(tmp_path / "something-something-v2-labels.json", '{"Holding something": "0"}')
    folder = "20bn-something-something-v2"
    wanted = [(f"{folder}/{number}.webm", "Holding something") for number in (7, 8)]
    assert parts_of(tmp_path) == {"train": wanted}
    assert "1 have no label" in capsys.readouterr().err
    jester = tmp_path / "jester"
    for number in (1, 2):
        for picture in (1, 2):
            write(jester / "20bn-jester-v1" / str(number) / f"0000{picture}.jpg")
    write(jester / "jester-v1-train.csv", "1;Drumming Fingers\n2;No gesture\n")
    assert parts_of(jester) == {"train": [("20bn-jester-v1/1", "Drumming Fingers"), ("20bn-jester-v1/2", "No gesture")]}


def test_folders_of_pictures_are_videos(tmp_path: Path) -> None:
    for name in ("a/one/1.png", "a/one/2.png", "a/one/10.png", "a/thumb.png", "b/two.mp4", "b/two.jpg", "b/x/1.jpg"):
        write(tmp_path / "Train" / name)
    assert films_in(tmp_path) == [tmp_path / "Train" / "a" / "one", tmp_path / "Train" / "b" / "two.mp4"]
    assert [Path(path).name for path in pictures_of(tmp_path / "Train" / "a" / "one")] == ["1.png", "2.png", "10.png"]
    assert parts_of(tmp_path) == {"train": [("Train/a/one", "a"), ("Train/b/two.mp4", "b")]}
    for number in (1, 2):
        write(tmp_path / "pictures" / "cats" / f"{number}.jpg")
    with pytest.raises(DataError, match="holds pictures that no folder of their own makes one video"):
        parts_of(tmp_path / "pictures", on_bad="refuse")


def test_a_name_that_several_files_have(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        write(tmp_path / folder / "1.mp4")
    write(tmp_path / "all.csv", "video,label\n1,a\n")
    with pytest.raises(DataError, match=r"'1' may be .*/x/1\.mp4 or .*/y/1\.mp4; name its path"):
        parts_of(tmp_path / "all.csv", on_bad="refuse")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "video,label,start,end\na.mp4,x,2,1\n", "line 2: from '2' to '1' is no part of a video"),
        ("a.csv", "video,label,start,end\na.mp4,x,nan,1\n", "line 2: from 'nan' to '1' is no part of a video"),
        ("a.csv", "video,label,start,end\na.mp4,x,,1\n", "line 2: from '' to '1' is no part of a video"),
        ("a.csv", "video,label\nb.mp4,x\n", r"line 2: 'b\.mp4' is not below"),
        ("a.csv", f"video,label\n{'9' * 5000},x\n", "line 2: '9{100}' is not below"),
        ("a.csv", "vid\0\x1bo,label\na.mp4,x\n", r"has the columns label, vid\\x00\\x1bo; expected video"),
        ("a.json", "[{]", "is no JSON"),
        ("a.json", "[3]", "entry 1 is no object"),
        ("a.json", '[{"id": "a"}]', "entry 1: a row needs a video and a label"),
        ("a.jsonl", '{"id": "\\u0000", "label": "x"}', "has a zero byte"),
        ("a.txt", "a.mp4 x\n", r"is neither a folder nor a file \.csv"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(name: str, content: str, said: str, tmp_path: Path) -> None:
    write(tmp_path / "a.mp4")
    path = write(tmp_path / name, content)
    with pytest.raises(DataError, match=said) as raised:
        parts_of(path, on_bad="refuse")
    assert str(raised.value).isprintable()


def test_any_label_is_read_as_it_is_written(tmp_path: Path) -> None:
    labels = ["a/b", "a, b", 'say "a"', "ä;ö", "a=b", "*"]
    buffer = io.StringIO()
    csv.writer(buffer).writerows(
        [("video", "label"), *((f"{number}.mp4", label) for number, label in enumerate(labels))]
    )
    for number in range(len(labels)):
        write(tmp_path / f"{number}.mp4")
    path = write(tmp_path / "all.csv", buffer.getvalue())
    assert parts_of(path) == {"train": [(str(tmp_path / f"{n}.mp4"), label) for n, label in enumerate(labels)]}


LISTS = {
    "train.csv": b"label,youtube_id,time_start,time_end,split\nx,a,1,2,train\ny,a,2,3,val\n",
    "train.json": b'[{"id": "a", "template": "Holding [something]"}, {"id": 1, "label": "x"}]',
    "trainlist01.txt": b"x/a.mp4 1\nx/1.mp4 1\n",
    "x_test_split1.txt": b"a.mp4 1\n1.mp4 2\n",
}


@pytest.mark.parametrize("mutations", [60, pytest.param(1200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", LISTS)
def test_damaged_lists_are_read_or_refused_in_one_line(
    name: str, mutations: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for film in ("a.mp4", "1.mp4"):
        write(tmp_path / "x" / film)
    draw, read = np.random.default_rng(0), 0
    pieces = [b"\0", b",", b"\n", b'"', b"nan", b"-1", b"1e999", b"\xff", b"../", b"\\ud800", b"/", b"[", b"}"]
    for _ in range(mutations):
        (tmp_path / name).write_bytes(damaged(LISTS[name], draw, pieces))
        config = VideoDataConfig(str(tmp_path))
        good = GoodExamples(tmp_path, BadExamplesConfig(bad_limit=1.0, on_bad="skip"), noun="videos")
        try:
            parts = list_videos(str(tmp_path), config, good)
        except DataError as error:
            assert str(tmp_path) in str(error) and "\n" not in str(error)
            continue
        for own in (own for part in parts.values() for own in part):
            path = own.film.path if isinstance(own.film, Clip) else own.film
            assert path.exists() and own.label
            read += 1
    assert read > mutations / 12
    capsys.readouterr()
