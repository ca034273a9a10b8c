"""The coded concepts of a report (PS3.16), each built once. Nobody changes them."""

from functools import lru_cache
from types import MappingProxyType

from pydicom.sr.codedict import codes

from xray_ai.domain.finding import Code
from xray_ai.domain.priority import Priority
from xray_ai.domain.radiograph import ViewPosition
from xray_ai.errors import RejectionCode
from xray_ai.results.content_items import Concept
from xray_ai.results.plain_text import plain

LOCAL = "99XRAYAI"  # codes of our own, where the standard has none; declared in each report

IMAGING_MEASUREMENT_REPORT = Concept("126000", "DCM", "Imaging Measurement Report")  # CID 7021
LANGUAGE = Concept("121049", "DCM", "Language of Content Item and Descendants")
ENGLISH = Concept("en", "RFC5646", "English")
OBSERVER_TYPE = Concept("121005", "DCM", "Observer Type")
DEVICE = Concept("121007", "DCM", "Device")  # CID 270
DEVICE_UID = Concept("121012", "DCM", "Device Observer UID")
DEVICE_NAME = Concept("121013", "DCM", "Device Observer Name")
DEVICE_MANUFACTURER = Concept("121014", "DCM", "Device Observer Manufacturer")
DEVICE_MODEL_NAME = Concept("121015", "DCM", "Device Observer Model Name")
DEVICE_SERIAL_NUMBER = Concept("121016", "DCM", "Device Observer Serial Number")
PROCEDURE_REPORTED = Concept("121058", "DCM", "Procedure reported")
# CID 100 holds no code of a chest radiograph; this is its general one for radiography.
RADIOGRAPHY = Concept("43468-8", "LN", "XR unspecified body region")
IMAGING_MEASUREMENTS = Concept("126010", "DCM", "Imaging Measurements")
COMMENT = Concept("121106", "DCM", "Comment")
SUMMARY = Concept("121111", "DCM", "Summary")

IMAGE_LIBRARY = Concept("111028", "DCM", "Image Library")
IMAGE_LIBRARY_GROUP = Concept("126200", "DCM", "Image Library Group")
SOURCE = Concept("260753009", "SCT", "Source")
MODALITY = Concept("121139", "DCM", "Modality")
IMAGE_VIEW = Concept("111031", "DCM", "Image View")
ROWS = Concept("110910", "DCM", "Pixel Data Rows")
COLUMNS = Concept("110911", "DCM", "Pixel Data Columns")
ORIENTATION_OF_ROWS = Concept("111044", "DCM", "Patient Orientation Row")
ORIENTATION_OF_COLUMNS = Concept("111043", "DCM", "Patient Orientation Column")
PIXELS = Concept("{pixels}", "UCUM", "pixels")

MEASUREMENT_GROUP = Concept("125007", "DCM", "Measurement Group")
TRACKING_IDENTIFIER = Concept("112039", "DCM", "Tracking Identifier")
TRACKING_UID = Concept("112040", "DCM", "Tracking Unique Identifier")
ALGORITHM_NAME = Concept("111001", "DCM", "Algorithm Name")
ALGORITHM_VERSION = Concept("111003", "DCM", "Algorithm Version")
ALGORITHM_PARAMETERS = Concept("111002", "DCM", "Algorithm Parameters")
FINDING = Concept("121071", "DCM", "Finding")
FINDING_SITE = Concept("363698007", "SCT", "Finding Site")
SOURCE_OF_MEASUREMENT = Concept("121112", "DCM", "Source of Measurement")
IMAGE_REGION = Concept("111030", "DCM", "Image Region")
PROBABILITY = Concept("122157", "DCM", "Probability")
OPERATING_POINT = Concept("operating_point", LOCAL, "Operating point (present at or above)")
NO_UNITS = Concept("1", "UCUM", "no units")
PRESENT = Concept("52101004", "SCT", "Present")  # CID 240
ABSENT = Concept("272519000", "SCT", "Absent")
UNDETERMINED = Concept("373068000", "SCT", "Undetermined")
PRIORITY = Concept("260870009", "SCT", "Priority")
ACTIONABLE = Concept("actionable", LOCAL, "Actionable finding classification")
IMAGE_QUALITY = Concept("111101", "DCM", "Image Quality")
QUALITY_ASSESSMENT = Concept("111050", "DCM", "Quality Assessment")  # CID 7036, as in PS3.20 10.9
QUALITY_FINDING = Concept("111052", "DCM", "Quality Finding")  # CID 6135
NOT_READ = Concept("not_read", LOCAL, "Not read by AI: reason")

VIEWS = MappingProxyType(  # CID 4010
    {
        ViewPosition.PA: Concept("272479007", "SCT", "postero-anterior"),
        ViewPosition.AP: Concept("399348003", "SCT", "antero-posterior"),
        ViewPosition.LATERAL: Concept("399067008", "SCT", "lateral"),
    }
)
PRIORITIES = MappingProxyType(
    {priority: Concept(f"priority_{priority.name.lower()}", LOCAL, priority.name) for priority in Priority}
)
ACR_CATEGORIES = MappingProxyType(  # CID 7035
    {
        Priority.STAT: Concept("RID49480", "RADLEX", "ACR Category 1 Actionable Finding"),
        Priority.HIGH: Concept("RID49481", "RADLEX", "ACR Category 2 Actionable Finding"),
        Priority.ROUTINE: Concept("RID49482", "RADLEX", "ACR Category 3 Actionable Finding"),
    }
)
REJECTIONS = MappingProxyType(
    {code: Concept(code.value, LOCAL, f"Not read: {code.value.replace('_', ' ')}") for code in RejectionCode}
)
MODALITIES = MappingProxyType(  # CID 29
    {
        str(code.value): Concept(code.value, code.scheme_designator, code.meaning)
        for code in codes.cid29.concepts.values()
    }
)

CHEST = Concept("51185008", "SCT", "Thoracic structure")
LUNG = Concept("39607008", "SCT", "Lung")
HEART = Concept("80891009", "SCT", "Heart")
PLEURA = Concept("3120008", "SCT", "Pleura")
# Where a finding lies by its meaning, not by its heatmap; a finding that is not listed lies in the chest.
SITES = MappingProxyType(
    {
        **dict.fromkeys(("pneumothorax", "pleural_effusion", "pleural_thickening", "tension_pneumothorax"), PLEURA),
        **dict.fromkeys(("atelectasis", "infiltration", "mass", "nodule", "pneumonia", "consolidation"), LUNG),
        **dict.fromkeys(("edema", "emphysema", "fibrosis", "lung_opacity", "tuberculosis"), LUNG),
        "cardiomegaly": HEART,
    }
)


@lru_cache(maxsize=1024)
def concept_of(code: Code) -> Concept:
    """The code of a pack, in the characters and lengths of a code sequence (PS3.3 section 8)."""
    return Concept(plain(code.value), plain(code.scheme, 16), plain(code.meaning, 64))
