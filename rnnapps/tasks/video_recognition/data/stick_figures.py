"""Poses of a stick figure through eight made-up activities, four and the same four backwards.

Since each activity is another one with time reversed, no single frame and no mean of frames tells the two apart: only
the order of the frames does. All of it is synthetic: a score on it says nothing about real people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnnapps.types import Array

__all__ = ["ACTIVITIES", "Body", "Pose", "pose_at"]

THIGH, SHIN, TORSO, NECK, UPPER_ARM, FOREARM, HIP, SHOULDER = 0.46, 0.46, 0.52, 0.2, 0.28, 0.28, 0.1, 0.18
"""Lengths of the limbs, and half the widths of hips and shoulders; a figure is about 1.8 high."""

HEAD_RADIUS = 0.12
BALL_SPEED = 2.6


@dataclass(frozen=True)
class Body:
    """What the angles of a figure are at one moment, in radians.

    Attributes:
        lean: of the torso, forwards.
        hip: of both thighs, forwards.
        knee: bend of both knees.
        shoulders: of the left and the right upper arm, forwards and up from hanging down.
        elbows: bend of the left and the right elbow.
        spread: of both arms, sideways and up from hanging down.
        thing: where an object is: (x, y, z), (nan, nan, nan) for in the right hand; None for none.
        seat: height of a chair's seat; 0 for no chair.
    """

    lean: float = 0.0
    hip: float = 0.0
    knee: float = 0.0
    shoulders: tuple[float, float] = (0.1, 0.1)
    elbows: tuple[float, float] = (0.2, 0.2)
    spread: float = 0.0
    thing: tuple[float, float, float] | None = None
    seat: float = 0.0


@dataclass(frozen=True)
class Pose:
    """A figure as lines in space: x forwards, y up, z to its right, the floor at y = 0.

    Attributes:
        lines: ends of each limb `(limbs, 2, 3)`.
        furniture: ends of the lines of things that stand still `(lines, 2, 3)`.
        head: middle of the head `(3,)`.
        thing: middle of the object `(3,)`, or None.
    """

    lines: Array
    head: Array
    furniture: Array = field(default_factory=lambda: np.zeros((0, 2, 3)))
    thing: Array | None = None


IN_HAND = (np.nan, np.nan, np.nan)


def _eased(progress: float) -> float:
    """Progress that starts and ends slowly."""
    return float(progress * progress * (3 - 2 * progress))


def _sit(progress: float) -> Body:
    share = _eased(progress)
    lean = 0.7 * np.sin(np.pi * progress) + 0.1 * share
    return Body(lean, 1.45 * share, 1.5 * share, (0.1 + 0.8 * share,) * 2, (0.2 + 0.3 * share,) * 2, seat=0.42)


def _raise_arms(progress: float) -> Body:
    return Body(spread=2.9 * _eased(progress), shoulders=(0.0, 0.0), elbows=(0.1, 0.1))


def _pick_up(progress: float) -> Body:
    bend = float(np.sin(np.pi * progress)) ** 1.5
    thing = (0.5, 0.1, 0.05) if progress < 0.5 else IN_HAND
    reach = 0.1 + 0.9 * bend + 0.7 * max(0.0, 2 * progress - 1)
    return Body(1.25 * bend, 0.75 * bend, 1.1 * bend, (reach,) * 2, (0.15 + 0.6 * (1 - bend),) * 2, thing=thing)


def _throw(progress: float) -> Body:
    if progress < 0.5:
        arm, elbow = 2.2 * _eased(2 * progress), 1.5 * _eased(2 * progress)
        return Body(-0.15 * arm / 2.2, shoulders=(0.1, 0.3 + arm), elbows=(0.2, 0.2 + elbow), thing=IN_HAND)
    share = 2 * progress - 1
    arm, elbow = 2.5 - 1.3 * min(1.0, 2 * share), 1.7 * max(0.0, 1 - 3 * share) + 0.1
    flown = BALL_SPEED * share
    thing = (0.35 + flown * 0.8, 1.85 + 0.5 * share - 1.3 * share**2, SHOULDER)
    return Body(0.2 * share, shoulders=(0.1, arm), elbows=(0.2, elbow), thing=thing)


ACTIVITIES: dict[str, tuple[Callable[[float], Body], bool]] = {
    "sitting_down": (_sit, False),
    "standing_up": (_sit, True),
    "raising_arms": (_raise_arms, False),
    "lowering_arms": (_raise_arms, True),
    "picking_up": (_pick_up, False),
    "putting_down": (_pick_up, True),
    "throwing": (_throw, False),
    "catching": (_throw, True),
}
"""Name -> (angles at a progress from 0 to 1, whether time runs backwards)."""


def pose_at(activity: str, progress: float) -> Pose:
    """The figure at a progress from 0 (before) to 1 (after) of an activity."""
    angles, backwards = ACTIVITIES[activity]
    return _assemble(angles(1 - progress if backwards else progress))


def _assemble(body: Body) -> Pose:
    """The limbs from the feet up: angles add up along each chain, and the feet stand at the origin."""
    lines: list[tuple[Array, Array]] = []
    knee = np.array([THIGH * np.sin(body.hip), -THIGH * np.cos(body.hip), 0.0])
    shin = body.hip - body.knee
    ankle = knee + np.array([SHIN * np.sin(shin), -SHIN * np.cos(shin), 0.0])
    pelvis = np.array([-ankle[0], -ankle[1], 0.0])
    up = np.array([np.sin(body.lean), np.cos(body.lean), 0.0])
    neck = pelvis + TORSO * up
    lines += [(pelvis, neck), (neck, neck + NECK / 2 * up)]
    hands = []
    for side, shoulder, elbow in zip((-1, 1), body.shoulders, body.elbows, strict=True):
        sideways = np.array([0.0, 0.0, side])
        hip = pelvis + HIP * sideways
        foot = hip + ankle
        lines += [(hip, hip + knee), (hip + knee, foot), (foot, foot + np.array([0.14, 0.0, 0.0])), (pelvis, hip)]
        joint = neck + SHOULDER * sideways
        bent = joint + UPPER_ARM * _arm(shoulder - body.lean, body.spread, side)
        hand = bent + FOREARM * _arm(shoulder - body.lean + elbow, body.spread, side)
        lines += [(neck, joint), (joint, bent), (bent, hand)]
        hands.append(hand)
    thing = None if body.thing is None else np.where(np.isnan(body.thing), hands[1], body.thing)
    return Pose(np.array(lines), neck + (NECK / 2 + HEAD_RADIUS) * up, _chair(body.seat), thing)


def _arm(forwards: float, sideways: float, side: int) -> Array:
    """Direction of a limb that hangs down when both angles are 0."""
    flat = np.array([np.sin(forwards), -np.cos(forwards), 0.0])
    return np.array([flat[0], flat[1] * np.cos(sideways), side * np.sin(sideways)])


def _chair(seat: float) -> Array:
    """Lines `(lines, 2, 3)` of a chair behind the figure, seen from its side; none for height 0."""
    if not seat:
        return np.zeros((0, 2, 3))
    back, front = -0.62, -0.22
    points = [((back, 0), (back, 2.1 * seat)), ((back, seat), (front, seat)), ((front, seat), (front, 0))]
    return np.array([[(x, y, 0.0) for x, y in ends] for ends in points])
