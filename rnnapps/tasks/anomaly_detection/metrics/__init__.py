"""Metrics of anomaly detection: events, rankings, volumes, delays."""

from rnnapps.tasks.anomaly_detection.metrics.composite import composite_f1
from rnnapps.tasks.anomaly_detection.metrics.daily_alerts import MOST_ALERTS, entity_precision
from rnnapps.tasks.anomaly_detection.metrics.delay import detection_delays, false_alarms_per_day
from rnnapps.tasks.anomaly_detection.metrics.events import (
    EventCounts,
    Interval,
    count_events,
    intervals,
    merge_overlapping,
)
from rnnapps.tasks.anomaly_detection.metrics.point_adjusted import point_adjusted_f1
from rnnapps.tasks.anomaly_detection.metrics.ranking import area_under_roc, average_precision
from rnnapps.tasks.anomaly_detection.metrics.volume import range_auc_pr, vus_pr

__all__ = [
    "MOST_ALERTS",
    "EventCounts",
    "Interval",
    "area_under_roc",
    "average_precision",
    "composite_f1",
    "count_events",
    "detection_delays",
    "entity_precision",
    "false_alarms_per_day",
    "intervals",
    "merge_overlapping",
    "point_adjusted_f1",
    "range_auc_pr",
    "vus_pr",
]
