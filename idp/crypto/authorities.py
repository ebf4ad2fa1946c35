"""The certificate authorities whose word about a client counts, and what its certificate says.

Only `tls_client_auth` needs them (RFC 8705 section 2.1); a certificate that a client has made
for itself is known by its key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from idp.crypto.certificate import Certificate

LONGEST_CHAIN = 4
_FOR_CLIENTS = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_MORE_NAMES = {"emailAddress": NameOID.EMAIL_ADDRESS, "E": NameOID.EMAIL_ADDRESS}
_MORE_NAMES |= {
    "serialNumber": NameOID.SERIAL_NUMBER,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
}


@dataclass(frozen=True, slots=True)
class Authorities:
    """Those who may say which client a certificate is for."""

    certificates: tuple[x509.Certificate, ...]

    @classmethod
    def from_pem(cls, pem: bytes) -> "Authorities":
        """The authorities of a PEM file; raises ValueError when there is none in it."""
        return cls(tuple(x509.load_pem_x509_certificates(pem)))

    def vouch_for(self, certificate: Certificate, now: datetime) -> bool:
        """Whether one of them issued it, for a client, and it is good today (RFC 5280)."""
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store(list(self.certificates)))
            .time(now)
            .max_chain_depth(LONGEST_CHAIN)
            .extension_policies(
                ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(), ee_policy=_OF_CLIENTS
            )
            .build_client_verifier()
        )
        try:
            verifier.verify(certificate.content, [])
        except verification.VerificationError:
            return False
        return True


def subject_name(text: str) -> x509.Name:
    """A subject's distinguished name as RFC 4514 spells it; raises ValueError."""
    return x509.Name.from_rfc4514_string(text, _MORE_NAMES)


def names(certificate: Certificate, member: str, wanted: str) -> bool:
    """Whether a certificate carries the one name a client has registered under this member
    (RFC 8705 section 2.1.2). Names are compared whole; there are no wildcards.
    """
    return _IN[member](certificate.content, wanted)


def _in_subject(content: x509.Certificate, wanted: str) -> bool:
    return content.subject == subject_name(wanted)


def _in_dns(content: x509.Certificate, wanted: str) -> bool:
    return wanted.lower() in {str(name).lower() for name in _alternative(content, x509.DNSName)}


def _in_uri(content: x509.Certificate, wanted: str) -> bool:
    return wanted in _alternative(content, x509.UniformResourceIdentifier)


def _in_ip(content: x509.Certificate, wanted: str) -> bool:
    return ip_address(wanted) in _alternative(content, x509.IPAddress)


def _in_email(content: x509.Certificate, wanted: str) -> bool:
    return wanted in _alternative(content, x509.RFC822Name)


def _alternative(content: x509.Certificate, kind: type[x509.GeneralName]) -> list[object]:
    try:
        found = content.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [name.value for name in found.value if isinstance(name, kind)]


def _is_for_clients(
    policy: verification.Policy, content: x509.Certificate, usage: x509.ExtendedKeyUsage | None
) -> None:
    if usage is not None and not _FOR_CLIENTS & set(usage):
        raise ValueError("not for clients")


_IN: dict[str, Callable[[x509.Certificate, str], bool]] = {
    "tls_client_auth_subject_dn": _in_subject,
    "tls_client_auth_san_dns": _in_dns,
    "tls_client_auth_san_uri": _in_uri,
    "tls_client_auth_san_ip": _in_ip,
    "tls_client_auth_san_email": _in_email,
}
NAME_MEMBERS = tuple(_IN)
_OF_CLIENTS = verification.ExtensionPolicy.permit_all().may_be_present(
    x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, _is_for_clients
)
