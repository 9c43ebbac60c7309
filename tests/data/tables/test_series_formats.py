"""What other tools of the field write is read as it is, or refused in one line with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series
from rnnapps.data.tables.reader import TableOptions
from rnnapps.data.tables.ucr import UcrReader
from rnnapps.errors import DataError


def read(path: Path, text: str, **settings: Any) -> list[Series]:
    path.write_text(text, encoding="utf-8")
    return read_series(SeriesDataConfig(source=str(path), **settings))


def first_time(series: Series) -> str:
    assert series.times is not None
    return str(series.times[0])[:19]


LINES = "".join(
    f"power,site={site} load={row + 0.5},temp={20 + row % 3}i {1735689600 + 60 * row}000000000\n"
    for site in ("a", "b")
    for row in range(50)
)


def test_line_protocol(tmp_path: Path) -> None:
    one, other = read(tmp_path / "line_protocol.txt", LINES)
    assert (one.name, other.name, one.channels) == ("site=a", "site=b", ("load", "temp"))
    assert (str(one.frequency), first_time(one), len(one)) == ("1min", "2025-01-01T00:00:00", 50)
    np.testing.assert_array_equal(one.values, [[row + 0.5, 20 + row % 3] for row in range(50)])


def test_signs_of_line_protocol(tmp_path: Path) -> None:
    text = (
        "# a comment\n"
        'my\\ room\\,2,a\\=b=c\\ d open=true,state="it, is=\\"on\\"",v=-1.5e2 1735689600\n'
        "my\\ room\\,2,a\\=b=c\\ d v=3u 1735689660\n"
        "my\\ room\\,2,a\\=b=c\\ d open=F,v=.5 1735689720\n"
    )
    (series,) = read(tmp_path / "x.lp", text)
    assert (series.name, series.channels) == ("a=b=c d", ("open", "v"))
    np.testing.assert_array_equal(series.values, [[1, -150], [np.nan, 3], [0, 0.5]])
    assert first_time(series) == "2025-01-01T00:00:00" and "times are read as unix_s" in series.notes
    (named,) = read(tmp_path / "x.lp", text, categorical=("state",))
    assert named.category_levels == (('it, is="on"',),)


def test_fields_may_be_called_as_the_columns_of_long_tables(tmp_path: Path) -> None:
    lines = [f"m,series=b time={row}.5,series={row}i {1735689600 + 60 * row}000000000\n" for row in range(5)]
    (series,) = read(tmp_path / "x.lp", "".join(lines))
    assert (series.name, series.channels, str(series.frequency)) == ("series=b", ("time", "series"), "1min")
    np.testing.assert_array_equal(series.values[3], [3.5, 3])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("power load=1", "line 2: has no time"),
        ("power load=1,5 1735689660000000000", "line 2: 'power load=1,5 1735689660000000000' is no line of"),
        ("power load=abc 1735689660000000000", "line 2: 'abc' is no number, boolean or quoted text"),
        ('power load="1" 1735689660000000000', "line 2: field 'load' is '1', a text"),
        ("power load=1 99999999999999999999", "line 2: has no time, or one of too many digits"),
        ("po\x00er load=1 1735689660000000000", r"choose one with --data\.table: power, po\\x00er"),
        ("other load=1 1735689660000000000", "holds 2 measurements; choose one with --data.table: power, other"),
    ],
)
def test_wrong_lines_of_the_protocol(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read(tmp_path / "x.lp", f"power load=1 1735689600000000000\n{line}\n")


def answer(kind: str, *results: Any) -> str:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": results}})


def test_an_answer_of_prometheus(tmp_path: Path) -> None:
    def result(instance: str) -> dict[str, Any]:
        pairs = [[1435781430.781 + 15 * row, "NaN" if row == 3 else str(row / 4)] for row in range(20)]
        return {"metric": {"__name__": "up", "job": "node", "instance": instance}, "values": pairs}

    found = read(tmp_path / "x.json", answer("matrix", result("a:9090"), result("b:9090")))
    assert [series.name for series in found] == [f'up{{job="node",instance="{name}:9090"}}' for name in "ab"]
    assert (found[0].channels, str(found[0].frequency)) == (("value",), "15s")
    assert found[0].times is not None and str(found[0].times[0]) == "2015-07-01T20:10:30.781000000"
    expected = np.arange(20) / 4
    expected[3] = np.nan
    np.testing.assert_array_equal(found[1].values[:, 0], expected)
    by_job = read(tmp_path / "x.json", answer("matrix", result("a:9090")), static=("job",))
    assert by_job[0].static_texts == ("node",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (answer("vector", {"metric": {}, "value": [1, "2"]}), "of the type 'vector', not of a range query; ask for"),
        (answer("matrix", {"metric": {}, "values": [[1, "2"], [2, "x"]]}), r"result 1, value 2: \[2, 'x'\] is no pair"),
        (
            answer("matrix", {"metric": {}, "values": [[1, "2"], [2, "+Inf"]]}),
            "result 1, value 2, column 'value': the num",
        ),
        (answer("matrix"), "holds no series"),
    ],
)
def test_wrong_answers_of_prometheus(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read(tmp_path / "x.json", text)


TSF = """# a comment
@relation test
@attribute series_name string
@attribute state string
@attribute start_timestamp date
@frequency {frequency}
@horizon 8
@missing true
@equallength false
@data
T1:NSW:1979-01-31 00-00-00:1,2.5,?,4
T2:VIC:1980-01-31 00-00-00:5,6,7,8,9
"""


def test_the_archive_of_monash(tmp_path: Path) -> None:
    one, other = read(tmp_path / "m4.tsf", TSF.format(frequency="monthly"), static=("state",))
    assert (one.name, other.name, str(one.frequency)) == ("T1", "T2", "1me")
    np.testing.assert_array_equal(one.values[:, 0], [1, 2.5, np.nan, 4])
    assert one.times is not None and [str(time)[:10] for time in one.times][:3] == [
        "1979-01-31",
        "1979-02-28",
        "1979-03-31",
    ]
    assert (one.static_texts, other.static_texts, len(other)) == (("NSW",), ("VIC",), 5)
    assert any("--model.horizon_steps 8" in note for note in one.notes)
    half_hourly, _ = read(tmp_path / "x.tsf", TSF.format(frequency="half_hourly"))
    assert str(half_hourly.frequency) == "30min"
    steps, _ = read(tmp_path / "x.tsf", TSF.replace("@frequency {frequency}\n", ""), time="none")
    assert steps.times is None and len(steps) == 4


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("2.5", "2.5.6", r"line 11: '2\.5\.6' is no number"),
        ("T2:VIC", "T2", "line 12: 2 attributes, but the head names 3"),
        ("1980-01-31", "1980-13-31", "line 12: '1980-13-31 00-00-00' is no time"),
        ("monthly", "sometimes", "@frequency: 'sometimes' is no frequency"),
        ("@frequency monthly\n", "", "names no @frequency; give --data.frequency"),
        ("1979-01-31", "2261-11-30", "line 11: 4 rows 1mo apart from 2261-11-30 00:00:00 leave the years 1678 to 2261"),
    ],
)
def test_wrong_files_of_monash(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read(tmp_path / "x.tsf", TSF.format(frequency="monthly").replace(old, new))


def test_the_files_of_m4(tmp_path: Path) -> None:
    text = '"V1","V2","V3","V4"\n"H1",605,586.5,NA\n"H2",1,NA,3\n'
    one, other = read(tmp_path / "Hourly-train.csv", text)
    assert (one.name, other.name, one.times, one.channels) == ("H1", "H2", None, ("value",))
    np.testing.assert_array_equal(one.values[:, 0], [605, 586.5])
    np.testing.assert_array_equal(other.values[:, 0], [1, np.nan, 3])
    with pytest.raises(DataError, match="line 3, value 2: 'x' is no number"):
        read(tmp_path / "x.csv", text.replace("1,NA", "1,x"))
    (plain,) = read(tmp_path / "x.csv", "V1,V2,V3\n1,2,3\n4,5,6\n7,8,9\n")
    assert plain.channels == ("V1", "V2", "V3"), "as R calls columns without names"


def test_the_archives_of_ucr_and_uea(tmp_path: Path) -> None:
    head = "@problemName Walk\n@timeStamps {}\n@univariate false\n@classLabel true a b\n@data\n"
    one, other = read(tmp_path / "x.ts", head.format("false") + "1,2,?:4,5,6:a\n7,8,9:10,11,12:b\n")
    np.testing.assert_array_equal(one.values, [[1, 4], [2, 5], [np.nan, 6]])
    assert (one.name, other.name, one.channels, one.times) == ("1", "2", ("dim_0", "dim_1"), None)
    stamped = "(2020-01-01 00:00:00,1),(2020-01-01 01:00:00,2),(2020-01-01 02:00:00,?):a\n"
    (timed,) = read(tmp_path / "x.ts", head.format("true") + stamped, static=("class",))
    assert (str(timed.frequency), first_time(timed), timed.static_texts) == ("1h", "2020-01-01T00:00:00", ("a",))
    np.testing.assert_array_equal(timed.values[:, 0], [1, 2, np.nan])
    for wrong, told in (
        ("1,2:3:a", "line 6: its dimensions have 1 to 2 values"),
        ("1,x:3,4:a", "line 6: 'x' is no number"),
    ):
        with pytest.raises(DataError, match=told):
            read(tmp_path / "x.ts", f"{head.format('false')}{wrong}\n")


@pytest.mark.parametrize("name", ["Walk_TRAIN.tsv", "walk.txt"])
def test_cases_of_ucr_without_a_header(tmp_path: Path, name: str) -> None:
    values = np.random.default_rng(0).normal(size=(4, 10)).round(4)
    rows = ["\t".join([label, *map(str, row)]) for label, row in zip("1121", values, strict=True)]
    rows[2] = "\t".join([*rows[2].split("\t")[:8], "NaN", "NaN", "NaN"])
    found = read(tmp_path / name, "\n".join(rows) + "\n", static=("class",))
    assert [(one.name, one.static_texts, len(one)) for one in found] == [
        ("1", ("1",), 10),
        ("2", ("1",), 10),
        ("3", ("2",), 7),
        ("4", ("1",), 10),
    ]
    np.testing.assert_array_equal(found[3].values[:, 0], values[3])
    assert any("read as cases of the UCR archive" in note for note in found[0].notes)
    (tmp_path / name).write_text("1\t2\n1\tx\n")
    with pytest.raises(DataError, match="line 2: 'x' is no number"):
        UcrReader().read(tmp_path / name, TableOptions())


@pytest.mark.parametrize(
    "begin", ["a\tb\n1\t2\n", "1\t2\n3\t4\n", "1.5\t" + "2\t" * 9 + "3\n", "2024-01-01\t" + "2\t" * 9]
)
def test_other_tables_with_tabs_are_no_cases_of_ucr(begin: str) -> None:
    assert UcrReader().recognises((begin + "\n").encode() * 4) is False


def gluon(**more: Any) -> str:
    return json.dumps({"start": "2024-01-01 00:00", "target": [1, None, 2.5, "NaN"], "item_id": "a", **more}) + "\n"


def test_data_sets_of_gluonts(tmp_path: Path) -> None:
    text = gluon(freq="H") + gluon(item_id="b", start="2024-01-02T00:00:00", freq="1h", feat_static_cat=[3])
    one, other = read(tmp_path / "data.json", text)
    assert (one.name, other.name, one.channels, str(one.frequency)) == ("a", "b", ("target",), "1h")
    np.testing.assert_array_equal(one.values[:, 0], [1, np.nan, 2.5, np.nan])
    assert first_time(other) == "2024-01-02T00:00:00"
    (known,) = read(
        tmp_path / "data.json",
        gluon(feat_dynamic_real=[[1, 2, 3, 4, 5]]),
        frequency="1d",
        known=("feat_dynamic_real_0",),
    )
    np.testing.assert_array_equal(known.known[:, 0], [1, 2, 3, 4])
    (wide,) = read(tmp_path / "data.json", gluon(target=[[1, 2], [3, 4]], freq="D"))
    np.testing.assert_array_equal(wide.values, [[1, 3], [2, 4]])


def test_the_frequency_of_a_data_set_stands_beside_it(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match=r"line 1: nothing says how far .* give --data\.frequency, such as 1h"):
        read(tmp_path / "train" / "data.json", gluon())
    (tmp_path / "metadata.json").write_text('{"freq": "15T"}')
    (series,) = read(tmp_path / "train" / "data.json", gluon())
    assert str(series.frequency) == "15min"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (gluon(freq="H", start="soon"), "line 1: 'soon' is no time"),
        (gluon(freq="H", start="01/02/2024"), "line 1: '01/02/2024' is no time; write it as 2024-06-30 14:00"),
        (gluon(freq="H", target=[1, "x"]), "line 1, value 2 of target: 'x' is no number"),
        (gluon(freq="H") + gluon(freq="H", target={}), "line 2: target is no list of numbers"),
        (gluon(freq="H") + '{"start": ', "line 2, column 11: is no JSON"),
        (gluon(freq="H") + '{"start": 1, "start": 2}', "line 2: the key 'start' occurs twice"),
    ],
)
def test_wrong_data_sets_of_gluonts(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read(tmp_path / "x.jsonl", text)


@pytest.mark.parametrize(
    "text",
    [
        '"Time","server 1"\n2024-01-01 00:00:00,1.5\n2024-01-01 00:01:00,\n2024-01-01 00:02:00,2.5\n',
        "sep=;\nSeries;Time;Value\nserver 1;2024-01-01T00:00:00+00:00;1.5\nserver 1;2024-01-01T00:01:00+00:00;null\n"
        "server 1;2024-01-01T00:02:00+00:00;2.5\n",
        '"Time","server 1"\n1704067200000,1.5 %\n1704067260000,undefined\n1704067320000,2.5 %\n',
    ],
)
def test_exports_of_grafana(tmp_path: Path, text: str) -> None:
    (series,) = read(tmp_path / "grafana.csv", text)
    assert (str(series.frequency), first_time(series)) == ("1min", "2024-01-01T00:00:00")
    np.testing.assert_array_equal(series.values[:, 0], [1.5, np.nan, 2.5])
