"""Small sources of text, pairs, recordings, videos and music in the forms that others write, and what reads each."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["MEDIA"]

Read = Callable[[], str]

SAID = ("Seven green boats.", "No, none.", "Größe ☃", "Is it far?", "It is not.", "Yes.")
PAGE = "<!DOCTYPE html><html><head><title>t</title></head><body>{}</body></html>"
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book.opf"/></rootfiles></container>'
)
BOOK = (
    '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml"/></manifest>'
    '<spine><itemref idref="a"/></spine></package>'
)


def _written(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def _texts(folder: Path, name: str, content: str | bytes) -> Read:
    """Reads documents."""
    from rnnapps.data.text.documents import read_documents

    _written(folder, {name: content})

    def read() -> str:
        for text in read_documents(str(folder / name)):
            text.encode()
        return ""

    return read


def _html(folder: Path) -> Read:
    return _texts(folder, "a.html", PAGE.format("".join(f"<p>{said} <b>bold</b></p>" for said in SAID * 5)))


def _epub(folder: Path) -> Read:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        files = {"META-INF/container.xml": CONTAINER, "book.opf": BOOK, "a.xhtml": PAGE.format("<p>said</p>")}
        for name, content in {"mimetype": "application/epub+zip", **files}.items():
            archive.writestr(name, content)
    return _texts(folder, "a.epub", buffer.getvalue())


def _docx(folder: Path) -> Read:
    import docx

    document, buffer = docx.Document(), io.BytesIO()
    for said in SAID:
        document.add_paragraph(said)
    document.save(buffer)
    return _texts(folder, "a.docx", buffer.getvalue())


def _old_encoding(folder: Path) -> Read:
    return _texts(folder, "a.txt", ("Größe und Maß sind nicht dasselbe über der Tür. " * 40).encode("cp1252"))


def _tmx(folder: Path) -> Read:
    from rnnapps.tasks.translation.data.files import read_tab_file

    variants = '<tu><tuv xml:lang="en"><seg>{0}</seg></tuv><tuv xml:lang="de"><seg>{0}<ph/></seg></tuv></tu>\n'
    units = "".join(variants.format(said) for said in SAID)
    _written(folder, {"a.tmx": f'<?xml version="1.0"?><tmx version="1.4"><header/><body>{units}</body></tmx>'})
    return lambda: "" if read_tab_file(folder / "a.tmx") else "NaN"


def _rows(folder: Path, files: Mapping[str, str | bytes]) -> Read:
    """Lists recordings, of which times and names are returned."""
    from rnnapps.data.bad_examples import BadExamplesConfig, GoodExamples
    from rnnapps.tasks.speech_recognition.data.layouts import by_subset, list_rows

    _written(folder, files)

    def read() -> str:
        good = GoodExamples(folder, BadExamplesConfig(bad_limit=1.0), noun="recordings")
        rows = list_rows(folder, good=good)
        by_subset(rows, folder)
        good.finish()
        return " ".join(json.dumps(row.transcript) for row in rows)

    return read


def _text_grid(folder: Path) -> Read:
    intervals = "".join(f'{n} {n + 1} "{said}"\n' for n, said in enumerate(SAID))
    count = len(SAID)
    head = f'File type = "ooTextFile"\n"TextGrid"\n0 {count} <exists> 1 "IntervalTier" "said" 0 {count} {count}\n'
    return _rows(folder, {"a.TextGrid": head + intervals, "a.wav": b"RIFF"})


def _captions(folder: Path) -> Read:
    cues = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n<i>{said}</i>\n\n" for n, said in enumerate(SAID))
    return _rows(
        folder, {"a.srt": cues, "a.wav": b"RIFF", "b.vtt": f"WEBVTT\n\n{cues.replace(',', '.')}", "b.mp4": b""}
    )


def _segments(folder: Path) -> Read:
    tables = {
        "segments": "".join(f"u{n} r1 {n} {n + 0.5}\n" for n in range(len(SAID))),
        "text": "".join(f"u{n} {said}\n" for n, said in enumerate(SAID)),
        "wav.scp": "r1 flac -c -d -s a.flac |\n",
    }
    return _rows(folder, tables)


def _timit(folder: Path) -> Read:
    files: dict[str, str | bytes] = {}
    for number, said in enumerate(SAID):
        files |= {f"TRAIN/DR1/F{number}/S.TXT": f"0 4 {said}\n", f"TRAIN/DR1/F{number}/S.WAV": b"NIST_1A"}
    return _rows(folder, {**files, "TRAIN/DR1/F0/S.PHN": "0 4 h#\n"})


def _words(folder: Path) -> Read:
    clips: dict[str, str | bytes] = {f"{word}/{n}_nohash_0.wav": b"RIFF" for word in ("yes", "no") for n in range(3)}
    return _rows(
        folder, {**clips, "validation_list.txt": "yes/0_nohash_0.wav\n", "testing_list.txt": "no/1_nohash_0.wav\n"}
    )


def _videos(folder: Path, lists: Mapping[str, str | bytes], names: Sequence[str]) -> Read:
    """Lists videos."""
    from rnnapps.data.bad_examples import BadExamplesConfig, GoodExamples
    from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
    from rnnapps.tasks.video_recognition.data.sources import list_videos

    _written(folder, {**lists, **dict.fromkeys(names, b"")})
    config = VideoDataConfig(str(folder))

    def read() -> str:
        good = GoodExamples(folder, BadExamplesConfig(bad_limit=1.0), noun="videos")
        found = list_videos(str(folder), config, good)
        good.finish()
        return "" if any(found.values()) else "NaN"

    return read


def _ucf101(folder: Path) -> Read:
    names = [f"{label}/v_{label}_g0{n}_c01.avi" for label in ("Dive", "Jump") for n in range(4)]
    lists: dict[str, str | bytes] = {
        f"{part}list01.txt": "".join(f"{name} 1\n" for name in names) for part in ("train", "test")
    }
    return _videos(folder, lists, names)


def _kinetics(folder: Path) -> Read:
    rows = [f'"a, b",video{n},{n},{n + 2},train\n' for n in range(6)]
    lists: dict[str, str | bytes] = {"train.csv": "label,youtube_id,time_start,time_end,split\n" + "".join(rows)}
    return _videos(folder, lists, [f"a/video{n}_{n:06}_{n + 2:06}.mp4" for n in range(6)])


def _something(folder: Path) -> Read:
    entries = [{"id": str(n), "label": "x", "template": "Holding [something]"} for n in range(6)]
    return _videos(folder, {"x-train.json": json.dumps(entries)}, [f"videos/{n}.webm" for n in range(6)])


def _pieces(folder: Path, name: str, content: str | bytes) -> Read:
    """Reads the pieces of a file."""
    from rnnapps.tasks.music_generation.data.config import MusicDataConfig
    from rnnapps.tasks.music_generation.data.music import read_piece_splits

    _written(folder, {name: content})
    config = MusicDataConfig(str(folder / name), steps_per_beat=1, bad_limit=0.5)
    return lambda: "" if read_piece_splits(config).digest() else "NaN"


def _abc(folder: Path) -> Read:
    return _pieces(
        folder, "a.abc", "L:1/4\n" + "".join(f"X:{n}\nT:{n}\nM:3/4\nK:C\nCDE|GAB|c3|\n\n" for n in range(1, 9))
    )


MEDIA: dict[str, Callable[[Path], Read]] = {
    "html": _html,
    "epub": _epub,
    "docx": _docx,
    "cp1252": _old_encoding,
    "tmx": _tmx,
    "textgrid": _text_grid,
    "captions": _captions,
    "segments": _segments,
    "timit": _timit,
    "words": _words,
    "ucf101": _ucf101,
    "kinetics": _kinetics,
    "something": _something,
    "abc": _abc,
}
"""Form -> writes a source into a folder, and returns what reads it."""
