"""A drawn body between source and detector: how much soft tissue, bone and air each ray passes."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Point = tuple[float, float]  # (x, y): right and down, -1.0 to 1.0 over the shorter side

BONE, SOFT, AIR = 2.2, 1.0, -1.0  # attenuation of one unit of thickness; air takes away the tissue that it displaces


class Projection:
    """Attenuation along each ray, drawn part by part: (side, side) float32, turned and shifted as a whole."""

    def __init__(self, side: int, turn_deg: float = 0.0, zoom: float = 1.0, shift: Point = (0.0, 0.0)) -> None:
        axis = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
        across, down = np.meshgrid((axis - shift[0]) / zoom, (axis - shift[1]) / zoom)
        cosine, sine = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
        self.x = np.asarray(cosine * across + sine * down, np.float32)
        self.y = np.asarray(-sine * across + cosine * down, np.float32)
        self.attenuation = np.zeros((side, side), np.float32)

    def ellipsoid(self, centre: Point, axes: Point, density: float, turn_deg: float = 0.0) -> None:
        """A solid ellipsoid as deep as it is wide."""
        self.attenuation += density * 2 * min(axes) * _half_chord(self._radius(centre, axes, turn_deg))

    def shell(self, centre: Point, axes: Point, share: float, density: float = BONE, turn_deg: float = 0.0) -> None:
        """The wall of an ellipsoid, such as a skull; its thickness is a share of the axes."""
        inner = (axes[0] * (1 - share), axes[1] * (1 - share))
        self.ellipsoid(centre, axes, density, turn_deg)
        self.ellipsoid(centre, inner, -density, turn_deg)

    def tube(self, start: Point, end: Point, radii: Point, density: float, marrow: float = 0.0) -> None:
        """A round limb or bone that tapers from one radius to the other; marrow is the hollow share of its radius."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = max(dx * dx + dy * dy, 1e-6)
        along = np.clip(((self.x - start[0]) * dx + (self.y - start[1]) * dy) / length, 0.0, 1.0)
        distance = np.hypot(self.x - start[0] - along * dx, self.y - start[1] - along * dy)
        radius = radii[0] + (radii[1] - radii[0]) * along
        wall = 2 * radius * _half_chord(distance / radius)
        if marrow:
            wall -= 2 * marrow * radius * _half_chord(distance / (marrow * radius)) * 0.8
        self.attenuation += np.asarray(density * wall, np.float32)

    def chain(self, points: Sequence[Point], radius: float, density: float, marrow: float = 0.0) -> None:
        """A bent tube of one radius, such as a rib."""
        before = self.attenuation
        self.attenuation = np.zeros_like(before)
        strongest = self.attenuation
        for start, end in pairwise(points):
            self.attenuation = np.zeros_like(before)
            self.tube(start, end, (radius, radius), density, marrow)
            strongest = np.maximum(strongest, self.attenuation)
        self.attenuation = before + strongest

    def box(self, centre: Point, half: Point, density: float, turn_deg: float = 0.0) -> None:
        """A block with soft edges, such as a vertebral body or a plate of metal."""
        u, v = self._turned(centre, turn_deg)
        edge = 0.25 * min(half)
        inside = np.clip((half[0] - np.abs(u)) / edge, 0, 1) * np.clip((half[1] - np.abs(v)) / edge, 0, 1)
        self.attenuation += np.asarray(density * min(half) * inside, np.float32)

    def _turned(self, centre: Point, turn_deg: float) -> tuple[FloatArray, FloatArray]:
        cosine, sine = np.float32(np.cos(np.radians(turn_deg))), np.float32(np.sin(np.radians(turn_deg)))
        dx, dy = self.x - centre[0], self.y - centre[1]
        return cosine * dx + sine * dy, -sine * dx + cosine * dy

    def _radius(self, centre: Point, axes: Point, turn_deg: float) -> FloatArray:
        u, v = self._turned(centre, turn_deg)
        return np.asarray(np.hypot(u / axes[0], v / axes[1]), np.float32)


def exposed(attenuation: FloatArray, draw: np.random.Generator) -> NDArray[np.uint8]:
    """Expose, blur and digitise: (rows, columns) attenuation -> uint8 with dark air, of a random look."""
    seen = np.maximum(attenuation, 0.0)
    seen = seen * (1 + draw.uniform(0.0, 0.25) * clouds(len(seen), draw.uniform(1.0, 3.0), draw))
    strength = draw.uniform(0.7, 3.0) / max(float(np.percentile(seen, 95)), 1e-3)
    grey = 1 - np.exp(-strength * seen)
    grey = cv2.GaussianBlur(grey, (0, 0), draw.uniform(0.4, 1.6))
    grey = grey + draw.uniform(0.0, 0.15) * cv2.GaussianBlur(grey, (0, 0), len(seen) / 8)  # scatter
    grey = grey / max(float(grey.max()), 1e-3) + draw.normal(0.0, draw.uniform(0.002, 0.05), grey.shape)
    return np.clip(np.round(np.asarray(grey) * 235 + draw.uniform(0, 20)), 0, 255).astype(np.uint8)


def clouds(side: int, steepness: float, draw: np.random.Generator) -> FloatArray:
    """Noise whose spectrum falls with this power of the frequency, -1.0 to 1.0: (side, side) float32."""
    spectrum = np.fft.rfft2(draw.normal(size=(side, side)))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1.0
    noise = np.fft.irfft2(spectrum / frequency**steepness, s=(side, side))
    noise -= noise.mean()
    return np.asarray(noise / max(float(np.abs(noise).max()), 1e-6), np.float32)


def happens(share: float, draw: np.random.Generator) -> bool:
    return bool(draw.random() < share)


def _half_chord(radius: NDArray[np.floating]) -> FloatArray:
    """Half the length of a ray through a unit ball, at this distance from its centre."""
    return np.asarray(np.sqrt(np.maximum(1 - radius * radius, 0.0)), np.float32)
