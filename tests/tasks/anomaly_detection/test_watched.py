"""Sources of detectors: the simulated machine, tables, events of entities, and folders of arrays."""

from __future__ import annotations

import contextlib
import gzip
import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig
from rnnapps.tasks.anomaly_detection.data.watched import read_watched


def write_table(path: Path, rows: int = 100, *, label: bool = False) -> Path:
    lines = ["time,a,b" + (",fault" if label else "")]
    for row in range(rows):
        lines.append(
            f"2024-01-{1 + row // 24:02}T{row % 24:02}:00,{row},{row % 7}" + (f",{int(row > 95)}" if label else "")
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_machine_is_split_before_its_faults() -> None:
    watched = read_watched(AnomalyDataConfig())
    assert [len(parts) for parts in watched.parts] == [1, 1, 1]
    assert [len(parts[0]) for parts in watched.parts] == [12_000, 3_000, 10_000]
    assert not watched.parts.validation[0].rows().labels.any()
    assert set(watched.parts.test[0].rows().labels.tolist()) == {0, 1, 2, 3, 4, 5}
    assert "synthetic" in watched.source
    assert watched.parts.test[0].rows().values.shape == (10_000, 8)
    assert read_watched(AnomalyDataConfig()).digest() == watched.digest()


def test_the_address_of_a_database_is_no_url_of_files(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    with contextlib.closing(sqlite3.connect(tmp_path / "plant.db")) as connection:
        connection.execute("CREATE TABLE readings (time TEXT, load REAL)")
        rows = [(f"2024-01-{1 + row // 24:02} {row % 24:02}:00", row) for row in range(100)]
        connection.executemany("INSERT INTO readings VALUES (?, ?)", rows)
        connection.commit()
    parts = read_watched(AnomalyDataConfig(source=f"sqlite:///{tmp_path / 'plant.db'}", table="readings")).parts
    assert sum(len(part) for parts_of in parts for part in parts_of) == 100


def test_a_table_is_split_in_time_with_its_labels(tmp_path: Path) -> None:
    path = write_table(tmp_path / "table.csv", label=True)
    parts = read_watched(AnomalyDataConfig(source=str(path), label="fault")).parts
    assert parts.train[0].series.channels == ("a", "b")
    assert [parts.train[0].stop, parts.validation[0].stop, parts.test[0].stop] == [70, 85, 100]
    assert parts.test[0].rows().labels.sum() == 4


def test_other_rows_can_be_the_test(tmp_path: Path) -> None:
    source, test = write_table(tmp_path / "one.csv"), write_table(tmp_path / "two.csv", 30)
    parts = read_watched(AnomalyDataConfig(source=str(source), test=str(test), test_fraction=0.0)).parts
    assert [len(parts.train[0]), len(parts.validation[0]), len(parts.test[0])] == [85, 15, 30]


def test_events_belong_to_entities_and_may_share_a_time(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    rows = [f"{'xy'[row % 2]},2024-01-01T00:{row // 4:02}:00,{row},{int(row % 5 == 0)}" for row in range(100)]
    path.write_text("customer,time,amount,fraud\n" + "\n".join(rows) + "\n")
    config = AnomalyDataConfig(source=str(path), entity="customer", label="fraud", validation_until="2024-01-01T00:20")
    parts = read_watched(config).parts
    assert [part.series.name for part in parts.train] == ["x", "y"]
    assert sum(map(len, parts.train)) + sum(map(len, parts.validation)) + sum(map(len, parts.test)) < 100
    assert max(part.rows().times[-1] for part in parts.validation) < np.datetime64("2024-01-01T00:20")


def test_a_folder_of_arrays_is_a_series_each(tmp_path: Path) -> None:
    for name, width in (("A-1", 2), ("B-1", 3)):
        arrays = {kind: np.arange(20.0 * width).reshape(20, width) for kind in ("train", "test")}
        np.savez(tmp_path / f"{name}.npz", **arrays)
    (tmp_path / "B-1.npz.gz").write_bytes(gzip.compress((tmp_path / "B-1.npz").read_bytes()))
    (tmp_path / "B-1.npz").unlink()
    (tmp_path / "labels.csv").write_text("series,first,last\nB-1,3,5\n")
    config = AnomalyDataConfig(source=str(tmp_path), labels=str(tmp_path / "labels.csv"), targets=("channel_0",))
    parts = read_watched(config).parts
    assert [part.series.name for part in parts.train] == ["A-1", "B-1"]
    assert [(len(part), part.start) for part in parts.validation] == [(3, 17), (3, 17)]
    assert np.isnan(parts.train[0].series.values[:, 2]).all(), "a channel of other files alone is missing"
    assert [int(part.rows().labels.sum()) for part in parts.test] == [0, 3]


def test_the_folders_of_telemanom(tmp_path: Path) -> None:
    for kind, rows in (("train", 40), ("test", 30)):
        (tmp_path / kind).mkdir()
        for number, name in enumerate(("P-1", "S-1")):
            np.save(tmp_path / kind / f"{name}.npy", np.arange(2.0 * rows).reshape(rows, 2) + number)
    labels = tmp_path / "labeled_anomalies.csv"
    labels.write_text(
        'chan_id,spacecraft,anomaly_sequences,class,num_values\nS-1,SMAP,"[[3, 5], [20, 20]]",[point],30\n'
    )
    parts = read_watched(AnomalyDataConfig(source=str(tmp_path), labels=str(labels))).parts
    assert [part.series.name for part in parts.train] == ["P-1", "S-1"] and [len(part) for part in parts.test] == [
        30,
        30,
    ]
    np.testing.assert_array_equal(parts.test[1].rows().values[0], [1, 2])
    assert np.flatnonzero(parts.test[1].rows().labels).tolist() == [3, 4, 5, 20]
    (tmp_path / "train" / "S-1.npy").write_bytes(b"none")
    with pytest.raises(DataError, match=r"S-1\.npy: is no \.npy file of plain arrays"):
        read_watched(AnomalyDataConfig(source=str(tmp_path), on_bad="refuse"))


def test_the_folders_of_numenta(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "realKnownCause"
    folder.mkdir(parents=True)
    minutes = np.datetime64("2014-07-01T00:00:00") + 1800 * np.arange(60)
    rows = [f"{str(time).replace('T', ' ')},{row}" for row, time in enumerate(minutes)]
    (folder / "nyc_taxi.csv").write_text("\n".join(["timestamp,value", *rows]))
    windows = {"realKnownCause/nyc_taxi.csv": [["2014-07-01 05:00:00.000000", "2014-07-01 06:30:00.000000"]]}
    (tmp_path / "combined_windows.json").write_text(json.dumps(windows))
    config = AnomalyDataConfig(source=str(folder.parent), labels=str(tmp_path / "combined_windows.json"))
    (part,) = read_watched(config).parts.train
    assert part.series.labels is not None and np.flatnonzero(part.series.labels).tolist() == [10, 11, 12, 13]


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"test": np.zeros((3, 2))}, "has no array `train`"),
        ({"train": np.zeros(3)}, "array train is float64 (3,); expected numbers (rows, channels)"),
        ({"train": np.array([["a"]])}, "expected numbers"),
        ({"train": np.array([[None]], object)}, "is no .npz file of plain arrays"),
    ],
)
def test_bad_arrays_are_one_clear_error(arrays: dict[str, np.ndarray], problem: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "A.npz", **arrays)
    with pytest.raises(DataError, match=r"A\.npz") as caught:
        read_watched(AnomalyDataConfig(source=str(tmp_path)))
    assert problem in str(caught.value)


def test_a_damaged_archive_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "A.npz").write_bytes(b"PK\x03\x04 this is no archive")
    with pytest.raises(DataError, match=r"is no \.npz file"):
        read_watched(AnomalyDataConfig(source=str(tmp_path)))


def test_labels_of_no_series_are_an_error(tmp_path: Path) -> None:
    path = write_table(tmp_path / "table.csv")
    (tmp_path / "labels.csv").write_text("series,first,last\nother,1,2\n")
    with pytest.raises(DataError, match="labels no series of"):
        read_watched(AnomalyDataConfig(source=str(path), labels=str(tmp_path / "labels.csv")))


def test_unknown_targets_are_an_error(tmp_path: Path) -> None:
    path = write_table(tmp_path / "table.csv")
    with pytest.raises(DataError, match=r"has no channel 'c' for data\.targets; it has a, b"):
        read_watched(AnomalyDataConfig(source=str(path), targets=("c",)))


@pytest.mark.parametrize(
    "settings",
    [
        {"entity": "a", "series": "b"},
        {"label": "a", "labels": "b.csv"},
        {"targets": ("a",), "channels": ("b",)},
        {"validation_until": "soon"},
        {"scaling": "most"},
    ],
)
def test_contradictions_are_errors(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"data\."):
        AnomalyDataConfig(**settings)
