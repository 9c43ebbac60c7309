"""What leaves of each trained model: every signature that can, in every format whose packages are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import rnnapps
from rnnapps.contract.fitted import Fitted
from rnnapps.portable.formats import FORMATS
from rnnapps.portable.leaving import STEP
from rnnapps.portable.static import StaticGraph
from rnnapps.portable.write import leaving, next_graph

pytest.importorskip("rnnapps_models", reason="the trained models are a package of their own")

LEAVING = {
    "machine_faults": ["tensors", "step"],
    "music_chorales": ["tensors", "step"],
    "speech_digits": ["tensors"],
    "sun_air_sea": ["tensors", "step"],
    "text": ["tensors", "step"],
    "translation_phrases": ["encode", "tensors", "step"],
    "video_figures": ["tensors", "step"],
}
"""The speech model reads both ways, and has no step."""

INSTALLED = [
    name for name, own in FORMATS.items() if all(importlib.util.find_spec(package) is not None for package in own.needs)
]


@pytest.mark.slow
@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("name", sorted(LEAVING))
def test_all_that_can_leave_answers_as_the_model(name: str, form: str, tmp_path: Path) -> None:
    if form not in INSTALLED:
        pytest.skip("its packages are not installed")
    model = rnnapps.load(f"zoo:{name}")
    endpoints = leaving(model.pipeline.portable_endpoints(Fitted(model.config, model.preprocessor, model.network)))
    assert list(endpoints) == LEAVING[name]
    graphs: dict[str, StaticGraph] = {}
    for signature, endpoint in endpoints.items():
        if not FORMATS[form].takes(signature):
            continue
        graphs[signature] = static = next_graph(signature, endpoint, None, graphs)
        assert static.states or signature != STEP
        (tmp_path / signature).mkdir()
        written = FORMATS[form].write(static, tmp_path / signature, "model")
        assert written[0]["difference"] < 1e-5, signature
