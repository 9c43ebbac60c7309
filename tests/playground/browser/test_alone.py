"""A page of one file, opened from the disk: text, music and sensors, with no server."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.playground.browser.pages import new_page, number, says

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[3]
RUNTIME = Path(os.environ.get("ONNXRUNTIME_WEB", ROOT / "build" / "web" / "node_modules" / "onnxruntime-web" / "dist"))
MODELS = {"text": "text_generation", "music_chorales": "music_generation", "machine_faults": "anomaly_detection"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models, each as a folder of versions, and the page."""
    if not RUNTIME.is_dir():
        pytest.skip(f"no onnxruntime-web in {RUNTIME}: make build/web/.installed")
    for package in ("tf2onnx", "onnxruntime", "rnnapps_models"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    folder = tmp_path_factory.mktemp("alone")
    for name, pipeline in MODELS.items():
        words = [pipeline, "export", "--run", f"zoo:{name}", "--to", str(folder / name), "--portable", "onnx"]
        subprocess.run([sys.executable, "-m", "rnnapps", *words], check=True)
    models = [str(folder / name) for name in MODELS]
    words = ["page", *models, "--runtime", str(RUNTIME), "--to", str(folder / "page.html")]
    subprocess.run([sys.executable, "-m", "rnnapps", *words], check=True)
    return folder


@pytest.fixture
def page(browser: Any, folder: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page at a model's tab; at the end nothing was asked of anybody, and the console is empty."""
    told: list[str] = []
    place = (folder / "page.html").as_uri()
    page = new_page(browser, told, place)
    page.set_default_timeout(60_000)
    page.goto(f"{place}#{request.param}")
    page.wait_for_selector(f"#panel-{request.param}[data-ready]")
    yield page
    page.context.close()
    assert not told


@pytest.mark.parametrize("page", ["text"], indirect=True)
def test_greedy_text_is_that_of_the_model(page: Any, folder: Path) -> None:
    from rnnapps.export.inference import load_for_inference

    number(page, "Characters", "40")
    number(page, "Temperature", "0")
    page.get_by_role("button", name="Write", exact=True).click()
    says(page, "40 characters in", seconds=60)
    request = {"prompt": ["The "], "steps": [40], "temperature": [0], "top_k": [0], "top_p": [1], "stop": [""]}
    answer = load_for_inference(folder / "text").run("serving_default", {**request, "seed": [0]})
    assert page.locator(".written span").nth(1).text_content() == answer["text"][0].decode()
    assert page.locator(".bars button").count() == 5


@pytest.mark.parametrize("page", ["machine_faults"], indirect=True)
def test_sensors_are_judged_as_by_the_export(page: Any, folder: Path) -> None:
    import pandas as pd

    from rnnapps.export.inference import load_for_inference

    page.get_by_role("button", name="A machine with a spike").click()
    says(page, "^360 rows, [1-9]", seconds=60)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the judgement").click()
    judged = pd.read_csv(download.value.path())
    table = pd.read_csv(ROOT / "rnnapps" / "tasks" / "anomaly_detection" / "playground" / "machine.csv")
    rows = table.drop(columns="time").to_numpy(np.float64)[None]
    answer = load_for_inference(folder / "machine_faults").run("serving_default", {"rows": rows, "lengths": [360]})
    np.testing.assert_allclose(judged["score"], answer["score"][0], rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(judged["flag"], answer["flag"][0])


@pytest.mark.parametrize("page", ["music_chorales"], indirect=True)
def test_music_goes_on_from_a_primer_the_same_for_the_same_seed(page: Any) -> None:
    number(page, "steps", "24")
    rolls = []
    for seed in ("3", "3", "4"):
        number(page, "seed", seed)
        page.get_by_role("button", name="A cadence", exact=True).click()
        says(page, "^24 steps written, [1-9]", seconds=60)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download MIDI").click()
        rolls.append(Path(download.value.path()).read_bytes())
        page.locator(".status:visible").first.evaluate("line => { line.textContent = '' }")
    assert rolls[0] == rolls[1] != rolls[2] and rolls[0][:4] == b"MThd"
