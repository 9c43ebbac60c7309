from __future__ import annotations

import math

import numpy as np
import pytest

from rnnapps.contract.evaluation import MODEL, Comparison, Evaluation
from rnnapps.metrics.parts import block_length, means, ratio, summed
from rnnapps.metrics.verdict import judge, redrawn_advantages

RANDOM = np.random.default_rng(3)
NOISE = RANDOM.normal(size=400)


def evaluated(model, **baselines):
    """An evaluation of a mean error of the examples."""
    statistics = {MODEL: means(model), **{name: means(values) for name, values in baselines.items()}}
    return Evaluation(
        {"error": float(np.mean(model))},
        {name: {"error": float(np.mean(values))} for name, values in baselines.items()},
        len(model),
        "test",
        comparison=Comparison("error", statistics, ratio, part="rows"),
    )


def verdict(model, **baselines):
    return judge(evaluated(model, **baselines), higher_is_better=frozenset())


def test_a_difference_in_pairs_shows_through_noise_that_both_share():
    """The spread of either is twenty times the difference; that of the differences is small."""
    found = verdict(NOISE + 5.0, close=NOISE + 5.05 + 0.1 * RANDOM.normal(size=400), far=NOISE + 9.0)
    assert found.outcome == "better" and found.baseline == "close"
    low, high = found.interval
    assert 0 < low < found.advantage < high < 0.1
    assert found.sentence.startswith("The model beats its best baseline, close: 5.0")
    assert "more than chance (95 % interval +0.0" in found.sentence and found.sentence.endswith(", 400 rows).")


def test_the_interval_is_that_of_the_mean_of_differences():
    """For a mean, the bootstrap must give what theory does: 1.96 standard errors either way."""
    differences = RANDOM.normal(0.3, 1.0, size=900)
    found = verdict(np.zeros(900), other=differences)
    error = differences.std() / 30
    low, high = found.interval
    assert low == pytest.approx(differences.mean() - 1.96 * error, abs=0.1 * error * 1.96)
    assert high == pytest.approx(differences.mean() + 1.96 * error, abs=0.1 * error * 1.96)


def test_worse_level_and_too_few():
    worse = verdict(NOISE + 1.0, other=NOISE)
    assert worse.outcome == "worse" and worse.advantage == pytest.approx(-1)
    assert worse.sentence.startswith("The model loses to its best baseline, other: ")
    assert "worse by 1, more than chance (95 % interval -1 to -1, 400 rows)." in worse.sentence
    level = verdict(NOISE, other=RANDOM.normal(size=400))
    assert level.outcome == "level" and "are level: " in level.sentence and "may be chance" in level.sentence
    few = verdict(np.zeros(9), other=np.ones(9))
    assert few.outcome == "too few examples" and few.interval is None
    expected = "Too few examples to tell whether the model beats its best baseline, other: 0 against 1 error, on 9 rows"
    assert few.sentence == f"{expected} of the 10 that are needed."


def test_equal_scores_are_level():
    assert verdict(NOISE, other=NOISE).outcome == "level"


def test_of_some_metrics_more_is_better():
    evaluation = evaluated(np.ones(50), guess=np.zeros(50))
    assert judge(evaluation, higher_is_better={"error"}).outcome == "better"
    assert judge(evaluation, higher_is_better=frozenset()).outcome == "worse"


def test_baselines_that_lead_by_other_metrics_are_named():
    """A headline by the one metric that wins would not be honest."""
    evaluation = evaluated(np.zeros(50), ridge=np.ones(50), naive=np.ones(50) + 1)
    metrics = {**evaluation.metrics, "mae_scaled": 3.0, "smape": 2.0, "accuracy": 0.5}
    others = {"ridge": (2.0, 1.0, 0.6), "naive": (4.0, 0.5, 0.4)}
    baselines = {
        name: {**evaluation.baselines[name], **dict(zip(("mae_scaled", "smape", "accuracy"), own, strict=True))}
        for name, own in others.items()
    }
    changed = Evaluation(metrics, baselines, 50, "test", comparison=evaluation.comparison)
    found = judge(changed, higher_is_better=frozenset({"accuracy"}))
    assert found.led_by == {"mae_scaled": "ridge", "smape": "naive", "accuracy": "ridge"}
    assert found.sentence.endswith("; but ridge leads by mae scaled and accuracy, naive leads by smape.")


def test_a_model_that_loses_may_lead_by_other_metrics():
    evaluation = evaluated(np.ones(50), ridge=np.zeros(50))
    metrics = {**evaluation.metrics, "mae": 1.0, "smape": 2.0, "same": 3.0}
    baselines = {"ridge": {**evaluation.baselines["ridge"], "mae": 1.5, "smape": 1.0, "same": 3.0}}
    found = judge(
        Evaluation(metrics, baselines, 50, "test", comparison=evaluation.comparison), higher_is_better=frozenset()
    )
    assert found.outcome == "worse" and found.leads_by == ("mae",) and found.led_by == {"smape": "ridge"}
    assert found.sentence.endswith("50 rows); but it leads by mae.")


def test_without_parts_or_baselines_it_is_said():
    bare = Evaluation({"error": 1.0}, {"other": {"error": 2.0}}, 10, "test")
    found = judge(bare, higher_is_better=frozenset())
    assert found.outcome == "not tested" and found.advantage == 1.0
    assert found.sentence.startswith(
        "The model is ahead of its best baseline, other: 1 against 2 error; whether by cha"
    )
    alone = judge(Evaluation({"error": 1.0}, {}, 10, "test"), higher_is_better=frozenset())
    assert alone.outcome == "no baseline"
    assert alone.sentence == "The model has 1 error, and no baseline to compare it with."
    broken = judge(Evaluation({"error": math.nan}, {"other": {"error": 2.0}}, 1, "test"), higher_is_better=frozenset())
    assert broken.sentence == "The model has no finite error."


def test_a_ratio_of_sums_is_redrawn_as_one():
    """An error rate weighs long sentences more: the parts are errors and words, not rates."""
    errors, words = RANDOM.integers(0, 4, 60).astype(float), RANDOM.integers(4, 30, 60).astype(float)
    model = np.stack([errors, words], axis=1)
    comparison = Comparison("word_error_rate", {}, ratio, part="recordings")
    advantages = redrawn_advantages(model, np.stack([np.zeros(60), words], axis=1), comparison)
    assert advantages.mean() == pytest.approx(errors.sum() / words.sum(), rel=0.02)
    assert np.array_equal(advantages, redrawn_advantages(model, np.stack([0 * words, words], axis=1), comparison))


def test_many_examples_are_dealt_into_groups():
    values = RANDOM.normal(0.02, 1.0, size=30_000)
    low, high = verdict(np.zeros(30_000), other=values).interval
    width = 2 * 1.96 * values.std() / np.sqrt(30_000)
    assert high - low == pytest.approx(width, rel=0.1)


def test_blocks_of_a_running_text_widen_the_interval():
    """Errors that come in runs of 50 are as few as runs, not as many as rows."""
    runs = np.repeat(RANDOM.normal(0.1, 1.0, size=200), 50)
    length = block_length(len(runs))
    assert length == 100
    statistics = summed(means(runs), np.arange(len(runs)) // length)
    assert statistics.shape == (100, 2) and statistics[3] == pytest.approx([runs[300:400].sum(), 100])
    comparison = Comparison("error", {}, ratio, part="blocks")
    alone = redrawn_advantages(means(runs), 0 * means(runs) + [0, 1], comparison, sign=1.0)
    blocks = redrawn_advantages(statistics, statistics * [0, 1], comparison, sign=1.0)
    assert blocks.std() == pytest.approx(alone.std() * np.sqrt(50), rel=0.3)


def test_an_evaluation_is_kept_as_json():
    evaluation = evaluated(NOISE + 1.0, other=NOISE)
    judged = judge(evaluation, higher_is_better=frozenset())
    kept = Evaluation.from_dict(Evaluation(**{**vars(evaluation), "verdict": judged}).as_dict())
    assert kept.verdict == judged and kept.comparison is None and kept.metrics == evaluation.metrics
