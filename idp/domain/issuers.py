"""Other issuers whose word counts here (RFC 7523 section 3): whose keys, which of our clients
may bring it, and which of our people their subjects are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from idp.domain.metadata.shapes import InvalidMetadata, jwks, one_of, strings, text, web_uri
from idp.store import DbSession, Json, writing
from idp.store.clients import TrustedIssuer

__all__ = ["Issuers", "TrustedIssuer"]

LONGEST_ISSUER = 512
MOST_SUBJECTS = 10_000
SUBJECT_IS = ("username", "sub")
MEMBERS = {"jwks", "jwks_uri", "clients", "scopes", "subjects", "subject_is"}


class Issuers:
    """All issuers an operator trusts."""

    def __init__(self, session: DbSession, *, loopback: bool) -> None:
        self._session = session
        self._loopback = loopback

    def trust(self, issuer: str, details: Mapping[str, Any], now: datetime) -> TrustedIssuer:
        """Trust an issuer from now on, or on other terms than before; raises `InvalidMetadata`."""
        if len(issuer) > LONGEST_ISSUER:
            raise InvalidMetadata("the issuer's address is too long")
        kept = _checked(details, loopback=self._loopback)
        web_uri("issuer", issuer, loopback=self._loopback)
        writing(self._session)
        row = self.find(issuer)
        if row is None:
            row = TrustedIssuer(issuer=issuer, details=kept, created_at=now)
            self._session.add(row)
        row.details = kept
        self._session.flush()
        return row

    def find(self, issuer: str) -> TrustedIssuer | None:
        """The issuer of exactly this name, if it is trusted (JOS-13)."""
        return self._session.get(TrustedIssuer, issuer, populate_existing=True)

    def list(self) -> Sequence[TrustedIssuer]:
        """All of them, by name."""
        return self._session.scalars(select(TrustedIssuer).order_by(TrustedIssuer.issuer)).all()

    def distrust(self, issuer: str) -> bool:
        """Its word counts no more; what was given for it runs out."""
        writing(self._session)
        gone = delete(TrustedIssuer).where(TrustedIssuer.issuer == issuer)
        return self._session.connection().execute(gone).rowcount == 1


def _checked(details: Mapping[str, Any], *, loopback: bool) -> Json:
    if set(details) - MEMBERS:
        raise InvalidMetadata(f"an issuer has {', '.join(sorted(MEMBERS))}, and nothing else")
    kept: Json = {name: strings(name, details.get(name, [])) for name in ("clients", "scopes")}
    if ("jwks" in details) == ("jwks_uri" in details):
        raise InvalidMetadata("an issuer has either jwks or jwks_uri")
    if "jwks" in details:
        kept["jwks"] = jwks("jwks", details["jwks"])
    else:
        kept["jwks_uri"] = web_uri("jwks_uri", details["jwks_uri"], loopback=loopback)
    if ("subjects" in details) == ("subject_is" in details):
        raise InvalidMetadata("say of whom it speaks: either subjects or subject_is")
    if "subjects" in details:
        kept["subjects"] = _subjects(details["subjects"])
    else:
        kept["subject_is"] = one_of(*SUBJECT_IS)("subject_is", details["subject_is"])
    if not kept["clients"]:
        raise InvalidMetadata("an issuer has at least one client that may bring its word")
    return kept


def _subjects(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_SUBJECTS:
        raise InvalidMetadata("subjects is not an object of their subjects and our usernames")
    return {text("subjects", theirs): text("subjects", ours) for theirs, ours in value.items()}
