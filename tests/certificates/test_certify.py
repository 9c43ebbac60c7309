"""`rnnapps certify`: a cell of a user's own, one tiny probe; what is kept is not tried again."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from rnnapps.cells import LSTM, AntisymmetricRNN, make_cell
from rnnapps.certificates import certify as module
from rnnapps.certificates.certify import certify
from rnnapps.certificates.gradient import score_of_ratio
from rnnapps.certificates.page import certificate_page
from rnnapps.certificates.probes import PROBES
from rnnapps.certificates.subjects import Certified, find_cell, units_within
from rnnapps.cli.main import main
from rnnapps.errors import ConfigError

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = dataclasses.replace(PROBES["parity"], steps=3, grown=(3,), validated=3, tested=3, updates=200)
    monkeypatch.setitem(PROBES, "parity", probe)


def test_a_cell_of_ones_own_is_tried_once(
    tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)
    command = ["certify", "my_cell:LeakyRNN", "--probes", "parity", "--seeds", "2", "--parameters", "2000"]
    assert main([*command, "--json", "--html", "page.html"]) == 0
    out, err = capsys.readouterr()
    (found,) = json.loads(out)
    assert found["cell"] == "my_cell:LeakyRNN"
    assert [trial["seed"] for trial in found["trials"]] == [1, 2]
    assert all(trial["units"] == 20 and trial["parameters"] == 1824 for trial in found["trials"])
    assert found["score"] > 0.9  # a plain recurrent network learns parity of 3 bits
    assert found["held"] == 2
    assert err.count("LeakyRNN, parity, seed") == 2
    assert "LeakyRNN" in Path("page.html").read_text(encoding="utf-8")
    files = sorted(Path("certificates").rglob("*.json"))
    files[1].unlink()  # as if it had been stopped
    monkeypatch.setattr(module, "trials", only(2))
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert "seed 2: 0.250" in err
    assert "seed 1" not in err
    assert "my_cell:LeakyRNN" in out


def only(wanted: int):
    """In place of training: a result of one seed, and an error if another is asked for."""

    def trials(subject, probe, *, parameters, seeds):
        assert list(seeds) == [wanted]
        yield module.Trial(wanted, 4, 10, 0.625, 0.25, 100, 1.0)

    return trials


def test_sequences_grow() -> None:
    probe = dataclasses.replace(PROBES["adding_400"], grown=(10, 50, 400), updates=8)
    assert [probe.steps_at(update) for update in range(8)] == [10, 10, 10, 50, 50, 50, 400, 400]


def test_another_size_or_probe_is_tried_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def trials(subject, probe, *, parameters, seeds):
        for seed in seeds:
            asked.append((probe.asks, parameters))
            yield module.Trial(seed, 4, 10, 0.9, 0.8, 1, 1.0)

    monkeypatch.setattr(module, "trials", trials)
    subject = find_cell("gru")
    for parameters in (100, 200, 100):
        certify([subject], ["parity"], folder=tmp_path, parameters=parameters, seeds=1, told=str)
    longer = dataclasses.replace(PROBES["parity"], updates=7)
    monkeypatch.setitem(PROBES, "parity", longer)
    certify([subject], ["parity"], folder=tmp_path, parameters=100, seeds=1, told=str)
    assert [parameters for _, parameters in asked] == [100, 200, 100]
    changed = Certified("gru", lambda units: make_cell("gru", units, use_bias=False))
    assert changed.identity != subject.identity
    assert find_cell("gru").identity == subject.identity


def test_the_code_of_a_wrapped_cell_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of a user's module wraps a cell of it: whose class, and that class's own, may change."""
    monkeypatch.syspath_prepend(tmp_path)
    base, cell = tmp_path / "base_of_mine.py", tmp_path / "cell_of_mine.py"
    base.write_text("from rnnapps.cells import MinGRU\n\n\nclass Base(MinGRU):\n    pass\n")
    cell.write_text(
        "from base_of_mine import Base\nfrom rnnapps.cells import Elapsed\n\n\nclass Mine(Base):\n    pass\n\n\n"
        "def fading(units):\n    return Elapsed(Mine(units))\n"
    )
    identities = {find_cell("cell_of_mine:fading").identity}
    for file in (cell, base):
        file.write_text(file.read_text() + "# changed\n")
        identities.add(find_cell("cell_of_mine:fading").identity)
    assert len(identities) == 3


def test_what_is_damaged_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "trials", only(1))
    certify([find_cell("gru")], ["parity"], folder=tmp_path, parameters=100, seeds=1, told=str)
    (path,) = tmp_path.rglob("*.json")
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no result of a trial; delete it"):
        certify([find_cell("gru")], ["parity"], folder=tmp_path, parameters=100, seeds=1, told=str)


def test_equal_parameters() -> None:
    for name, features in (("lstm", 2), ("delta_net", 40)):
        units = units_within(lambda count, name=name: make_cell(name, count), features, 6000)
        counts = []
        for near in (units, units + 4):
            cell = make_cell(name, near)
            cell.build((None, features))
            counts.append(sum(np.prod(weight.shape) for weight in cell.trainable_variables) + 64 * near + 64)
        assert counts[0] <= 6000 < counts[1]
    with pytest.raises(ConfigError, match="4 units have more than 10; give more --parameters"):
        units_within(LSTM, 2, 10)


def test_a_gradient_is_left_or_lost() -> None:
    from rnnapps.certificates.gradient import gradient_trial

    kept = gradient_trial(Certified("kept", AntisymmetricRNN), parameters=600, seed=1)
    lost = gradient_trial(Certified("lost", LSTM), parameters=600, seed=1)
    assert kept.score > 0.75 > lost.score
    assert 1e-3 < kept.measure < 1e3
    assert [score_of_ratio(ratio) for ratio in (1.0, 0.0, math.nan, math.inf)] == [1, 0, 0, 0]
    assert score_of_ratio(1e-3) == pytest.approx(0.75)
    assert score_of_ratio(1e3) == pytest.approx(0.75)


def test_the_page_says_how_many_seeds_held() -> None:
    trials = tuple(module.Trial(seed, 4, 10, 0.9, score, 1, 1.0) for seed, score in ((1, 0.95), (2, 0.1), (3, 0.97)))
    page = certificate_page([module.Finding("gru", "parity", trials)])
    assert "0.95 (2/3)" in page
    assert "A map of scores on parity: gru 0.95 at best." in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["grv"], "unknown cell 'grv': did you mean 'gru'"),
        (["gru", "--probes", "paritty"], "gradient_1000, got 'paritty'; did you mean 'parity'?"),
        (["nowhere_at_all:Cell"], "the module 'nowhere_at_all' cannot be imported: ModuleNotFoundError"),
        (["json:Nothing"], "has no 'Nothing'; give module:Class"),
        (["sys:Nothing"], "the module 'sys' has no 'Nothing'; give module:Class"),
        (["json:JSONEncoder"], "cannot be made by a number of units: TypeError"),
        (["fractions:Fraction"], "expected a rnnapps.cells.Cell, got Fraction"),
        (["my_attention_cell:AttentiveRNN"], "reads constants, which no probe gives"),
        (["gru", "--seeds", "0"], "--seeds: expected 1 or more, got 0"),
    ],
)
def test_what_cannot_be_tried_is_told_in_one_line(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    assert main(["certify", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_known_of_parity(tmp_path: Path) -> None:
    """A network that is linear in its past and elementwise cannot tell odd from even behind what it was trained on."""
    subjects = [find_cell("lstm"), find_cell("min_gru")]
    tracks, linear = certify(subjects, ["parity"], folder=tmp_path, parameters=10_000, seeds=2, told=str)
    assert tracks.held == 2
    assert linear.held == 0
    assert linear.score < 0.1
