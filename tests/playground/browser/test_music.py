"""Primers that are played, read and continued, in a real browser."""

from __future__ import annotations

import io
from pathlib import Path

import mido
import pytest

from tests.playground.browser.conftest import PHONE, Open
from tests.playground.browser.pages import number, says

pytestmark = pytest.mark.browser


def test_a_midi_file_is_uploaded_and_a_text_is_none(open_page: Open, tmp_path: Path) -> None:
    page = open_page("music_generation")
    file = mido.MidiFile(tracks=[[mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=480)]])
    file.save(tmp_path / "one.mid")
    page.get_by_label("A primer (MIDI file)").set_input_files(tmp_path / "one.mid")
    says(page, r"^1 notes in one\.mid")
    (tmp_path / "no.mid").write_text("no music")
    page.get_by_label("A primer (MIDI file)").set_input_files(tmp_path / "no.mid")
    says(page, r"^This is no Standard MIDI File")


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
