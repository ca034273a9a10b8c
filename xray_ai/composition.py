"""Composes the evidence of a study from what records and object store hold of it: the same evidence, the same bytes."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from xray_ai import log
from xray_ai.deliver.outgoing_file import outgoing_file
from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.errors import StudyRejected
from xray_ai.objects import LocalObjects
from xray_ai.reading_room import ReadingRoom, report_study, result_image
from xray_ai.records import evidence, readings, received_instances
from xray_ai.records.database import reading, writing
from xray_ai.records.evidence import EvidenceImage, EvidenceKey, EvidenceObject
from xray_ai.results.study_result import StudyImage
from xray_ai.stored_outcome import from_bytes

SR_ITEM, SC_ITEM = "sr", "sc"  # an item of a secondary capture also names the image that it shows


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that decides what is written about a study."""

    study_instance_uid: StudyInstanceUID
    images: tuple[EvidenceImage, ...]
    read_at: datetime  # the last reading; results carry it
    predecessor: EvidenceKey | None

    @property
    def key(self) -> EvidenceKey:
        """Name the evidence by what it is about: drafted again it is the same one."""
        images = [[image.sop_instance_uid, image.source_digest, image.outcome_digest] for image in self.images]
        facts = json.dumps([self.study_instance_uid, images, self.read_at.isoformat(), self.predecessor])
        return EvidenceKey(hashlib.sha256(facts.encode()).hexdigest())


def draft(connection: Connection, study: StudyInstanceUID) -> Draft | None:
    """Gather the newest reading of each image of a study; None where that is reported already."""
    newest = {made.sop_instance_uid: made for made in readings.of_study(connection, study)}
    here = received_instances.instances_of_study(connection, study)
    judged = [(version, newest[version.sop_instance_uid]) for version in here if version.sop_instance_uid in newest]
    images = tuple(
        EvidenceImage(version.sop_instance_uid, version.digest, made.heatmap_digest)
        for version, made in judged
        if made.heatmap_digest is not None
    )
    last = evidence.newest(connection, study)
    if not images or (last is not None and last.images == images):
        return None
    return Draft(study, images, max(made.read_at for _, made in judged), last.evidence_key if last else None)


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes, and keeps what it composed."""

    engine: Engine
    objects: LocalObjects
    room: ReadingRoom

    def compose(self, about: Draft, options: ResultOptions) -> tuple[EvidenceObject, ...]:
        """Compose the evidence in one form; its objects are kept and not recorded yet."""
        images = [image for image in (self._image(one, options) for one in about.images) if image is not None]
        if not images:
            return ()
        predecessor = self._report_of(about.predecessor, options)
        composed = report_study(self.room, images, about.read_at.astimezone(), options, predecessor)
        items = {SR_ITEM: composed.structured_report}
        items |= {f"{SC_ITEM} {uid}": capture for uid, capture in composed.secondary_captures.items()}
        return tuple(self._keep(item, content, options) for item, content in items.items() if content is not None)

    def in_form(self, key: EvidenceKey, options: ResultOptions) -> tuple[EvidenceObject, ...]:
        """The objects of a recorded evidence in one form; composed where nobody asked for that form before."""
        with reading(self.engine) as connection:
            known = evidence.find(connection, key)
        if known is None:
            return ()
        form = form_of(options)
        made = tuple(one for one in known.objects if (one.form, one.localisation) == (form, options.localisation))
        if made:
            return made
        about = Draft(known.study_instance_uid, known.images, known.composed_at, known.predecessor)
        made = self.compose(about, options)
        with writing(self.engine) as connection:
            if evidence.find(connection, key) is not None:  # else it expired meanwhile
                evidence.add_objects(connection, key, made)
        return made

    def _report_of(self, key: EvidenceKey | None, options: ResultOptions) -> SOPInstanceUID | None:
        """The predecessor in the same form: what a destination that takes this form has."""
        made = self.in_form(key, options) if key is not None else ()
        return next((one.sop_instance_uid for one in made if one.item == SR_ITEM), None)

    def _image(self, image: EvidenceImage, options: ResultOptions) -> StudyImage | None:
        outcome = from_bytes(self.objects.path(image.outcome_digest).read_bytes())
        try:
            return result_image(self.objects.path(image.source_digest), outcome, options)
        except StudyRejected as gone:  # not even its header can be opened
            log.warning("radiograph.not_reported", object=log.key_of(image.sop_instance_uid), reason=gone.code.value)
            return None
        finally:
            self.objects.used(image.source_digest)

    def _keep(self, item: str, content: bytes, options: ResultOptions) -> EvidenceObject:
        digest = self.objects.put(content)
        file = outgoing_file(self.objects.path(digest))
        return EvidenceObject(
            item=item,
            form=form_of(options),
            localisation=options.localisation,
            sop_instance_uid=file.sop_instance_uid,
            sop_class_uid=file.sop_class_uid,
            transfer_syntax_uid=file.transfer_syntax_uid,
            digest=digest,
        )


def form_of(options: ResultOptions) -> str:
    """The form of all objects of one composition; whatever changes one of them changes the UIDs of all."""
    return f"{options.sr_form.value}/{options.sc_form.value}"
