"""Whose result it is: patient, study and character set as the source has them, byte for byte.

Names are often mislabelled or undecodable, and the archive files a result under a mended name apart from
the study that it belongs to.
"""

import hashlib

from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset

from xray_ai.imaging.attributes import attempt
from xray_ai.results.carried_elements import carried, character_sets_of, empty, tags_of
from xray_ai.results.explicit_vr import framed

# Type 2 in every composite object: where the source lacks them they are written empty.
REQUIRED = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"),
)
PATIENT = (  # PS3.3 C.7.1.1
    *("PatientName", "PatientID", "IssuerOfPatientID", "TypeOfPatientID", "IssuerOfPatientIDQualifiersSequence"),
    *("SourcePatientGroupIdentificationSequence", "GroupOfPatientsIdentificationSequence", "PatientBirthDate"),
    *("PatientBirthTime", "PatientBirthDateInAlternativeCalendar", "PatientDeathDateInAlternativeCalendar"),
    *("PatientAlternativeCalendar", "PatientSex", "ReferencedPatientSequence", "ReferencedPatientPhotoSequence"),
    *("QualityControlSubject", "OtherPatientIDs", "OtherPatientIDsSequence", "OtherPatientNames", "PatientBirthName"),
    *("PatientMotherBirthName", "EthnicGroup", "EthnicGroupCodeSequence", "PatientComments", "ResponsiblePerson"),
    *("ResponsiblePersonRole", "ResponsibleOrganization", "PatientSpeciesDescription", "PatientSpeciesCodeSequence"),
    *("PatientBreedDescription", "PatientBreedCodeSequence", "BreedRegistrationSequence", "StrainDescription"),
    *("StrainNomenclature", "StrainStockSequence", "StrainAdditionalInformation", "StrainCodeSequence"),
    *("GeneticModificationsSequence", "PatientIdentityRemoved", "DeidentificationMethod"),
    "DeidentificationMethodCodeSequence",
)
CLINICAL_TRIAL = (  # PS3.3 C.7.1.3, C.7.2.3
    *("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID"),
    *("IssuerOfClinicalTrialProtocolID", "OtherClinicalTrialProtocolIDsSequence", "ClinicalTrialSiteName"),
    *("IssuerOfClinicalTrialSiteID", "ClinicalTrialSubjectID", "IssuerOfClinicalTrialSubjectID"),
    *("ClinicalTrialSubjectReadingID", "IssuerOfClinicalTrialSubjectReadingID", "ClinicalTrialTimePointID"),
    *("ClinicalTrialProtocolEthicsCommitteeName", "ClinicalTrialProtocolEthicsCommitteeApprovalNumber"),
    *("ClinicalTrialTimePointDescription", "LongitudinalTemporalOffsetFromEvent", "LongitudinalTemporalEventType"),
    *("ClinicalTrialTimePointTypeCodeSequence", "IssuerOfClinicalTrialTimePointID"),
    "ConsentForClinicalTrialUseSequence",
)
STUDY = (  # PS3.3 C.7.2.1
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription", "AccessionNumber"),
    *("IssuerOfAccessionNumberSequence", "ReferringPhysicianName", "ReferringPhysicianIdentificationSequence"),
    *("ConsultingPhysicianName", "ConsultingPhysicianIdentificationSequence", "ProcedureCodeSequence"),
    *("PhysiciansOfRecord", "PhysiciansOfRecordIdentificationSequence", "NameOfPhysiciansReadingStudy"),
    *("PhysiciansReadingStudyIdentificationSequence", "ReferencedStudySequence", "RequestingService"),
    *("RequestingServiceCodeSequence", "ReasonForPerformedProcedureCodeSequence"),
)
PATIENT_STUDY = (  # PS3.3 C.7.2.2
    *("AdmittingDiagnosesDescription", "AdmittingDiagnosesCodeSequence", "PatientAge", "PatientSize"),
    *("PatientSizeCodeSequence", "PatientBodyMassIndex", "MeasuredAPDimension", "MeasuredLateralDimension"),
    *("PatientWeight", "MedicalAlerts", "Allergies", "Occupation", "SmokingStatus", "AdditionalPatientHistory"),
    *("PregnancyStatus", "LastMenstrualDate", "PatientSexNeutered", "ReasonForVisit", "ReasonForVisitCodeSequence"),
    *("AdmissionID", "IssuerOfAdmissionIDSequence", "ServiceEpisodeID", "ServiceEpisodeDescription"),
    *("IssuerOfServiceEpisodeIDSequence", "PatientState"),
)

CARRIED = tags_of(("SpecificCharacterSet", *PATIENT, *CLINICAL_TRIAL, *STUDY, *PATIENT_STUDY))
NEVER_MISSING = tags_of(REQUIRED)


def carry_identity(source: Dataset, result: Dataset) -> None:
    """Give a result the patient, study and character set of its source, byte for byte, whatever they are.

    What the source lacks the result lacks, but for attributes of type 2, which are then empty. The result
    is Explicit VR Little Endian, and the bytes stay as they are when pydicom or `encoded` writes it.
    """
    for tag in CARRIED:
        result.pop(tag, None)
    for tag in NEVER_MISSING:
        result[tag] = empty(tag)
    for element in carried(source, CARRIED):
        result[element.tag] = element
    encodings = attempt(lambda: convert_encodings(character_sets_of(source)))
    result.set_original_encoding(False, True, encodings or "iso8859")  # noqa: FBT003 - Explicit VR, little endian


def identity_digest(source: Dataset) -> str:
    """SHA-256 of all that `carry_identity` carries."""
    elements = (framed(one.tag, str(one.VR), one.value or b"") for one in carried(source, CARRIED))
    return hashlib.sha256(b"".join(elements)).hexdigest()
