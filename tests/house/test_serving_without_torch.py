"""Serving loads no torch, whichever of its modules is imported."""

import subprocess
import sys

from tests.house.shape import ROOT, sources_in

IMPORT_ALL = """
import importlib, sys
for blocked in ("torch", "torchvision", "monai"):
    sys.modules[blocked] = None
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def serving_modules() -> list[str]:
    modules = [source.module for source in sources_in(ROOT, "xray_ai")]
    return [module for module in modules if not module.startswith("xray_ai.training")]


def test_every_serving_module_imports_where_torch_torchvision_and_monai_are_blocked() -> None:
    command = [sys.executable, "-c", IMPORT_ALL, *serving_modules()]

    imported = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (imported.returncode, imported.stderr) == (0, "")
