"""A server of exports and a browser that looks at its pages: Chromium as Debian has it, or another that is named."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnapps.zoo import catalogue, unpack_into
from tests.playground.browser.pages import new_page

PIPELINES = (
    "anomaly_detection",
    "forecasting",
    "music_generation",
    "speech_recognition",
    "text_generation",
    "translation",
    "video_recognition",
)
PHONE = {"width": 390, "height": 844}

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of exports by the names of their pipelines: PLAYGROUND_MODELS, or the trained models."""
    if given := os.environ.get("PLAYGROUND_MODELS"):
        return Path(given)
    folder = tmp_path_factory.mktemp("playground")
    for model in catalogue().values():
        unpack_into(model, folder / model.pipeline)
    return folder


@pytest.fixture(scope="session")
def address(exports: Path) -> Iterator[str]:
    """Where `rnnapps serve --ui` listens."""
    command = [sys.executable, "-m", "rnnapps", "serve", str(exports), "--ui", "--port", "0", "--grpc_port", "-1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            lines = iter(server.stdout.readline, "")
            pages = next(found[1] for line in lines if (found := re.match(r"playground: (\S+)/ui/", line)))
            assert any(line.startswith("serving ") for line in lines), "no model is loaded"
            yield pages
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    arguments = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to run as root with it
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Open]:
    """Opens the page of a model; at the end nobody else was asked, and the console is empty."""
    told: list[str] = []
    pages = []

    def opened(model: str, **options: Any) -> Any:
        page = new_page(browser, told, f"{address}/", **options)
        pages.append(page)
        page.goto(f"{address}/ui/#{model}")
        page.wait_for_selector(f"#panel-{model}[data-ready]")
        return page

    yield opened
    for page in pages:
        page.context.close()
    assert not told
