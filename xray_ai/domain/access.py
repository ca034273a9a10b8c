"""Who may do what: roles, and the permissions that each of them has."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What somebody, or some program, is here for."""

    RADIOLOGIST = "radiologist"
    ADMINISTRATOR = "administrator"
    RESEARCHER = "researcher"
    SERVICE = "service"  # a program that shows a token


class Permission(StrEnum):
    """What may be allowed; each route names one."""

    SEE_STUDIES = "studies.see"  # the worklist and all that is known of a study, patients' names among it
    VIEW_IMAGES = "images.view"  # pixels and headers
    CLAIM_STUDIES = "studies.claim"
    RELEASE_STUDIES = "studies.release"  # one's own; whoever claims none may release anybody's
    ADJUDICATE = "studies.adjudicate"
    SEE_OPERATIONS = "operations.see"  # queues, deliveries, destinations, metrics
    MEND_OPERATIONS = "operations.mend"  # try again, test a connection
    SEE_MODELS = "models.see"
    MANAGE_ACCOUNTS = "accounts.manage"  # accounts and tokens
    SEE_AUDIT = "audit.see"


GRANTS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.RADIOLOGIST: frozenset(
            {
                Permission.SEE_STUDIES,
                Permission.VIEW_IMAGES,
                Permission.CLAIM_STUDIES,
                Permission.RELEASE_STUDIES,
                Permission.ADJUDICATE,
                Permission.SEE_MODELS,
            }
        ),
        Role.ADMINISTRATOR: frozenset(Permission) - {Permission.CLAIM_STUDIES, Permission.ADJUDICATE},
        Role.RESEARCHER: frozenset({Permission.SEE_MODELS, Permission.SEE_OPERATIONS}),
        Role.SERVICE: frozenset(),  # a token has the permissions that it was given, no more
    }
)

# What who holds http.token may do: all but what a person answers for.
UNATTENDED = frozenset(Permission) - {Permission.CLAIM_STUDIES, Permission.RELEASE_STUDIES, Permission.ADJUDICATE}
# What this machine may do before there are accounts: any program on it can ask, so it makes none.
LOCAL = UNATTENDED - {Permission.MANAGE_ACCOUNTS, Permission.SEE_AUDIT}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str  # of the account, or of the token
    role: Role
    permissions: frozenset[Permission]
