"""What all tabs share: the page around them, files, forms, model cards, and small screens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.playground.browser.conftest import PHONE, PIPELINES, Open
from tests.playground.browser.pages import says

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[3]


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
