"""Which convolutions may work in 8 bits: the first are the sensitive ones, and stay in float as a judge asks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Generic, Protocol, TypeVar

from xray_ai.training.quantization.static_qdq import Images, StaticQuantizer

FLOAT_DEPTHS = (0, 1, 3, 6, 9, 12)  # from the image on; in EfficientNet-Lite most of them end with a narrow tensor


class Verdict(Protocol):
    """What a judge says of an 8-bit network."""

    @property
    def may_ship(self) -> bool: ...

    @property
    def is_close(self) -> bool:
        """So close to the float network that nothing better need be looked for."""

    @property
    def distance(self) -> float:
        """From the float network; the smaller, the better."""


AnyVerdict = TypeVar("AnyVerdict", bound=Verdict)


@dataclass(frozen=True, slots=True)
class Quantized(Generic[AnyVerdict]):
    """The 8-bit network that was chosen, and what the judge said of it."""

    verdict: AnyVerdict
    float_convolutions: int  # those next to the image, of each of the networks that are averaged
    convolutions: int  # all of them, but for the last, which give the maps and stay in float


def quantize(network: Path, file: Path, inputs: Images, judge: Callable[[Path], AnyVerdict]) -> Quantized[AnyVerdict]:
    """Write an 8-bit copy of `network` to `file`: the first that is close, else the best that may ship, else the best.

    Raises: ValueError, when the network has no convolution beside its last.
    """
    with TemporaryDirectory() as folder:
        quantizer = StaticQuantizer(network, inputs, Path(folder))
        total = len(quantizer.convolutions)
        if not total:
            raise ValueError("The network has no convolution that could work in 8 bits.")
        tried: list[tuple[Quantized[AnyVerdict], Path]] = []
        for depth in FLOAT_DEPTHS:
            chosen_ones = quantizer.deeper_than(depth)
            if not chosen_ones:
                break
            candidate = quantizer.write(chosen_ones, Path(folder) / f"candidate-{depth}.onnx")
            tried.append((Quantized(judge(candidate), total - len(chosen_ones), total), candidate))
            if tried[-1][0].verdict.may_ship and tried[-1][0].verdict.is_close:
                break
        chosen, candidate = min(tried, key=_rank)
        file.write_bytes(candidate.read_bytes())
    return chosen


def _rank(tried: tuple[Quantized[AnyVerdict], Path]) -> tuple[bool, bool, float]:
    verdict = tried[0].verdict
    return not verdict.may_ship, not verdict.is_close, verdict.distance
