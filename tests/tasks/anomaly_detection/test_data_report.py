"""What is warned of in labelled rows."""

from __future__ import annotations

import numpy as np

from rnnapps.tasks.anomaly_detection.data_report import label_cautions

NAMES = ("load", "temperature", "gone")


def test_a_column_that_tells_the_label():
    generator = np.random.default_rng(1)
    labels = (generator.random(500) < 0.1).astype(np.int32)
    tells = 10.0 - labels + generator.normal(size=500) / 20
    values = np.stack([generator.normal(size=500), tells, np.full(500, np.nan)], axis=1)
    (caution,) = label_cautions(values, labels, NAMES)
    assert caution.text == "column 'temperature' alone tells the label (area under the ROC curve 1.000)"
    assert not label_cautions(values, np.zeros(500, np.int32), NAMES), "one class alone tells nothing"
