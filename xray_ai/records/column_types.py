"""What stands in a column: times in UTC, priorities as numbers, words, lists of words, and scores."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import JSON, DateTime, Dialect, Enum, SmallInteger, TypeDecorator

from xray_ai.domain.access import Permission
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
LONGEST_UID = 64
LONGEST_WORD = 32


@dataclass(frozen=True, slots=True)
class RecordedScore:
    """A score as it was when the radiograph was read, whatever the pack says today."""

    finding: FindingKey
    probability: float  # 0.0 to 1.0
    operating_point: float
    rule_out_point: float


class UtcTime(TypeDecorator[datetime]):
    """A moment with its time zone; kept in UTC, so that it sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the library's
        if value is not None and value.tzinfo is None:
            message = "A moment without a time zone cannot be recorded."
            raise ValueError(message)
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the library's
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PriorityNumber(TypeDecorator[Priority]):
    """A priority; the higher number goes first."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: Priority | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - the library's
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Priority | None:  # noqa: ARG002 - the library's
        return None if value is None else Priority(value)


class FindingKeys(TypeDecorator[tuple[FindingKey, ...]]):
    """Findings by their keys, the most urgent first."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[FindingKey, ...] | None, dialect: Dialect) -> list[str]:  # noqa: ARG002 - the library's
        return [str(key) for key in value or ()]

    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> tuple[FindingKey, ...]:  # noqa: ARG002 - the library's
        return tuple(FindingKey(key) for key in value or ())


class Permissions(TypeDecorator[frozenset[Permission]]):
    """What a token allows."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: frozenset[Permission] | None, dialect: Dialect) -> list[str]:  # noqa: ARG002 - the library's
        return sorted(value or ())

    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> frozenset[Permission]:  # noqa: ARG002 - the library's
        return frozenset(Permission(word) for word in value or ())


class Scores(TypeDecorator[tuple[RecordedScore, ...]]):
    """All scores of a reading, in the pack's order."""

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self,
        value: tuple[RecordedScore, ...] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> list[dict[str, FindingKey | float]]:
        return [asdict(score) for score in value or ()]

    def process_result_value(
        self,
        value: list[dict[str, float]] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> tuple[RecordedScore, ...]:
        return tuple(
            RecordedScore(
                FindingKey(str(row["finding"])), row["probability"], row["operating_point"], row["rule_out_point"]
            )
            for row in value or ()
        )


def word(kind: type[StrEnum]) -> Enum:
    """One of our words, kept as text, so that a new word needs no migration."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=LONGEST_WORD,
        values_callable=lambda members: [member.value for member in members],
    )
