"""The words that the records use for where a study, a reading, a delivery and a study's way stand."""

from enum import StrEnum


class StudyStatus(StrEnum):
    """Where a study stands on the worklist."""

    RECEIVED = "received"  # at least one image waits, and none was read
    READ = "read"  # at least one image was read
    NOT_READ = "not_read"  # every image was refused; the reason says why


class ReadingStatus(StrEnum):
    """What became of one radiograph before one model."""

    READ = "read"
    NOT_READ = "not_read"


class DeliveryStatus(StrEnum):
    """Where one result stands on its way to one destination."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  # no longer tried by itself; kept until a person says 'retry'


class HopKind(StrEnum):
    """A step on a study's way, for 'where is my study?'."""

    RECEIVED = "received"
    REPEATED = "repeated"  # the same pixels with another header or in another syntax
    CONFLICT = "conflict"
    OWN_RESULT = "own_result"
    READ = "read"
    NOT_READ = "not_read"
    REPORTED = "reported"
    REPORT_FAILED = "report_failed"  # by a defect, after several tries
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"  # it is tried again
    DELIVERY_DEAD = "delivery_dead"
    DELIVERY_RETRIED = "delivery_retried"


class AuditAction(StrEnum):
    """What somebody did that the audit trail keeps."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, no password
    ACCOUNT_ADDED = "account_added"
    ACCOUNT_CHANGED = "account_changed"
    ACCOUNT_INVITED = "account_invited"
    TOKEN_MADE = "token_made"  # noqa: S105 - a word, no token
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a word, no token
    STUDY_VIEWED = "study_viewed"
    STUDY_CLAIMED = "study_claimed"
    STUDY_RELEASED = "study_released"
    STUDY_FINISHED = "study_finished"
    DELIVERIES_RETRIED = "deliveries_retried"


class Verdict(StrEnum):
    """What a reader answers to a model, finding by finding."""

    AGREE = "agree"
    FALSE_ALERT = "false_alert"
    MISSED = "missed"
    CANNOT_SAY = "cannot_say"
    WITHDRAWN = "withdrawn"  # takes an earlier answer back
