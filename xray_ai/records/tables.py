"""All tables, one schema on SQLite and PostgreSQL; only `studies`, and notes of readers, hold words of patients."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from xray_ai.domain.access import Role
from xray_ai.domain.received import Repeat, Route
from xray_ai.records.column_types import LONGEST_UID, FindingKeys, Permissions, PriorityNumber, Scores, UtcTime, word
from xray_ai.records.words import AuditAction, DeliveryStatus, HopKind, ReadingStatus, StudyStatus, Verdict

LONGEST_DEMOGRAPHIC = 256  # characters; a Person Name has up to 194 (PS3.5 6.2)
LONGEST_SENDER = 255  # characters; a host name has up to 253
LONGEST_ACCOUNT = 64
LONGEST_DISPLAY_NAME = 128

uid = String(LONGEST_UID)
digest = String(64)
key = String(64)
account = String(LONGEST_ACCOUNT)
serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by INTEGER alone

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

studies = Table(
    "studies",
    metadata,
    Column("study_instance_uid", uid, primary_key=True),
    Column("patient_name", String(LONGEST_DEMOGRAPHIC), nullable=False),
    Column("patient_id", String(LONGEST_DEMOGRAPHIC), nullable=False),
    Column("patient_birth_date", String(LONGEST_DEMOGRAPHIC), nullable=False),
    Column("patient_sex", String(LONGEST_DEMOGRAPHIC), nullable=False),
    Column("study_date", String(LONGEST_DEMOGRAPHIC), nullable=False),
    Column("study_time", String(LONGEST_DEMOGRAPHIC), nullable=False),
    Column("accession_number", String(LONGEST_DEMOGRAPHIC), nullable=False),
    Column("study_description", String(LONGEST_DEMOGRAPHIC), nullable=False),
    Column("patient_age", String(LONGEST_DEMOGRAPHIC), nullable=False, default=""),
    Column("station_name", String(LONGEST_DEMOGRAPHIC), nullable=False, default=""),
    Column("modalities", String(LONGEST_DEMOGRAPHIC), nullable=False, default=""),
    Column("search_text", Text, nullable=False, default=""),  # name, ID and accession number, folded
    Column("status", word(StudyStatus), nullable=False),
    Column("reason", Text),  # of NOT_READ, for people
    Column("reason_code", String(64)),  # of NOT_READ, for programs
    Column("ordered_priority", PriorityNumber, nullable=False),
    Column("priority", PriorityNumber, nullable=False),  # never below the ordered one
    Column("effective_priority", PriorityNumber, nullable=False),  # never below `priority`: a long wait lifts it
    Column("because", FindingKeys, nullable=False),
    Column("flags", Scores, nullable=False, default=()),  # the scores behind `because`
    Column("abnormality", Float),
    Column("conflicts", Integer, nullable=False, default=0),  # other pixels under a known SOP Instance UID
    Column("received_at", UtcTime, nullable=False),
    Column("last_received_at", UtcTime, nullable=False),
    Column("read_at", UtcTime),
    Column("reader", account),  # whoever claimed it; none: it waits for a reader
    Column("reader_since", UtcTime),
    Column("is_finished", Boolean, nullable=False, default=False),
    Column("version", BigInteger, nullable=False, default=0),  # grows over all studies with each change of one
    Index(None, "last_received_at"),
    Index(None, "received_at", "study_instance_uid"),
    Index(None, "study_date", "study_time", "study_instance_uid"),
    Index(None, "search_text", "study_instance_uid"),
    Index(None, "accession_number", "study_instance_uid"),
    Index(None, "version"),
)
Index(
    "ix_studies_urgency",
    studies.c.is_finished,
    studies.c.effective_priority.desc(),
    studies.c.received_at,
    studies.c.study_instance_uid,
)

received_instances = Table(  # every distinct byte version that came
    "received_instances",
    metadata,
    Column("number", serial, primary_key=True),  # in the order in which they came
    Column("sop_instance_uid", uid, nullable=False),
    Column("study_instance_uid", uid, nullable=False),
    Column("sop_class_uid", uid, nullable=False),
    Column("transfer_syntax_uid", uid, nullable=False),
    Column("digest", digest, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("repeat", word(Repeat), nullable=False),
    Column("calling_ae_title", String(LONGEST_SENDER), nullable=False),
    Column("called_ae_title", String(LONGEST_SENDER), nullable=False),
    Column("host", String(LONGEST_SENDER), nullable=False),
    Column("via", word(Route), nullable=False),
    Column("first_received_at", UtcTime, nullable=False),
    Column("last_received_at", UtcTime, nullable=False),
    Column("times_received", Integer, nullable=False),
    UniqueConstraint("sop_instance_uid", "digest"),
    Index(None, "study_instance_uid"),
    Index(None, "digest"),
)

readings = Table(  # one radiograph by one model
    "readings",
    metadata,
    Column("sop_instance_uid", uid, primary_key=True),
    Column("model_digest", digest, primary_key=True),
    Column("study_instance_uid", uid, nullable=False),
    Column("source_digest", digest, nullable=False),  # the bytes that were read
    Column("is_listed", Boolean, nullable=False),  # False: by a model in shadow, which the worklist does not show
    Column("status", word(ReadingStatus), nullable=False),
    Column("reason_code", String(64)),
    Column("reason_text", Text),
    Column("scores", Scores, nullable=False),
    Column("because", FindingKeys, nullable=False),
    Column("priority", PriorityNumber),
    Column("abnormality", Float),
    Column("detail", JSON, nullable=False),  # what else the report needs: notes, scope answers
    Column("heatmap_digest", digest),
    Column("seconds", Float, nullable=False),
    Column("read_at", UtcTime, nullable=False),
    Index(None, "study_instance_uid"),
    Index(None, "heatmap_digest"),
)

evidence = Table(  # all that was composed about one study at one time
    "evidence",
    metadata,
    Column("evidence_key", key, primary_key=True),
    Column("study_instance_uid", uid, nullable=False),
    Column("revision", Integer, nullable=False),  # 1 is the first
    Column("predecessor", key),
    Column("composed_at", UtcTime, nullable=False),
    UniqueConstraint("study_instance_uid", "revision"),
)

evidence_objects = Table(  # an item ('sr', 'sc of that image') in each form that a destination may take
    "evidence_objects",
    metadata,
    Column("sop_instance_uid", uid, primary_key=True),
    Column("evidence_key", key, ForeignKey("evidence.evidence_key", ondelete="CASCADE"), nullable=False),
    Column("item", String(128), nullable=False),
    Column("form", String(64), nullable=False),
    Column("localisation", Boolean, nullable=False),
    Column("sop_class_uid", uid, nullable=False),
    Column("transfer_syntax_uid", uid, nullable=False),
    Column("digest", digest, nullable=False),
    Index(None, "evidence_key"),
    Index(None, "digest"),
)

evidence_images = Table(  # which images an evidence is about, and what was made of each
    "evidence_images",
    metadata,
    Column("evidence_key", key, ForeignKey("evidence.evidence_key", ondelete="CASCADE"), primary_key=True),
    Column("sop_instance_uid", uid, primary_key=True),
    Column("source_digest", digest, nullable=False),  # the bytes whose header the results carry
    Column("outcome_digest", digest, nullable=False),
    Index(None, "outcome_digest"),
)

deliveries = Table(  # one item of one evidence to one destination
    "deliveries",
    metadata,
    Column("number", serial, primary_key=True),
    Column("evidence_key", key, ForeignKey("evidence.evidence_key", ondelete="CASCADE"), nullable=False),
    Column("item", String(128), nullable=False),
    Column("destination", String(128), nullable=False),
    Column("study_instance_uid", uid, nullable=False),
    Column("status", word(DeliveryStatus), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    Column("planned_at", UtcTime, nullable=False),
    Column("next_try_at", UtcTime),
    Column("delivered_at", UtcTime),
    Column("delivered_uid", uid),  # the SOP Instance UID of the form that was taken
    UniqueConstraint("evidence_key", "item", "destination"),
    Index(None, "status", "next_try_at"),
    Index(None, "study_instance_uid"),
)

hops = Table(  # where a study has been, and why
    "hops",
    metadata,
    Column("number", serial, primary_key=True),
    Column("study_instance_uid", uid, nullable=False),
    Column("sop_instance_uid", uid),
    Column("at", UtcTime, nullable=False),
    Column("what", word(HopKind), nullable=False),
    Column("reason", Text, nullable=False),
    Index(None, "study_instance_uid"),
)

workers = Table(  # who is alive
    "workers",
    metadata,
    Column("worker", String(128), primary_key=True),  # the engine's executor id
    Column("role", String(64), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("heartbeat_at", UtcTime, nullable=False),
)

carried_totals = Table(  # what deleted rows add to numbers that never fall
    "carried_totals",
    metadata,
    Column("counted", String(64), primary_key=True),
    Column("label", String(128), primary_key=True),
    Column("total", Float, nullable=False),
)

accounts = Table(  # people; a name is kept in lower case
    "accounts",
    metadata,
    Column("name", account, primary_key=True),
    Column("display_name", String(LONGEST_DISPLAY_NAME), nullable=False),
    Column("role", word(Role), nullable=False),
    Column("password_hash", String(256)),  # none: the invitation was not taken up yet
    Column("is_active", Boolean, nullable=False),
    Column("language", String(16)),
    Column("blind_mode", Boolean, nullable=False),
    Column("alerts", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime),
)

sessions = Table(  # who is signed in; the secret itself is with the browser alone
    "sessions",
    metadata,
    Column("digest", digest, primary_key=True),
    Column("account", account, ForeignKey("accounts.name"), nullable=False),
    Column("csrf_token", String(64), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False),
    Index(None, "account"),
)

invitations = Table(  # to choose a password, once
    "invitations",
    metadata,
    Column("digest", digest, primary_key=True),
    Column("account", account, ForeignKey("accounts.name"), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index(None, "account"),
)

tokens = Table(  # of programs
    "tokens",
    metadata,
    Column("token_id", String(32), primary_key=True),
    Column("name", String(LONGEST_DISPLAY_NAME), nullable=False),
    Column("digest", digest, nullable=False, unique=True),
    Column("permissions", Permissions, nullable=False),
    Column("created_by", String(LONGEST_DISPLAY_NAME), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
)

audit = Table(  # who did what, and saw which study; rows are added, never changed
    "audit",
    metadata,
    Column("number", serial, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("who", String(LONGEST_DISPLAY_NAME), nullable=False),
    Column("action", word(AuditAction), nullable=False),
    Column("study_instance_uid", uid),
    Column("detail", String(256), nullable=False),  # an account, a token's name; never a patient
    Index(None, "study_instance_uid"),
    Index(None, "who"),
)

adjudications = Table(  # what a reader answered to a model; rows are added, never changed
    "adjudications",
    metadata,
    Column("number", serial, primary_key=True),
    Column("adjudication_id", String(64), nullable=False, unique=True),
    Column("study_instance_uid", uid, nullable=False),
    Column("sop_instance_uid", uid, nullable=False),
    Column("finding", String(64), nullable=False),
    Column("verdict", word(Verdict), nullable=False),
    Column("box", JSON(none_as_null=True)),  # where a missed finding is, in pixels of the image
    Column("note", Text),
    Column("account", account, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("seconds", Float, nullable=False),  # from opening the image to the answer
    Column("saw_ai", Boolean, nullable=False),
    Column("model_digest", digest),  # what was answered to; none: the image was not read
    Column("withdraws", String(64), unique=True),  # the adjudication that this row takes back
    Index(None, "study_instance_uid"),
)
