"""Five files of each field, as people have them: the small sources of benchmarks, written in five forms each."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import soundfile

from benchmarks.small_sources import SOURCES

__all__ = ["FORMS", "Forms"]

Forms = dict[str, list[str]]
"""What somebody has -> the flags that read it."""


def _source(*paths: Path, **flags: str) -> list[str]:
    """Flags of a source."""
    return [f"--data.source={paths[0]}", *(f"--data.{name}={value}" for name, value in flags.items())]


def _zipped(files: Path, target: Path) -> Path:
    """A zip of a folder."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(files.rglob("*")):
            archive.write(path, path.relative_to(files.parent))
    return target


def _texts(folder: Path) -> Forms:
    plain = folder / "text.txt"
    words = plain.read_text(encoding="utf-8").split(" ")
    passages = [" ".join(words[start : start + 100]) for start in range(0, len(words), 100)]
    (folder / "book.html").write_text(f"<html><body><p>{'</p><p>'.join(passages)}</p></body></html>", encoding="utf-8")
    (folder / "text.txt.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (folder / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in passages))
    (folder / "old.txt").write_bytes(plain.read_text(encoding="utf-8").encode("utf-16"))
    return {
        "a text": _source(plain),
        "a compressed text": _source(folder / "text.txt.gz"),
        "JSON lines": _source(folder / "texts.jsonl"),
        "a web page": _source(folder / "book.html"),
        "a text in UTF-16": _source(folder / "old.txt"),
    }


def _pairs(folder: Path) -> Forms:
    plain = folder / "pairs.tsv"
    pairs = [line.split("\t") for line in plain.read_text(encoding="utf-8").splitlines()]
    for side, name in enumerate(("train.xx", "train.en")):
        (folder / name).write_text("".join(f"{pair[side]}\n" for pair in pairs))
    (folder / "pairs.csv").write_text("xx,en\n" + "".join(f'"{a}","{b}"\n' for a, b in pairs))
    (folder / "pairs.jsonl").write_text(
        "".join(json.dumps({"translation": {"xx": a, "en": b}}) + "\n" for a, b in pairs)
    )
    (folder / "deck.txt").write_text("".join(f"{a}\t{b}\tCC-BY 2.0 (France) tatoeba.org #{a[:1]}\n" for a, b in pairs))
    return {
        "lines with tabs": _source(plain),
        "CSV with a header": _source(folder / "pairs.csv"),
        "JSON lines of OPUS": _source(folder / "pairs.jsonl"),
        "an export of Tatoeba": _source(folder / "deck.txt"),
        "two files": _source(folder / "train.xx", target=str(folder / "train.en")),
    }


def _recordings(folder: Path) -> Forms:
    rows = pd.read_csv(folder / "speech.csv")
    rate = {"sample_rate_hz": "8000"}
    beside, words, voices = folder / "beside", folder / "words", folder / "voices"
    for made in (beside, voices):
        made.mkdir()
    (folder / "manifest.jsonl").write_text(
        "".join(
            json.dumps({"audio_filepath": str(folder / row.audio), "text": row.transcript, "duration": 0.5}) + "\n"
            for row in rows.itertuples()
        )
    )
    for row in rows.itertuples():
        (words / row.transcript).mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / row.audio, words / row.transcript / row.audio)
        shutil.copy(folder / row.audio, beside / row.audio)
        (beside / row.audio).with_suffix(".txt").write_text(row.transcript)
        samples, own = soundfile.read(folder / row.audio)
        soundfile.write((voices / row.audio).with_suffix(".flac"), samples, own)
    flac = [name.replace(".wav", ".flac") for name in rows["audio"]]
    pd.DataFrame({"file_name": flac, "transcription": rows["transcript"]}).to_csv(voices / "metadata.csv", index=False)
    return {
        "CSV of paths and transcripts": _source(folder / "speech.csv", **rate),
        "a manifest of NeMo": _source(folder / "manifest.jsonl", **rate),
        "a text beside each recording": _source(beside, **rate),
        "folders called as the words": _source(words, **rate),
        "an audio folder of Hugging Face": _source(voices, **rate),
    }


def _videos(folder: Path) -> Forms:
    clips = folder / "clips"
    paths = sorted(clips.rglob("*.mp4"))
    lines = [f"{path},{path.parent.name}" for path in paths]
    (folder / "videos.csv").write_text("\n".join(["video,label", *lines]) + "\n")
    for number, path in enumerate(paths):
        target = folder / "parts" / ("val" if number % 4 == 3 else "train") / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        named = folder / "named" / path.parent.name.capitalize() / f"v_{path.parent.name}_g{number:02}_c01.mp4"
        named.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, named)
    return {
        "a folder for each class": _source(clips),
        "a zip of them": _source(_zipped(clips, folder / "clips.zip")),
        "a list of videos": _source(folder / "videos.csv"),
        "folders train and val": _source(folder / "parts"),
        "names of UCF101": _source(folder / "named"),
    }


def _music(folder: Path) -> Forms:
    pieces = folder / "pieces"
    parts = folder / "parts"
    for number, path in enumerate(sorted(pieces.glob("*.mid"))):
        (parts / ("valid" if number > 7 else "train")).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, parts / ("valid" if number > 7 else "train") / path.name)
    karaoke = folder / "karaoke"
    karaoke.mkdir()
    tunes = []
    for number, path in enumerate(sorted(pieces.glob("*.mid"))):
        shutil.copy(path, karaoke / f"{path.stem}.kar")
        tunes.append(f"X:{number + 1}\nT:Tune {number}\nM:4/4\nL:1/4\nK:C\n{'CDEF GABc|' * (4 + number % 3)}\n")
    (folder / "tunes.abc").write_text("\n".join(tunes))
    return {
        "a folder of MIDI files": _source(pieces),
        "a zip of them": _source(_zipped(pieces, folder / "pieces.zip")),
        "folders train and valid": _source(parts),
        "karaoke": _source(karaoke),
        "a collection of ABC tunes": _source(folder / "tunes.abc"),
    }


def _tables(folder: Path) -> Forms:
    plain = folder / "series.csv"
    table = pd.read_csv(plain, parse_dates=["time"])
    table.to_parquet(folder / "series.parquet")
    table.to_csv(folder / "german.csv", sep=";", decimal=",", index=False, date_format="%d.%m.%Y %H:%M")
    table.to_json(folder / "series.jsonl", orient="records", lines=True, date_format="iso")
    seconds = table["time"].astype("datetime64[s]").astype("int64")
    lines = (
        f"power,site=a east={row.east},west={row.west} {second * 10**9}"
        for row, second in zip(table.itertuples(), seconds, strict=True)
    )
    (folder / "power.lp").write_text("\n".join(lines) + "\n")
    return {
        "CSV": _source(plain),
        "Parquet": _source(folder / "series.parquet"),
        "CSV from Germany": _source(folder / "german.csv"),
        "JSON lines": _source(folder / "series.jsonl"),
        "InfluxDB's line protocol": _source(folder / "power.lp"),
    }


_FORMS: dict[str, Callable[[Path], Forms]] = {
    "text_generation": _texts,
    "translation": _pairs,
    "speech_recognition": _recordings,
    "video_recognition": _videos,
    "music_generation": _music,
    "anomaly_detection": _tables,
    "forecasting": _tables,
}


def _written(pipeline: str, folder: Path) -> tuple[Forms, list[str]]:
    """Writes five sources of a pipeline; returns how each is read, and the other flags of `train`."""
    settings = SOURCES[pipeline](folder)
    return _FORMS[pipeline](folder), [flag for flag in settings if not flag.startswith("--data.s")]


FORMS: dict[str, Callable[[Path], tuple[Forms, list[str]]]] = {name: partial(_written, name) for name in _FORMS}
"""Pipeline -> writes five sources into a folder; returns how each is read, and further flags for a small model."""
