"""Each tab from the first click to the answer, in a real browser."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from tests.playground.browser.conftest import PHONE, PIPELINES, Open

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[3]


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


GROWING = """async (rows) => {
    const folder = await navigator.storage.getDirectory();
    const file = await folder.getFileHandle("grown.csv", { create: true });
    await (await file.createWritable()).close();
    window.grow = async (text) => {
        const writer = await file.createWritable({ keepExistingData: true });
        await writer.seek((await file.getFile()).size);
        await writer.write(text);
        await writer.close();
    };
    window.showOpenFilePicker = async () => [file];
    await window.grow(rows);
}"""
"""Makes a file of the browser's own, and a dialogue that chooses it: nobody could press that of the system."""


def example(page: Any, name: str) -> list[str]:
    """The lines of an example of the tab that is shown."""
    pipeline = page.url.split("#")[1]
    content = page.request.get(f"{page.url.split('/ui/')[0]}/ui/tabs/{pipeline}/{name}").text()
    return list(content.splitlines(keepends=True))


def test_a_file_is_judged_as_it_grows(open_page: Open) -> None:
    page = open_page("anomaly_detection")
    lines = example(page, "machine.csv")
    page.get_by_role("button", name="A machine").click()
    says(page, "^360 rows")
    whole = page.locator(".status:visible").first.inner_text()
    page.evaluate(GROWING, "".join(lines[:200]) + lines[200][:9])
    page.get_by_text("A table that grows").click()
    page.get_by_role("button", name="Follow a growing file").click()
    says(page, r"^199 rows, .* Following grown\.csv")
    page.evaluate("(text) => window.grow(text)", lines[200][9:] + "".join(lines[201:]))
    says(page, re.escape(whole))
    page.get_by_role("button", name="Stop following").click()
    says(page, r"^Stopped following grown\.csv")


def test_rows_are_added_by_hand_where_the_browser_follows_no_file(open_page: Open) -> None:
    page = open_page("anomaly_detection")
    lines = example(page, "machine.csv")
    page.get_by_role("button", name="A machine").click()
    says(page, "^360 rows")
    whole = page.locator(".status:visible").first.inner_text()
    page.get_by_label("Rows of sensors").fill("".join(lines[:300]))
    page.get_by_role("button", name="Judge the rows").click()
    says(page, "^299 rows")
    page.get_by_text("A table that grows").click()
    for rows in (lines[300:301], [lines[0], *lines[301:]]):
        page.get_by_label("Rows that follow").fill("".join(rows))
        page.get_by_role("button", name="Add the rows").click()
        says(page, f"^{300 if len(rows) == 1 else 360} rows")
    assert page.locator(".status:visible").first.inner_text() == whole


def test_a_file_that_became_shorter_is_told(open_page: Open) -> None:
    page = open_page("anomaly_detection")
    lines = example(page, "machine.csv")
    page.evaluate(GROWING, "".join(lines[:50]))
    page.get_by_text("A table that grows").click()
    page.get_by_role("button", name="Follow a growing file").click()
    says(page, "^49 rows")
    page.evaluate(GROWING, "".join(lines[:5]))
    says(page, r"^grown\.csv has become shorter than it was: follow it anew\.")


def test_a_forecast_follows_a_file(open_page: Open) -> None:
    page = open_page("forecasting")
    lines = example(page, "sunspots.csv")
    page.evaluate(GROWING, "".join(lines[:31]))
    page.get_by_text("A table that grows").click()
    page.get_by_role("button", name="Follow a growing file").click()
    says(page, "^30 rows so far, of 48")
    page.evaluate("(text) => window.grow(text)", "".join(lines[31:101]))
    says(page, "^Forecast of 12 rows from 100 rows of the past")


@pytest.mark.parametrize(
    ("model", "label", "file", "told"),
    [
        ("anomaly_detection", "A file of them", "machine.csv", "^360 rows"),
        ("forecasting", "A file of them", "elnino.csv", "^Forecast of 12 rows"),
        ("speech_recognition", "A sound file", "number.wav", r"^1\.9 s of sound, 3 words"),
        ("video_recognition", "A clip (MP4, WebM or GIF)", "sitting_down.mp4", r"^\d+ frames, 10 a second"),
    ],
)
def test_a_file_is_uploaded(open_page: Open, model: str, label: str, file: str, told: str) -> None:
    page = open_page(model)
    page.get_by_label(label).set_input_files(ROOT / "rnnapps" / "tasks" / model / "playground" / file)
    says(page, told)


def test_a_midi_file_is_uploaded_and_a_text_is_none(open_page: Open, tmp_path: Path) -> None:
    page = open_page("music_generation")
    file = mido.MidiFile(tracks=[[mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=480)]])
    file.save(tmp_path / "one.mid")
    page.get_by_label("A primer (MIDI file)").set_input_files(tmp_path / "one.mid")
    says(page, r"^1 notes in one\.mid")
    (tmp_path / "no.mid").write_text("no music")
    page.get_by_label("A primer (MIDI file)").set_input_files(tmp_path / "no.mid")
    says(page, r"^This is no Standard MIDI File")


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
    page.get_by_role("button", name="G4", exact=True).press("Enter")
    assert page.get_by_role("img", name="The primer: 3 notes in 1.5 beats").count() == 1
    number(page, "steps", "8")
    page.get_by_role("button", name="Continue").click()
    says(page, r"^8 steps written, \d+ notes in all")
    page.get_by_role("button", name="Play", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download MIDI").click()
    assert download.value.path().read_bytes().startswith(b"MThd")


def test_keys_that_are_held_together_are_a_chord(open_page: Open) -> None:
    page = open_page("music_generation")
    page.get_by_role("button", name="C4", exact=True).focus()
    for key in "adg":
        page.keyboard.down(key)
    assert page.locator(".keyboard .down").count() == 3
    for key in "adg":
        page.keyboard.up(key)
    assert page.locator(".keyboard .down").count() == 0
    page.wait_for_timeout(100)
    page.keyboard.press("k")
    assert page.get_by_role("img", name="The primer: 4 notes in 1.0 beats").count() == 1


def test_fingers_play_a_chord(open_page: Open) -> None:
    page = open_page("music_generation", viewport=PHONE, has_touch=True)
    touch = "(at) => ({ x: at.x + at.width / 2, y: at.y + at.height - 8, id: at.id })"
    keys = [page.get_by_role("button", name=name, exact=True) for name in ("C4", "E4", "G4")]
    keys[0].scroll_into_view_if_needed()
    points = [page.evaluate(touch, {**key.bounding_box(), "id": number}) for number, key in enumerate(keys)]
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    assert page.locator(".keyboard .down").count() == 3
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.locator(".keyboard .down").count() == 0
    assert page.get_by_role("img", name="The primer: 3 notes in 0.5 beats").count() == 1


def test_what_is_played_in_time_is_written_in_time(open_page: Open) -> None:
    page = open_page("music_generation")
    script = """async (length) => {
        const { Recorder } = await import("/ui/tabs/music_generation/primer.js");
        const recorder = new Recorder({ beatsASecond: 2, grid: 0.25, changed: () => {} });
        recorder.use(length);
        const played = [[60, 1, 7.0], [64, 1, 7.01], [60, 0, 7.6], [64, 0, 7.99], [67, 1, 8.02], [67, 0, 8.04]];
        for (const [key, on, now] of played) on ? recorder.press(key, now) : recorder.release(key, now);
        return recorder.notes.map(({ key, from, to }) => [key, from, to]);
    }"""
    assert page.evaluate(script, None) == [[60, 0, 1.25], [64, 0, 2], [67, 2, 2.25]]
    assert page.evaluate(script, 0.5) == [[60, 0, 0.5], [64, 0, 0.5], [67, 0.5, 1]]


def test_a_midi_keyboard_is_heard(open_page: Open) -> None:
    page = open_page("music_generation")
    page.evaluate("""() => {
        window.plugged = { id: "one", name: "A keyboard", state: "connected" };
        const inputs = new Map([["one", window.plugged]]);
        navigator.requestMIDIAccess = async () => ({ inputs });
    }""")
    page.get_by_role("button", name="Use a MIDI keyboard").click()
    says(page, r"^Listening to A keyboard\.$")
    played = "(messages) => messages.forEach((data) => window.plugged.onmidimessage({ data }))"
    page.evaluate(played, [[0x90, 48, 90], [0x90, 64, 70]])
    assert page.locator(".keyboard .down").count() == 1, "the other key is below those that are shown"
    page.evaluate(played, [[0x80, 48, 0], [0x90, 64, 0]])
    assert page.locator(".keyboard .down").count() == 0
    assert page.get_by_role("img", name="The primer: 2 notes in 0.5 beats").count() == 1


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
    for clip, frames in (("A figure, throwing", r"24"), ("Stored clip 1", r"\d")):
        page.get_by_role("button", name=clip).click()
        says(page, rf"^{frames} frames, 10 a second")
        lines = page.get_by_role("img", name="Probabilities over time").locator("path")
        assert lines.count() == 4 and "L" in str(lines.first.get_attribute("d"))
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


def test_models_come_as_they_are_loaded_and_may_change(open_page: Open) -> None:
    page = open_page("forecasting")
    served = {"name": "forecasting", "version": 1}
    told = {"models": [served], "loading": ["text_generation"], "refused": [], "complete": True}
    page.route("**/ui/models", lambda route: route.fulfill(json=told))
    page.reload()
    status = page.locator("#told")
    status.get_by_text("Loading text generation…").wait_for()
    assert page.get_by_role("tab").all_inner_texts() == ["forecasting"]
    told |= {"models": [{**served, "version": 2}, {"name": "text_generation", "version": 1}], "loading": []}
    page.get_by_role("tab", name="text generation").wait_for()
    assert status.is_hidden()
    page.get_by_text("Version 2 is served now").wait_for()
    page.get_by_role("button", name="Show it").wait_for()


def test_a_server_that_loads_its_first_model_is_waited_for(open_page: Open) -> None:
    page = open_page("forecasting")
    told = {"models": [], "loading": ["forecasting"], "refused": [{"name": "a_b", "reason": "no"}], "complete": False}
    page.route("**/ui/models", lambda route: route.fulfill(json=told))
    page.reload()
    page.get_by_text("Loading forecasting… a b cannot be served: no").wait_for()
    page.unroute("**/ui/models")
    page.wait_for_selector("#panel-forecasting[data-ready]")


def test_a_model_card_is_read_as_markdown(open_page: Open) -> None:
    page = open_page("forecasting")
    page.get_by_text("Model card", exact=True).click()
    card = page.locator(".markdown")
    card.get_by_role("heading", name="Intended use").wait_for()
    assert card.get_by_role("table").count() >= 2 and card.get_by_role("listitem").count() >= 2
    script = """async (text) => {
        const { markdown } = await import("/ui/files/markdown.js");
        return markdown(text).innerHTML;
    }"""
    text = "One `<b>`\ntwo **x**.\n\n- a\n  b\n- c\n\n|  | n |\n| --- | --- |\n| a\\|b | 1.5 |\n\n```\n# no\n```"
    group = 'class="scroll" tabindex="0" role="group" aria-label="n"'
    head = '<thead><tr><th scope="col" class=""></th><th scope="col" class="number">n</th></tr></thead>'
    body = '<tbody><tr><td class="">a|b</td><td class="number">1.5</td></tr></tbody>'
    assert page.evaluate(script, text) == (
        "<p>One <code>&lt;b&gt;</code> two <strong>x</strong>.</p><ul><li>a b</li><li>c</li></ul>"
        f"<div {group}><table>{head}{body}</table></div><pre># no</pre>"
    )


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
