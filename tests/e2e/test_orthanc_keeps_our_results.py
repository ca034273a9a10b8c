"""A PACS that is not ours takes our results by C-STORE and gives them back unchanged."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.orthanc import running_orthanc

pytestmark = [pytest.mark.e2e, pytest.mark.orthanc]

CHEST = Path(str(files("data_store"))) / "data" / "RG1_UNCR.dcm"
FORMS = [("jpeg", "comprehensive_3d"), ("rle", "comprehensive"), ("uncompressed", "comprehensive_3d")]


def results_of_the_chest(folder: Path, sc_form: str, sr_form: str) -> list[Path]:
    config = folder / "xray-ai.toml"
    config.write_text(f'[results]\nsc_form = "{sc_form}"\nsr_form = "{sr_form}"\n', "utf-8")
    arguments = ["triage", str(CHEST), "--out", str(folder / "results"), "--config", str(config)]
    subprocess.run([sys.executable, "-m", "xray_ai", *arguments], check=True, capture_output=True)
    return sorted((folder / "results").glob("*.dcm"))


@pytest.mark.parametrize(("sc_form", "sr_form"), FORMS)
def test_orthanc_stores_and_returns_report_and_capture_unchanged(tmp_path: Path, sc_form: str, sr_form: str) -> None:
    sent = results_of_the_chest(tmp_path, sc_form, sr_form)

    with running_orthanc(tmp_path) as orthanc:
        target = ["127.0.0.1", str(orthanc.dicom_port)]
        subprocess.run(["dcmsend", "--decompress-never", *target, *sent], check=True, capture_output=True)
        held = {dataset.SOPInstanceUID: dataset for dataset in orthanc.objects()}

    assert len(sent) == len(held) == 2
    for file in sent:
        ours = dcmread(file)
        assert held[ours.SOPInstanceUID] == ours
        assert held[ours.SOPInstanceUID].file_meta.TransferSyntaxUID == ours.file_meta.TransferSyntaxUID
