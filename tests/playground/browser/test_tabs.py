"""Each tab from the first click to the answer, in a real browser."""

from __future__ import annotations

import io
import math
import re
from typing import Any

import mido
import numpy as np
import pytest

from tests.playground.browser.conftest import PHONE, PIPELINES, Open

pytestmark = pytest.mark.browser


def says(page: Any, text: str) -> None:
    from playwright.sync_api import expect

    expect(page.locator(".status:visible").first).to_contain_text(re.compile(text), timeout=30_000)


def number(page: Any, label: str, value: str) -> None:
    page.get_by_label(label, exact=True).fill(value)


def test_text_is_written_and_goes_on_with_a_likely_character(open_page: Open) -> None:
    page = open_page("text_generation")
    number(page, "Characters", "20")
    page.get_by_label("Prompt", exact=True).fill("The ")
    page.keyboard.press("Control+Enter")
    says(page, r"20 characters in")
    text = page.locator(".written").inner_text()
    assert text.startswith("The ") and len(text) >= 20
    likely = page.locator(".bars button")
    assert likely.count() == 5
    assert page.locator(".bars .number").first.inner_text().endswith("%")
    before = page.get_by_label("Prompt", exact=True).input_value()
    likely.first.click()
    assert len(page.get_by_label("Prompt", exact=True).input_value()) == len(before) + 20


def test_the_same_seed_writes_the_same_and_greedy_is_that_of_the_model(open_page: Open) -> None:
    page = open_page("text_generation")
    number(page, "Characters", "12")
    texts = []
    for temperature, seed in (("1", "5"), ("1", "5"), ("0", "5")):
        number(page, "Temperature", temperature)
        number(page, "Seed", seed)
        page.get_by_role("button", name="Write", exact=True).click()
        says(page, "12 characters in")
        texts.append(page.locator(".written span").nth(1).text_content())
        page.locator(".status:visible").first.evaluate("line => { line.textContent = '' }")
    assert texts[0] == texts[1]
    request = {"prompt": ["The "], "steps": [12], "temperature": [0.0], "top_k": [0], "top_p": [1.0], "stop": [""]}
    body = {"signature_name": "serving_default", "inputs": {**request, "seed": [0]}}
    answer = page.request.post(page.url.split("/ui/")[0] + "/v1/models/text_generation:predict", data=body)
    assert texts[2] == answer.json()["outputs"]["text"][0]


def test_what_cannot_be_is_refused_in_the_words_of_the_server(open_page: Open) -> None:
    page = open_page("text_generation")
    number(page, "Top p", "2")
    page.get_by_role("button", name="Write", exact=True).click()
    says(page, "^top_p must be from 0 to 1$")


def test_rules_of_drawing(open_page: Open) -> None:
    """Of logits whose probabilities are 1/2, 1/3 and 1/6; id 0 is never drawn."""
    page = open_page("text_generation")
    logits = [9.0, math.log(3), math.log(2), 0.0]
    script = """async ([logits, rules, numbers]) => {
        const { drawn, probabilities } = await import("/ui/tabs/text_generation/drawing.js");
        return [probabilities(logits, 1), numbers.map((number) => drawn(logits, rules, () => number))];
    }"""
    everything = {"temperature": 1, "top_k": 0, "top_p": 1}
    found, ids = page.evaluate(script, [logits, everything, [0.0, 0.49, 0.51, 0.83, 0.84, 0.999]])
    assert found == pytest.approx([0, 1 / 2, 1 / 3, 1 / 6])
    assert ids == [1, 1, 2, 2, 3, 3]
    assert page.evaluate(script, [logits, {**everything, "top_k": 2}, [0.59, 0.61, 0.99]])[1] == [1, 2, 2]
    assert page.evaluate(script, [logits, {**everything, "top_p": 0.5}, [0.99]])[1] == [1]
    assert page.evaluate(script, [logits, {**everything, "temperature": 0}, [0.99]])[1] == [1]
    colder = page.evaluate(script, [logits, {**everything, "temperature": 0.5}, [0.642, 0.644]])[1]
    assert colder == [1, 2], "squares of 3, 2 and 1 share 14: 9 of them are .643"


def test_a_table_is_judged(open_page: Open) -> None:
    page = open_page("anomaly_detection")
    page.get_by_role("button", name="A machine").click()
    says(page, r"^360 rows, \d+ of them flagged, in \d+ events?\.$")
    assert page.get_by_role("img", name="Anomaly score").locator("path").count() == 2
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the judgement").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 361 and lines[0].startswith("row,score,threshold,flag,silent,share of load")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("load,speed\n1,2\n", "^Columns current, temperature, .* are missing; found load, speed"),
        ("a;b\n", "are missing"),
        ("", "^There are no rows"),
        ("1,2,3\n", "^The first line names no columns, and has 3 numbers where 8 are expected"),
    ],
)
def test_a_table_that_does_not_fit_is_told(open_page: Open, text: str, told: str) -> None:
    page = open_page("anomaly_detection")
    page.get_by_label("Rows of sensors").fill(text)
    page.get_by_role("button", name="Judge the rows").click()
    says(page, told)


def test_a_table_is_forecast(open_page: Open) -> None:
    page = open_page("forecasting")
    page.get_by_role("button", name="Sunspots").click()
    says(page, "^Forecast of 12 rows from 150 rows of the past")
    plot = page.get_by_role("img", name="value")
    assert plot.locator("path").count() == 2 and plot.locator("polygon").count() == 2
    page.get_by_text("Numbers", exact=True).click()
    assert page.get_by_role("row").count() == 13


def test_too_short_a_past_is_refused_by_the_model(open_page: Open) -> None:
    page = open_page("forecasting")
    page.get_by_label("Rows of the past").fill("value\n1\n2\n")
    page.get_by_role("button", name="Forecast", exact=True).click()
    says(page, "^lengths must be from 48 to 100,000")


def test_a_sentence_is_translated(open_page: Open) -> None:
    page = open_page("translation")
    page.get_by_label("Sentence", exact=True).fill("Mar 28")
    page.get_by_role("button", name="Translate").click()
    says(page, "^Log-probability")
    rows = page.locator("table.attention tbody tr")
    assert rows.count() == page.locator(".bars .number").count()
    shares = [float(cell) for cell in rows.first.locator(".hidden-text").all_text_contents()]
    assert sum(shares) == pytest.approx(1, abs=0.02), "a piece looks somewhere with all of its attention"


def test_a_primer_is_played_and_continued(open_page: Open) -> None:
    page = open_page("music_generation")
    page.get_by_role("button", name="C4", exact=True).click()
    page.keyboard.press("d")
    assert page.get_by_role("img", name="The primer: 2 notes in 1.0 beats").count() == 1
    number(page, "steps", "8")
    page.get_by_role("button", name="Continue").click()
    says(page, r"^8 steps written, \d+ notes in all")
    page.get_by_role("button", name="Play", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download MIDI").click()
    assert download.value.path().read_bytes().startswith(b"MThd")


def test_a_midi_file_is_written_and_read_alike(open_page: Open) -> None:
    page = open_page("music_generation")
    notes = [{"key": 60, "from": 0, "to": 1}, {"key": 64, "from": 0.5, "to": 40}]
    script = """async (notes) => {
        const { midiOf, notesOf } = await import("/ui/tabs/music_generation/midi.js");
        return [notesOf(midiOf(notes)), Array.from(midiOf(notes))];
    }"""
    again, content = page.evaluate(script, notes)
    assert again == notes
    file = mido.MidiFile(file=io.BytesIO(bytes(content)))
    times = [(message.type, message.note, message.time) for message in file.tracks[0] if not message.is_meta]
    assert times == [("note_on", 60, 0), ("note_on", 64, 240), ("note_off", 60, 240), ("note_off", 64, 18_720)]


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
    page.get_by_role("button", name="Stored clip 1").click()
    says(page, r"^\d+ frames, 10 a second")
    assert page.get_by_role("img", name="Probabilities over time").locator("path").count() == 4
    page.get_by_role("button", name="Watch the camera").click()
    says(page, "^Watching")
    page.get_by_role("button", name="Stop the camera").click()
    says(page, "^Stopped")


def test_any_signature_has_a_form_and_its_states_go_on(open_page: Open) -> None:
    page = open_page("forecasting")
    page.get_by_text("Every signature, as a form").click()
    page.get_by_label("Signature", exact=True).select_option("step")
    form = page.locator("form")
    form.get_by_role("button", name="1", exact=True).click()
    answers = []
    for _ in range(2):
        form.get_by_role("button", name="Ask the model").click()
        form.get_by_text("Answered.").wait_for()
        answers.append(form.locator("tbody").inner_text())
        form.locator(".status").evaluate("line => { line.textContent = '' }")
    assert "mean" in answers[0] and answers[0] != answers[1]


def test_tabs_are_walked_by_the_arrow_keys(open_page: Open) -> None:
    page = open_page("anomaly_detection")
    page.get_by_role("tab", name="anomaly detection").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#panel-forecasting[data-ready]")
    assert page.evaluate("document.activeElement.textContent") == "forecasting"
    assert page.get_by_role("tabpanel").count() == 1 and page.url.endswith("#forecasting")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("model", PIPELINES)
def test_nothing_is_wider_than_a_phone(open_page: Open, model: str, scheme: str) -> None:
    page = open_page(model, viewport=PHONE, color_scheme=scheme)
    page.get_by_role("group", name="Examples").get_by_role("button").first.click()
    page.wait_for_timeout(1_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(246, 247, 249)", "dark": "rgb(18, 22, 29)"}[scheme]
