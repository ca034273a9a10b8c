"""torchvision's transforms, also where its compiled operators cannot be loaded.

A CPU build of torch with the CUDA build of torchvision, as package registries offer them, fails at
import because the operator torchvision::nms is unknown. Declaring its schema is enough for the
transforms, which are plain torch; nms itself stays unusable, and nothing here needs it.
"""

import importlib
import sys

import torch


def _load() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        declared = torch.library.Library("torchvision", "DEF")
        declared.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        declared.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _DECLARED.append(declared)  # a Library that is collected takes its schemas with it
        importlib.import_module("torchvision")


_DECLARED: list[torch.library.Library] = []
_load()

from torchvision.transforms import v2 as transforms  # noqa: E402 - only after the operators are declared

__all__ = ["transforms"]
