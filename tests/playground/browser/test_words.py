"""Text that is written, and sentences that are translated, in a real browser."""

from __future__ import annotations

import math

import pytest

from tests.playground.browser.conftest import Open
from tests.playground.browser.pages import number, says

pytestmark = pytest.mark.browser


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


def test_a_sentence_is_translated(open_page: Open) -> None:
    page = open_page("translation")
    page.get_by_label("Sentence", exact=True).fill("Mar 28")
    page.get_by_role("button", name="Translate").click()
    says(page, "^Log-probability")
    rows = page.locator("table.attention tbody tr")
    assert rows.count() == page.locator(".bars .number").count()
    shares = [float(cell) for cell in rows.first.locator(".hidden-text").all_text_contents()]
    assert sum(shares) == pytest.approx(1, abs=0.02), "a piece looks somewhere with all of its attention"
