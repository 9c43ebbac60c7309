"""Sounds that are heard and films that are looked at, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest

from tests.playground.browser.conftest import Open
from tests.playground.browser.pages import says

pytestmark = pytest.mark.browser


def test_a_sound_is_heard_and_recorded(open_page: Open) -> None:
    page = open_page("speech_recognition")
    page.get_by_role("button", name="A number").click()
    says(page, r"^1\.9 s of sound, \d+ words")
    assert page.get_by_role("img", name="Spectrogram of 1.9 s").count() == 1
    with page.expect_download() as download:
        page.get_by_role("button", name="Download subtitles").click()
    assert download.value.suggested_filename == "transcript.srt"
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Stop and listen").click()
    says(page, r"s of sound, \d+ words")


def test_subtitles_and_the_transform(open_page: Open) -> None:
    page = open_page("speech_recognition")
    words = [{"word": "one", "from": 0.5, "to": 1}, {"word": "two", "from": 3661.25, "to": 3662}]
    lines = page.evaluate('async (words) => (await import("/ui/tabs/speech_recognition/tab.js")).srt(words)', words)
    assert lines == "1\n00:00:00,500 --> 01:01:02,000\none two\n"
    values = [1.0, 2.0, -1.0, 0.5, 0.0, 3.0, 1.0, -2.0]
    script = """async (values) => {
        const { transform } = await import("/ui/tabs/speech_recognition/sound.js");
        const [real, imaginary] = [Float64Array.from(values), new Float64Array(values.length)];
        transform(real, imaginary);
        return [Array.from(real), Array.from(imaginary)];
    }"""
    real, imaginary = page.evaluate(script, values)
    expected = np.fft.fft(values)
    assert real == pytest.approx(expected.real.tolist()) and imaginary == pytest.approx(expected.imag.tolist())


def test_a_clip_and_the_camera_are_looked_at(open_page: Open) -> None:
    page = open_page("video_recognition")
    for clip, frames in (("A figure, throwing", r"24"), ("Stored clip 1", r"\d")):
        page.get_by_role("button", name=clip).click()
        says(page, rf"^{frames} frames, 10 a second")
        lines = page.get_by_role("img", name="Probabilities over time").locator("path")
        assert lines.count() == 4 and "L" in str(lines.first.get_attribute("d"))
    page.get_by_role("button", name="Watch the camera").click()
    says(page, "^Watching")
    page.get_by_role("button", name="Stop the camera").click()
    says(page, "^Stopped")
