"""Draw the manual's pictures from synthetic chests, through the code that serves."""

import argparse
from pathlib import Path

import cv2

from xray_ai.inference.model_pack import ModelPack
from xray_ai.inference.reader import Reader
from xray_ai.inference.session import Device
from xray_ai.training.figures import recipe_figure, result_figure


def main() -> None:
    """Read the arguments, draw, and print where the pictures lie."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path, help="A pack's folder.")
    parser.add_argument("--out", type=Path, default=Path("docs/img"))
    arguments = parser.parse_args()

    reader = Reader(ModelPack.open(arguments.pack), Device.CPU)
    cv2.imwrite(str(arguments.out / "recipe.png"), recipe_figure(reader.recipe))
    (arguments.out / "result.png").write_bytes(result_figure(reader))

    print(f"pictures: {arguments.out}")


if __name__ == "__main__":
    main()
