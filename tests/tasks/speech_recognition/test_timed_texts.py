"""TextGrids and captions beside recordings: what is said when, as the programs that write them have it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.timed_texts import TimedText, captions, grid_texts
from tests.tasks.damage import damaged

PATH = Path("a.TextGrid")

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 0.5
            mark = "x"
    item [2]:
        class = "IntervalTier"
        name = "said"
        xmin = 0
        xmax = 2.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 1
            text = "seven ""green""
boats"
        intervals [2]:
            xmin = 1
            xmax = 1.5
            text = ""
        intervals [3]:
            xmin = 1.5 ! a note with "quotes" 7
            xmax = 2.5
            text = "no"
    item [3]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 2.5
        intervals: size = 0
"""
SHORT = """File type = "ooTextFile"
"TextGrid"

0
2.5
<exists>
2
"IntervalTier"
"phones"
0
2.5
1
0
2.5
"s"
"IntervalTier"
"Words"
0
2.5
3
0
0.5
"seven"
0.5
1
"sil"
1
2.5
"boats"
"""


def test_text_grids_by_hand() -> None:
    said = grid_texts(LONG, PATH)
    assert [each[:3] for each in said] == [(0.0, 1.0, 'seven "green" boats'), (1.5, 2.5, "no")]
    assert LONG.split("\n")[said[1].line - 1].strip() == 'text = "no"'
    assert [each[:3] for each in grid_texts(SHORT, PATH)] == [(0.0, None, "seven boats")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is no TextGrid in text form"),
        ("ooBinaryFile TextGrid", "is no TextGrid in text form"),
        (LONG[:600], r"line \d+: it ends too early"),
        (LONG.replace("IntervalTier", "Tier"), "a tier is of the class 'Tier'"),
        (LONG.replace("xmax = 1\n", "xmax = -1\n"), "an interval ends at -1, not after its start 0"),
        (LONG.replace("size = 3\n        intervals", "size = 1e999\n        intervals"), "inf is no number of"),
        (LONG.replace("xmax = 1\n", 'xmax = "1"\n'), "'\"1\"' where a number is expected"),
        (LONG.replace('text = "no"', "text = 7"), "'7' where a text is expected"),
        (LONG[: LONG.index("item []")].replace("size = 3", "size = 0"), "has no tier of intervals"),
    ],
)
def test_what_is_wrong_with_a_text_grid_is_said_with_its_line(content: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as raised:
        grid_texts(content, PATH)
    assert str(raised.value).startswith("a.TextGrid: ") and "\n" not in str(raised.value)


SRT = """1
00:00:00,500 --> 00:00:01,750
<i>Seven green</i>
boats.

2
00:00:02,000 --> 00:00:03,000 X1:0 X2:9
{\\an8}[door closes]
3
01:00:04,000 --> 01:00:05,250
No 7

4
00:00:07,000 --> 00:00:06,000
backwards

5
soon --> later
never

"""
VTT = """WEBVTT - a title

NOTE a note

00:00.500 --> 00:01.750 align:start
<v Anna>Seven <00:00:01.000><c.loud>green</c> &amp; &lt;blue&gt;

cue 2
01:00:04.000 --> 01:00:05.250
boats
"""


def test_captions_by_hand() -> None:
    found = list(captions(SRT, Path("a.srt")))
    assert [each for each in found if isinstance(each, TimedText)] == [
        (0.5, 1.75, "Seven green boats.", 2),
        (3604.0, 3605.25, "No 7", 10),
    ]
    assert [str(each) for each in found if isinstance(each, DataError)] == [
        "a.srt: line 14: ends at 6 s, not after its start 7 s; correct it",
        "a.srt: line 18: 'soon --> later' is no time; write 00:00:01,000 --> 00:00:02,500",
    ]
    assert list(captions(VTT, Path("a.vtt"))) == [(0.5, 1.75, "Seven green & <blue>", 5), (3604.0, 3605.25, "boats", 9)]


@pytest.mark.parametrize("mutations", [200, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("whole", [LONG, SHORT, SRT, VTT], ids=["long grid", "short grid", "srt", "vtt"])
def test_damaged_ones_are_texts_or_one_line(whole: str, mutations: int) -> None:
    draw, read = np.random.default_rng(0), 0
    pieces = [b'"', b"\n", b"1e999", b"-->", b" 9", b"\xff", b"<", b"!", b"--", b"9" * 5000]
    for _ in range(mutations):
        content = damaged(whole.encode(), draw, pieces).decode("utf-8", "replace")
        try:
            found = grid_texts(content, PATH) if "ooText" in whole else list(captions(content, PATH))
        except DataError as error:
            found = [error]
        for each in found:
            if isinstance(each, DataError):
                assert str(each).startswith("a.TextGrid: ") and "\n" not in str(each)
            else:
                assert each.text and each.start >= 0 and (each.end is None or each.end > each.start)
                read += 1
    assert read > mutations / 20


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda text: text.lower() != "sil"
)
TIMED = st.lists(st.tuples(st.integers(1, 400), TEXTS), min_size=1, max_size=6)


def spans(drawn: list[tuple[int, str]]) -> list[tuple[float, float, str]]:
    """One behind the other, of so many hundredths of a second each."""
    ends = [0.0, *(np.cumsum([length for length, _ in drawn]) / 100).tolist()]
    return [(start, end, text) for start, end, (_, text) in zip(ends, ends[1:], drawn, strict=False)]


@pytest.mark.skipif(find_spec("praatio") is None, reason="needs praatio")
@pytest.mark.parametrize("form", ["long_textgrid", "short_textgrid"])
@settings(max_examples=50, deadline=None)
@given(drawn=TIMED)
def test_text_grids_of_praatio(
    form: str, drawn: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    textgrid = pytest.importorskip("praatio.textgrid")
    grid, wanted = textgrid.Textgrid(), spans(drawn)
    grid.addTier(textgrid.IntervalTier("said", wanted, 0, wanted[-1][1]))
    path = tmp_path_factory.getbasetemp() / "a.TextGrid"
    grid.save(str(path), format=form, includeBlankSpaces=True)
    found = grid_texts(path.read_text("utf-8"), path)
    assert [each.text for each in found] == [text for _, _, text in wanted]
    np.testing.assert_allclose([each[:2] for each in found], [each[:2] for each in wanted], atol=1e-9)


@pytest.mark.skipif(find_spec("pysubs2") is None, reason="needs pysubs2")
@pytest.mark.parametrize("form", ["srt", "vtt"])
@settings(max_examples=50, deadline=None)
@given(drawn=TIMED)
def test_captions_of_pysubs2(form: str, drawn: list[tuple[int, str]]) -> None:
    pysubs2 = pytest.importorskip("pysubs2")
    wanted = [(start, end, f"said {number}") for number, (start, end, _) in enumerate(spans(drawn))]
    file = pysubs2.SSAFile()
    file.events = [pysubs2.SSAEvent(round(1000 * start), round(1000 * end), text) for start, end, text in wanted]
    found = list(captions(file.to_string(form), PATH))
    assert [each.text for each in found if isinstance(each, TimedText)] == [text for _, _, text in wanted]
    np.testing.assert_allclose([each[:2] for each in found], [each[:2] for each in wanted], atol=2e-3)
