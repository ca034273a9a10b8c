"""Drawn radiographs of what is no frontal chest: limbs, joints, skulls, spines, lateral chests, slices and more.

They stand in for bone and lateral radiographs, of which no set with an open licence is at hand. They need not
deceive an eye; they must lie between a chest and what a hospital sends by mistake.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from xray_ai.training.scope.projection import AIR, BONE, SOFT, Projection, clouds, exposed, happens

Draw = np.random.Generator
Part = Callable[[Projection, Draw], None]

UPRIGHT_DEG = 15.0


def limb(body: Projection, draw: Draw) -> None:
    """One or two long bones in a limb, with or without a joint, plaster or metal."""
    soft, bone = draw.uniform(0.2, 0.6), draw.uniform(0.06, 0.16)
    body.tube((0, -1.6), (0, 1.6), (soft, soft * draw.uniform(0.5, 1.2)), SOFT)
    gap = draw.uniform(-1.2, 1.2)
    offsets = (0.0,) if happens(0.4, draw) else (-0.45 * soft, 0.45 * soft)
    for offset in offsets:
        radius = bone * draw.uniform(0.5, 1.1)
        lean = draw.uniform(-0.1, 0.1)
        _long_bone(body, ((offset, -1.6), (offset + lean, gap - 0.05)), radius, draw)
        _long_bone(body, ((offset + lean, gap + 0.05), (offset, 1.6)), radius * draw.uniform(0.7, 1.2), draw)
    if happens(0.15, draw):
        body.box((draw.uniform(-0.2, 0.2), gap + draw.uniform(-0.5, 0.5)), (0.03, 0.4), 4 * BONE)


def hand(body: Projection, draw: Draw) -> None:
    """A hand or a foot from above: five rays of phalanges, carpal bones, a wrist."""
    body.ellipsoid((0, 0.25), (0.42, 0.4), SOFT * 0.5)
    spread, length = draw.uniform(0.06, 0.2), draw.uniform(0.8, 1.15)
    for ray in range(5):
        at = (ray - 2) / 2
        x, y = 0.32 * at, 0.05 + 0.08 * abs(at)
        angle = at * spread * 2 + (0.6 if ray == 0 else 0.0)
        radius = draw.uniform(0.035, 0.055)
        for segment in (0.34, 0.26, 0.17, 0.12):
            step = segment * length * (0.75 if ray in {0, 4} else 1.0)
            end = (x + np.sin(angle) * step, y - np.cos(angle) * step)
            body.tube((x, y), end, (0.1, 0.085), SOFT * 0.4)
            _long_bone(body, ((x, y), (x + 0.92 * (end[0] - x), y + 0.92 * (end[1] - y))), radius, draw)
            x, y, radius = *end, radius * 0.85
    for _ in range(8):
        body.ellipsoid((draw.uniform(-0.25, 0.25), draw.uniform(0.15, 0.4)), (0.08, 0.07), BONE)
    for x in (-0.12, 0.12):
        _long_bone(body, ((x, 0.45), (x, 1.6)), 0.08, draw)
    body.tube((0, 0.4), (0, 1.6), (0.3, 0.28), SOFT * 0.7)


def joint(body: Projection, draw: Draw) -> None:
    """A knee, elbow or ankle: two long bones with wide ends at an angle, and smaller ones about the gap."""
    bend = draw.uniform(-1.3, 1.3) if happens(0.5, draw) else draw.uniform(-0.1, 0.1)
    far = (1.7 * np.sin(bend), 1.7 * np.cos(bend))
    wide = draw.uniform(0.35, 0.6)
    body.tube((0, -1.7), (0, 0), (wide, wide * 0.85), SOFT)
    body.tube((0, 0), far, (wide * 0.85, wide * 0.6), SOFT)
    radius = draw.uniform(0.12, 0.2)
    _long_bone(body, ((0, -1.7), (0, -0.12)), radius, draw, flare=draw.uniform(1.5, 2.2))
    start = (0.12 * np.sin(bend), 0.12 * np.cos(bend))
    _long_bone(body, (start, far), radius * 0.9, draw, flare=draw.uniform(1.4, 2.0))
    if happens(0.7, draw):
        body.ellipsoid((draw.uniform(-0.3, 0.3), draw.uniform(-0.3, 0.0)), (0.12, 0.15), BONE)
    if happens(0.6, draw):
        _long_bone(body, ((start[0] + 0.3, start[1] + 0.1), (far[0] + 0.25, far[1])), radius * 0.4, draw)


def pelvis(body: Projection, draw: Draw) -> None:
    """A pelvis or one hip: iliac wings, sockets, femoral heads with necks and shafts, the lower spine."""
    body.ellipsoid((0, 0), (1.3, draw.uniform(1.0, 1.6)), SOFT * 0.6)
    only = draw.choice([0, 0, -1, 1])
    for side in (-1, 1):
        if only not in (0, side):
            continue
        body.shell((side * 0.52, -0.35), (0.42, 0.5), draw.uniform(0.08, 0.2), BONE * 0.6, side * 25)
        socket = (side * 0.62, 0.25)
        body.shell(socket, (0.24, 0.24), 0.25, BONE * 0.6)
        body.ellipsoid(socket, (0.17, 0.17), BONE)
        hip = (side * draw.uniform(0.88, 1.0), 0.45)
        body.tube(socket, hip, (0.1, 0.13), BONE, 0.5)
        _long_bone(body, (hip, (side * 0.85, 1.8)), 0.13, draw, flare=1.2)
        body.shell((side * 0.25, 0.55), (0.22, 0.16), 0.3, BONE * 0.5)
        body.tube((side * 0.8, 0.5), (side * 0.75, 1.8), (0.45, 0.35), SOFT * 0.8)
    _vertebrae(body, ((0, -1.2), (0, -0.1)), 0.17, draw)
    _gas(body, draw, 4, (0.6, 0.5))


def skull(body: Projection, draw: Draw) -> None:
    """A skull from the front or the side, with face, jaw, teeth and neck."""
    body.ellipsoid((0, -0.2), (0.75, 0.85), SOFT * 0.5)
    body.shell((0, -0.25), (draw.uniform(0.6, 0.8), 0.75), draw.uniform(0.05, 0.12), BONE)
    facing = draw.choice([-1.0, 0.0, 1.0])
    for eye in (-0.26, 0.26) if facing == 0 else (facing * 0.5,):
        body.shell((eye, 0.02), (0.17, 0.14), 0.2, BONE * 0.7)
        body.ellipsoid((eye, 0.02), (0.13, 0.11), AIR * 0.5)
    body.ellipsoid((facing * 0.45, 0.25), (0.14, 0.2), AIR * 0.6)
    jaw = [(facing * 0.45 + 0.35 * np.cos(a), 0.45 + 0.3 * np.sin(a)) for a in np.linspace(0.1, np.pi - 0.1, 8)]
    body.chain([(float(x), float(y)) for x, y in jaw], 0.07, BONE)
    for tooth in np.linspace(-0.2, 0.2, 7):
        body.box((facing * 0.45 + tooth, 0.5), (0.025, 0.08), 3 * BONE)
    _vertebrae(body, ((-facing * 0.15, 0.5), (-facing * 0.1, 1.6)), 0.12, draw)
    body.tube((-facing * 0.1, 0.5), (0, 1.8), (0.35, 0.5), SOFT * 0.6)


def spine(body: Projection, draw: Draw) -> None:
    """A spine from the front or the side, in a body without lungs."""
    body.ellipsoid((draw.uniform(-0.3, 0.3), 0), (draw.uniform(0.5, 1.1), 2.0), SOFT * 0.8)
    curve = draw.uniform(-0.3, 0.3)
    _vertebrae(body, ((curve, -1.4), (-curve, 1.4)), draw.uniform(0.12, 0.3), draw)
    _gas(body, draw, int(draw.integers(0, 4)), (0.7, 0.9))
    if happens(0.2, draw):
        body.box((0.0, draw.uniform(-0.3, 0.3)), (0.06, 0.5), 4 * BONE, draw.uniform(-8, 8))


def lateral_chest(body: Projection, draw: Draw) -> None:
    """A chest from the side, of a person or an animal: one lung field, the spine on one edge, the heart across."""
    deep, high = draw.uniform(0.62, 0.95), draw.uniform(0.85, 1.2)
    body.ellipsoid((0, 0.1), (deep + 0.12, high + 0.35), SOFT * draw.uniform(0.8, 1.1))
    body.ellipsoid((0, 1.2), (deep, 0.7), SOFT * draw.uniform(0.2, 0.8))
    lean = draw.uniform(-12, 12)
    top = draw.uniform(-0.15, 0.1)
    body.ellipsoid((0, top), (deep * 0.78, high * 0.75), AIR * draw.uniform(0.7, 1.3), lean)
    body.ellipsoid((0.1, top - 0.2), (deep * 0.6, high * 0.5), AIR * draw.uniform(0.0, 0.4), lean)
    bend = draw.uniform(0.0, 0.25)
    back = [(deep * 0.85 + bend * np.cos(2 * t) - bend, t) for t in np.linspace(-1.4, 1.4, 15)]
    for x, y in back:
        body.box((float(x), float(y)), (0.12, 0.075), BONE * 1.6, draw.uniform(-6, 6))
    body.ellipsoid((-0.25 * deep, 0.35), (draw.uniform(0.25, 0.45), draw.uniform(0.25, 0.4)), SOFT, 40)
    body.tube((-deep * 0.85, -0.5), (-deep * 0.95, 0.5), (0.04, 0.04), BONE * 0.8)
    for rib in np.linspace(-0.7, 0.8, int(draw.integers(7, 12))):
        fall = draw.uniform(0.3, 0.6)
        points = [(deep * (0.8 - 1.6 * t), float(rib + fall * t + 0.15 * np.sin(3 * t))) for t in np.linspace(0, 1, 6)]
        body.chain(points, draw.uniform(0.02, 0.035), BONE * 0.7, 0.5)
    for side in (-0.1, 0.15):
        body.ellipsoid((side, 0.85 + side), (deep * 0.75, 0.3), SOFT * 0.7, draw.uniform(-25, 0))
    if happens(0.6, draw):
        body.tube((0.1, -1.0), (-0.4, -1.8), (0.3, 0.25), SOFT)
        _long_bone(body, ((0.1, -0.95), (-0.4, -1.8)), 0.08, draw)


def abdomen(body: Projection, draw: Draw) -> None:
    """An abdomen: spine in the middle, lowest ribs, gas, wings of the pelvis."""
    body.ellipsoid((0, 0), (draw.uniform(0.9, 1.3), 1.8), SOFT)
    _vertebrae(body, ((0, -1.3), (0, 0.7)), 0.16, draw)
    for side in (-1, 1):
        for rib in range(int(draw.integers(1, 5))):
            y = -1.0 + 0.22 * rib
            points = [(side * (0.15 + 0.7 * t), y + 0.35 * t * t) for t in np.linspace(0, 1, 5)]
            body.chain([(float(a), float(b)) for a, b in points], 0.035, BONE * 0.6, 0.5)
        body.shell((side * 0.55, 0.95), (0.42, 0.45), 0.12, BONE * 0.5, side * 25)
        body.ellipsoid((side * 0.3, 0.0), (0.14, 0.4), SOFT * 0.4, -side * 12)
    body.ellipsoid((-0.45, -0.75), (0.55, 0.45), SOFT * 0.6)
    _gas(body, draw, int(draw.integers(3, 14)), (0.8, 0.9))


def shoulder(body: Projection, draw: Draw) -> None:
    """A shoulder with a corner of one lung."""
    body.ellipsoid((-0.5, 0.6), (1.1, 1.2), SOFT)
    body.ellipsoid((-0.95, 0.75), (0.55, 0.9), AIR * draw.uniform(0.3, 0.9))
    _long_bone(body, ((0.35, -0.1), (0.6, 1.7)), 0.15, draw, flare=1.5)
    body.tube((0.35, -0.1), (0.6, 1.7), (0.4, 0.3), SOFT)
    body.ellipsoid((0.32, -0.15), (0.2, 0.2), BONE)
    body.chain([(-1.3, -0.2), (-0.6, -0.45), (0.1, -0.5)], 0.07, BONE, 0.5)
    body.shell((-0.2, 0.3), (0.28, 0.5), 0.12, BONE * 0.5, 15)
    for rib in range(5):
        points = [(-1.3 + 0.9 * t, -0.1 + 0.3 * rib + 0.5 * t * t) for t in np.linspace(0, 1, 5)]
        body.chain([(float(a), float(b)) for a, b in points], 0.045, BONE * 0.6, 0.5)


def cross_section(body: Projection, draw: Draw) -> None:
    """A slice of a head, chest, abdomen or limb, as CT or MR shows it; some with a couch."""
    wide, high = draw.uniform(0.6, 0.95), draw.uniform(0.45, 0.9)
    _slab(body, (0, 0), (wide, high), draw.uniform(0.3, 1.0))
    rim = draw.uniform(0.04, 0.18)
    _slab(body, (0, 0), (wide * (1 - rim), high * (1 - rim)), draw.uniform(-0.5, 0.5))
    kind = draw.choice(["chest", "head", "abdomen", "coronal"])
    if kind == "coronal":
        _slab(body, (0, 0.5), (wide, high), draw.uniform(0.2, 0.6))
        for side in (-1, 1):
            _slab(body, (side * wide * 0.42, -0.2), (wide * 0.35, high * 0.75), draw.uniform(-1.2, -0.5))
            for rib in np.linspace(-0.7, 0.4, 9):
                _slab(body, (side * wide * 0.85, float(rib) * high), (0.03, 0.03), 1.0)
    if kind == "chest":
        for side in (-1, 1):
            _slab(body, (side * wide * 0.45, 0), (wide * 0.33, high * draw.uniform(0.5, 0.7)), draw.uniform(-0.8, -0.3))
    organs = {"chest": 4, "head": 6, "abdomen": 12, "coronal": 7}[str(kind)]
    for _ in range(organs):
        centre = (wide * draw.uniform(-0.6, 0.6), high * draw.uniform(-0.6, 0.6))
        _slab(body, centre, (draw.uniform(0.05, 0.3), draw.uniform(0.05, 0.3)), draw.uniform(-0.3, 0.4))
    _slab(body, (0, high * 0.6), (0.12, 0.12), draw.uniform(0.3, 1.2))
    if happens(0.4, draw):
        arc = [(x, high + 0.1 - 0.1 * x * x) for x in np.linspace(-0.9, 0.9, 8)]
        body.chain([(float(a), float(b)) for a, b in arc], 0.02, BONE * 5)


def fan(body: Projection, draw: Draw) -> None:
    """An ultrasound image: a bright, speckled sector or strip."""
    radius, angle = np.hypot(body.x, body.y + 1.0), np.abs(np.arctan2(body.x, body.y + 1.0))
    inside = (radius < draw.uniform(1.5, 1.95)) & (radius > draw.uniform(0.0, 0.4)) & (angle < draw.uniform(0.4, 0.9))
    if happens(0.4, draw):
        inside = (np.abs(body.x) < draw.uniform(0.4, 0.95)) & (np.abs(body.y) < draw.uniform(0.4, 0.95))
        inside &= np.abs(body.x - draw.uniform(-2, 2)) > draw.uniform(0.0, 0.05)
    speckle = np.abs(draw.normal(size=body.attenuation.shape)) * (1.2 + clouds(len(body.attenuation), 1.8, draw))
    body.attenuation += np.asarray(inside * speckle, np.float32)
    for _ in range(int(draw.integers(0, 5))):
        _slab(body, (draw.uniform(-0.5, 0.5), draw.uniform(-0.4, 0.6)), (0.2, 0.15), draw.uniform(-2, 1))


def whole_body(body: Projection, draw: Draw) -> None:
    """A whole body in one image, as nuclear medicine and scouts show it."""
    wide = draw.uniform(0.2, 0.45)
    body.ellipsoid((0, -0.8), (wide * 0.4, 0.15), SOFT)
    body.shell((0, -0.8), (wide * 0.38, 0.14), 0.15, BONE)
    body.ellipsoid((0, -0.25), (wide, 0.45), SOFT)
    _vertebrae(body, ((0, -0.6), (0, 0.05)), wide * 0.15, draw)
    for side in (-1, 1):
        body.ellipsoid((side * wide * 0.45, -0.35), (wide * 0.35, 0.2), AIR * draw.uniform(0.0, 0.8))
        body.shell((side * wide * 0.5, 0.08), (wide * 0.4, 0.12), 0.2, BONE * 0.7)
        for start, end, radius in (
            ((wide * 0.95, -0.55), (wide * 1.5, 0.1), wide * 0.2),
            ((wide * 0.5, 0.15), (wide * 0.5, 0.95), wide * 0.35),
        ):
            ends = ((side * start[0], start[1]), (side * end[0], end[1]))
            body.tube(*ends, (radius, radius * 0.7), SOFT)
            _long_bone(body, ends, radius * 0.3, draw)
    for _ in range(int(draw.integers(0, 5))):
        body.ellipsoid((draw.uniform(-wide, wide), draw.uniform(-0.7, 0.8)), (0.04, 0.04), BONE * 3)


def breast(body: Projection, draw: Draw) -> None:
    """A mammogram: half an ellipse on one edge, with glandular tissue."""
    body.ellipsoid((-1.1, draw.uniform(-0.2, 0.2)), (draw.uniform(0.8, 1.7), draw.uniform(0.6, 1.0)), SOFT)
    inside = body.attenuation > 0
    strands = np.maximum(clouds(len(inside), draw.uniform(1.2, 2.2), draw), 0) * draw.uniform(1, 4)
    body.attenuation += np.asarray(inside * strands, np.float32)
    if happens(0.5, draw):
        body.tube((-1.2, -1.2), (-0.6, -1.4), (0.5, 0.3), SOFT * 1.5)


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "limb": limb,
        "hand": hand,
        "joint": joint,
        "pelvis": pelvis,
        "skull": skull,
        "spine": spine,
        "lateral chest": lateral_chest,
        "abdomen": abdomen,
        "shoulder": shoulder,
        "cross-section": cross_section,
        "ultrasound": fan,
        "whole body": whole_body,
        "mammogram": breast,
    }
)


def drawn_part(name: str, side: int, draw: Draw) -> NDArray[np.uint8]:
    """Draw one part in a random pose, size and look: (side, side) uint8."""
    anyhow = happens(0.3, draw)  # one in three lies as it fell
    turn = draw.uniform(0, 360) if anyhow else draw.normal(0, UPRIGHT_DEG)
    shift = (draw.uniform(-0.2, 0.2), draw.uniform(-0.2, 0.2))
    body = Projection(side, turn, draw.uniform(0.75, 1.5), shift)
    PARTS[name](body, draw)
    return exposed(body.attenuation, draw)


def _long_bone(
    body: Projection, ends: tuple[tuple[float, float], tuple[float, float]], radius: float, draw: Draw, flare: float = 0
) -> None:
    """A shaft with a hollow, and wider ends."""
    start, end = ends
    flare = flare or draw.uniform(1.2, 1.7)
    middle = [(start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])) for t in (0.2, 0.8)]
    body.tube(start, middle[0], (radius * flare, radius), BONE, draw.uniform(0.6, 0.85))
    body.tube(middle[0], middle[1], (radius, radius), BONE, draw.uniform(0.45, 0.7))
    body.tube(middle[1], end, (radius, radius * flare), BONE, draw.uniform(0.6, 0.85))


def _vertebrae(
    body: Projection, ends: tuple[tuple[float, float], tuple[float, float]], half_width: float, draw: Draw
) -> None:
    (x0, y0), (x1, y1) = ends
    height = half_width * draw.uniform(0.5, 0.8)
    count = max(2, int(abs(y1 - y0) / (2.4 * height)))
    for t in np.linspace(0, 1, count):
        x, y = x0 + t * (x1 - x0), y0 + t * (y1 - y0)
        body.box((x, y), (half_width, height), BONE * 2)
        body.ellipsoid((x, y), (half_width * 0.25, height * 0.7), BONE)


def _gas(body: Projection, draw: Draw, count: int, reach: tuple[float, float]) -> None:
    for _ in range(count):
        centre = (draw.uniform(-reach[0], reach[0]), draw.uniform(-reach[1], reach[1]))
        axes = (draw.uniform(0.05, 0.22), draw.uniform(0.04, 0.14))
        body.ellipsoid(centre, axes, AIR * draw.uniform(0.5, 1.2), draw.uniform(0, 180))


def _slab(body: Projection, centre: tuple[float, float], axes: tuple[float, float], density: float) -> None:
    """An elliptic disc of even density, as a slice shows it."""
    inside = np.clip((1 - np.hypot((body.x - centre[0]) / axes[0], (body.y - centre[1]) / axes[1])) * 12, 0, 1)
    body.attenuation += np.asarray(density * inside, np.float32)
