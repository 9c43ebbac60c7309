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

PIPELINES = (
    "anomaly_detection",
    "forecasting",
    "music_generation",
    "speech_recognition",
    "text_generation",
    "translation",
    "video_recognition",
)
STEPS = ("--training.steps", "2", "--training.evaluate_every", "2", "--training.tensorboard", "false")
PHONE = {"width": 390, "height": 844}

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of exports: PLAYGROUND_MODELS, or models that were trained for two steps."""
    if given := os.environ.get("PLAYGROUND_MODELS"):
        return Path(given)
    folder = tmp_path_factory.mktemp("playground")
    for pipeline in PIPELINES:
        run = str(folder / "runs" / pipeline)
        command = [sys.executable, "-m", "rnnapps", pipeline]
        subprocess.run([*command, "train", "--config", "demo", "--run", run, *STEPS], check=True)
        subprocess.run([*command, "export", "--run", run, "--to", str(folder / "models" / pipeline)], check=True)
    return folder / "models"


@pytest.fixture(scope="session")
def address(exports: Path) -> Iterator[str]:
    """Where `rnnapps serve --ui` listens."""
    command = [sys.executable, "-m", "rnnapps", "serve", str(exports), "--ui", "--port", "0", "--grpc_port", "-1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            lines = iter(server.stdout.readline, "")
            yield next(found[1] for line in lines if (found := re.match(r"playground: (\S+)/ui/", line)))
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
    contexts = []

    def opened(model: str, **options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: told.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        page.on("request", lambda request: told.append(request.url) if _is_foreign(request.url, address) else None)
        page.goto(f"{address}/ui/#{model}")
        page.wait_for_selector(f"#panel-{model}[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not told


def _is_foreign(url: str, address: str) -> bool:
    return not url.startswith((f"{address}/", "blob:", "data:"))
