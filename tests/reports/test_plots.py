from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread

from rnnapps.reports.plots import DARK, LIGHT, Curve, Theme, arrange, plot_curves, plot_gates, plot_gradients
from rnnapps.reports.plots.search import Point, plot_points, plot_shares
from rnnapps.training.diagnostics import GradientThroughTime
from rnnapps.training.gates import summarise_gate

CURVES = [Curve("training", [1, 2, 3], [3.0, None, 1.0]), Curve("validation", [1, 2, 3], [2.0, 4.0, float("inf")])]


def drawn(plot: object, theme: Theme = LIGHT) -> Figure:
    figure = Figure(layout="constrained")
    plot.draw(figure, theme)  # type: ignore[attr-defined]
    return figure


def test_lines_are_the_data_and_gaps_stay_gaps() -> None:
    figure = drawn(plot_curves(CURVES, x_label="step", y_label="loss"))
    first, second = (np.asarray(line.get_ydata(), float) for line in figure.axes[0].get_lines())
    np.testing.assert_array_equal(first, [3.0, np.nan, 1.0])
    np.testing.assert_array_equal(second, [2.0, 4.0, np.nan])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["training", "validation"]


def test_logarithmic_plots_leave_out_what_is_not_positive() -> None:
    values = Curve("norm", [1, 2, 3], [0.0, 1e-3, 10.0])
    axes = drawn(plot_curves([values], x_label="step", y_label="norm", logarithmic=True)).axes[0]
    assert axes.get_yscale() == "log"
    np.testing.assert_array_equal(np.asarray(axes.get_lines()[0].get_ydata(), float), [np.nan, 1e-3, 10.0])
    zeros = plot_curves([Curve("norm", [1], [0.0])], x_label="step", y_label="norm", logarithmic=True)
    assert drawn(zeros).axes[0].get_yscale() == "linear"
    assert zeros.svg(LIGHT)


@pytest.mark.parametrize("width", [5.2, 10.4])
@pytest.mark.parametrize("length", [5, 24, 55])
def test_legends_stay_within_the_picture(width: float, length: int) -> None:
    curves = [Curve("word " * (length // 5), [0.0, 1.0], [0.0, 1.0]) for _ in range(4)]
    figure = Figure(figsize=(width, 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    plot_curves(curves, x_label="x", y_label="y").draw(figure, LIGHT)
    figure.canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    assert length > 5 or box.height < 0.6 * figure.dpi


def test_a_long_label_stays_within_the_picture() -> None:
    figure = Figure(figsize=(5.2, 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    label = "validation network nats per character"
    plot_curves(CURVES, x_label="training step", y_label=label).draw(figure, LIGHT)
    figure.canvas.draw()
    written = figure.axes[0].yaxis.label
    box = written.get_window_extent()
    assert box.y0 >= 0 and box.y1 <= figure.bbox.height and box.x0 >= 0
    assert written.get_text().replace("\n", " ") == label


def test_curves_differ_in_more_than_colour() -> None:
    curves = [Curve(str(number), [1, 2], [number, 2]) for number in range(5)]
    lines = drawn(plot_curves(curves, x_label="x", y_label="y")).axes[0].get_lines()
    assert len({line.get_color() for line in lines}) == 5
    assert len({str(line.get_marker()) for line in lines}) == 5


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_colours_contrast_with_the_page(theme: Theme) -> None:
    """WCAG 2.2, success criteria 1.4.3 (text, 4.5:1) and 1.4.11 (graphics, 3:1)."""
    assert contrast(theme.text, theme.background) >= 7
    assert all(contrast(colour, theme.background) >= 4.5 for colour in theme.colours)


def contrast(first: str, second: str) -> float:
    def luminance(colour: str) -> float:
        channels = np.array(mpl.colors.to_rgb(colour))
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_pictures_are_valid_repeatable_and_described() -> None:
    plot = plot_curves(CURVES, x_label="step", y_label="loss", title="Loss")
    picture = plot.picture()
    assert picture.dark is not None and picture.dark != picture.light
    assert ElementTree.fromstring(picture.light).tag == "{http://www.w3.org/2000/svg}svg"
    assert plot.svg(LIGHT) == picture.light
    assert picture.alt == (
        "Loss: loss over step. training: from 3 to 1, between 1 and 3; validation: from 2 to 4, between 2 and 4."
    )


def test_drawing_leaves_global_settings_alone() -> None:
    before = dict(mpl.rcParams)
    plot_curves(CURVES, x_label="step", y_label="loss").picture()
    assert dict(mpl.rcParams) == before


def test_gradients_show_the_output_of_every_layer() -> None:
    gradients = [
        GradientThroughTime(layer, of, state, (0.1 * (1 + state), 0.2))
        for layer in ("first", "second")
        for of in ("loss", "last output")
        for state in (0, 1)
    ]
    plots = plot_gradients(gradients)
    assert len(plots) == 2
    for plot in plots:
        lines = drawn(plot).axes[0].get_lines()
        assert [line.get_label() for line in lines] == ["first", "second"]
        assert all(list(line.get_ydata()) == [0.1, 0.2] for line in lines)


def test_gates_have_two_plots_a_layer_which_arrange_in_one_png() -> None:
    gates = [
        summarise_gate(layer, gate, np.full((2, 5, 3), value), np.ones((2, 5), bool))
        for layer in ("first", "second")
        for gate, value in (("input", 0.25), ("candidate", -0.5))
    ]
    plots = plot_gates(gates)
    assert len(plots) == 4
    shares, means = (drawn(plot).axes[0].get_lines() for plot in plots[:2])
    assert [max(line.get_ydata()) for line in shares] == [1.0, 1.0]
    assert [list(line.get_ydata()) for line in means] == [[0.25] * 5, [-0.5] * 5]
    together = arrange(plots[:3])
    assert len(drawn(together).axes) == 3
    height, width = imread(io.BytesIO(together.png(dots_per_inch=50))).shape[:2]
    assert (width, height) == (520, 300)


def test_points_are_marked_apart_and_named() -> None:
    points = [Point("as it is", 9.0, 0.4, True), Point("5", 41.0, 0.3, True), Point("7", 50.0, 0.5, False)]
    plot = plot_points(points, x_label="parameters", y_label="loss", marked="on the frontier", others="behind it")
    (axes,) = drawn(plot).axes
    marked, others = ([list(line.get_xdata()), list(line.get_ydata())] for line in axes.get_lines())
    assert marked == [[9.0, 41.0], [0.4, 0.3]]
    assert others == [[50.0], [0.5]]
    assert [text.get_text() for text in axes.texts] == ["as it is", "5", "7"]
    assert plot.alt.endswith("as it is: 9, 0.4; 5: 41, 0.3; 7: 50, 0.5.")


def test_shares_are_bars_with_the_first_on_top() -> None:
    plot = plot_shares({"training.learning_rate": 0.75, "model.units": 0.25}, x_label="share")
    (axes,) = drawn(plot).axes
    assert [bar.get_width() for bar in axes.patches] == [0.25, 0.75]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["model.units", "training.learning_rate"]
    assert plot.alt == "share. training.learning_rate: 0.75; model.units: 0.25."
