"""Metrics of anomaly detection: events, rankings, volumes, delays."""

from rnnapps.metrics.anomaly.delay import detection_delays, false_alarms_per_day
from rnnapps.metrics.anomaly.events import EventCounts, Interval, count_events, intervals, merge_overlapping
from rnnapps.metrics.anomaly.point_adjusted import point_adjusted_f1
from rnnapps.metrics.anomaly.ranking import area_under_roc, average_precision
from rnnapps.metrics.anomaly.volume import range_auc_pr, vus_pr

__all__ = [
    "EventCounts",
    "Interval",
    "area_under_roc",
    "average_precision",
    "count_events",
    "detection_delays",
    "false_alarms_per_day",
    "intervals",
    "merge_overlapping",
    "point_adjusted_f1",
    "range_auc_pr",
    "vus_pr",
]
