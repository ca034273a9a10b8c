"""Who may associate with us, judged by the titles in the request and by where it comes from."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Rejection:
    """An A-ASSOCIATE-RJ (PS3.8 9.3.4), and its reason in words."""

    result: int  # 1 permanent, 2 transient
    source: int  # 1 service user, 3 presentation related
    diagnostic: int
    reason: str


CONTEXT_UNKNOWN = Rejection(1, 1, 2, "application context name not supported")
CALLED_UNKNOWN = Rejection(1, 1, 7, "called AE title not recognised")
CALLING_UNKNOWN = Rejection(1, 1, 3, "calling AE title not allowed")
HOST_UNKNOWN = Rejection(1, 1, 3, "calling host not allowed")
STOPPING = Rejection(2, 3, 1, "the service is stopping")
TOO_MANY = Rejection(2, 3, 2, "too many associations")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for an association."""

    calling_ae_title: str
    called_ae_title: str
    application_context: str
    host: str
    our_host: str  # the address of ours that it called


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may. A list that is empty lets all pass; if both are, only this machine passes."""

    called_ae_titles: frozenset[str]
    calling_ae_titles: frozenset[str]
    calling_hosts: frozenset[str]  # addresses, or networks such as 10.1.0.0/16

    def rejection_of(self, caller: Caller) -> Rejection | None:
        """Say why this caller may not associate; None where it may."""
        if caller.application_context != APPLICATION_CONTEXT:
            return CONTEXT_UNKNOWN
        if caller.called_ae_title not in self.called_ae_titles:
            return CALLED_UNKNOWN
        if not self._knows_host(caller):
            return HOST_UNKNOWN
        if self.calling_ae_titles and caller.calling_ae_title not in self.calling_ae_titles:
            return CALLING_UNKNOWN
        return None

    def _knows_host(self, caller: Caller) -> bool:
        host = _address(caller.host)
        if self.calling_hosts:
            return any(host in ip_network(one, strict=False) for one in self.calling_hosts)
        return bool(self.calling_ae_titles) or host.is_loopback or host == _address(caller.our_host)


def _address(text: str) -> Address:
    """An address; one of IPv4 that arrived at a socket of IPv6 as what it is."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
