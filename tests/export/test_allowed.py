"""The lists of operations: ours hold what our exports use and nothing that could harm; TensorFlow's hold facts."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from rnnapps.export.allowed import FILE_OPERATIONS, added_attributes, core, pure, used
from rnnapps.export.graph import operations_of, read_saved_model
from tests.golden.archives import earlier_operations

PIPELINES = (
    *("anomaly_detection", "forecasting", "music_generation", "speech_recognition"),
    *("text_generation", "translation", "video_recognition"),
)
HARMFUL = (
    *(
        "WriteFile",
        "ReadFile",
        "MatchingFiles",
        "PrintV2",
        "Print",
        "PyFunc",
        "EagerPyFunc",
        "PyFuncStateless",
        "SaveSlices",
    ),
    *(
        "InitializeTableFromTextFileV2",
        "ImmutableConst",
        "GenerateVocabRemapping",
        "LoadAndRemapMatrix",
        "DebugIdentityV3",
    ),
    *(
        "DecodeProtoV2",
        "EncodeProto",
        "CacheDataset",
        "SnapshotDatasetV2",
        "TFRecordDataset",
        "RemoteCall",
        "XlaLaunch",
    ),
    *("RpcCall", "TextLineReaderV2", "WriteSummary", "CollectiveReduceV2", "SymbolicGradient", "_Send", "MapDefun"),
)


def test_nothing_harmful_is_allowed() -> None:
    assert not set(HARMFUL) & (pure() | used())
    stateful = used() - pure()
    assert {name for name in stateful if name in core()} == stateful, "only operations of TensorFlow"
    assert stateful >= FILE_OPERATIONS


def test_every_operation_of_ours_is_on_the_oldest_server() -> None:
    assert {core()[name].since for name in used()} == {"2.19"}


def test_versions_of_operations() -> None:
    """By the release notes of TensorFlow 2.20 and 2.21."""
    assert core()["DecodeWebP"].since == "2.20"
    assert core()["DecodeJxl"].since == "2.21"
    assert added_attributes()["TensorListGetItem", "Tshape"] == "2.21"


def test_an_export_made_anyway(exported: Path) -> None:
    assert operations_of(read_saved_model(exported)) <= used()


def test_exports_of_earlier_versions_pass(tmp_path: Path) -> None:
    assert not earlier_operations(tmp_path) - used()


@pytest.mark.slow
@pytest.mark.parametrize("task", PIPELINES)
def test_every_pipeline_in_all_its_variants(task: str, tmp_path: Path) -> None:
    from tests.export.traced import traced

    for found in traced(task, tmp_path):
        assert not found - used()


@pytest.mark.slow
def test_every_cell(tmp_path: Path) -> None:
    from tests.export.traced import cells_and_saving

    assert not cells_and_saving(tmp_path) - used()


def test_every_pipeline_is_traced() -> None:
    entries = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert set(PIPELINES) == set(entries["project"]["entry-points"]["rnnapps.pipelines"])
