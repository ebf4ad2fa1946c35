"""Subject identifiers (RFC 9493): how a receiver of events names a person, and how we do."""

import json
from collections.abc import Mapping
from typing import Any

from idp.crypto.secrets import digest

LONGEST = 2048
MEMBERS: Mapping[str, tuple[str, ...]] = {
    "iss_sub": ("iss", "sub"),
    "email": ("email",),
    "phone_number": ("phone_number",),
    "account": ("uri",),
    "opaque": ("id",),
    "uri": ("uri",),
    "did": ("url",),
}

Subject = dict[str, Any]


class NoSubject(ValueError):
    """It is not an identifier of any format we know; the sentence is for the client."""


def read(given: object) -> Subject:
    """An identifier of a person, with the members of its format and no other. Of a complex one
    it is the user that counts.
    """
    if isinstance(given, dict) and given.get("format", "complex") == "complex":
        given = given.get("user")
    if not isinstance(given, dict):
        raise NoSubject("the subject is not an identifier")
    form = given.get("format")
    names = MEMBERS.get(form) if isinstance(form, str) else None
    if names is None:
        raise NoSubject("the format of the subject is not known")
    values = {name: given.get(name) for name in names}
    if not all(isinstance(value, str) and 0 < len(value) <= LONGEST for value in values.values()):
        raise NoSubject("a member of the subject is missing, or is no text")
    return {"format": form, **values}


def key(subject: Subject) -> bytes:
    """The same for each spelling: an address of e-mail has no upper case (section 3.2.2)."""
    said = subject | {"email": subject["email"].lower()} if "email" in subject else subject
    return digest(json.dumps(said, sort_keys=True))


def iss_sub(issuer: str, sub: str) -> Subject:
    """A person as a client knows them (section 3.2.3)."""
    return {"format": "iss_sub", "iss": issuer, "sub": sub}


def opaque(name: str) -> Subject:
    """Something that has a name and nothing else (section 3.2.4)."""
    return {"format": "opaque", "id": name}


def in_session(user: Subject, sid: str) -> Subject:
    """One person in one session (OpenID SSF 1.0 section 3.3)."""
    return {"format": "complex", "user": user, "session": opaque(sid)}


def contacts(claims: Mapping[str, Any]) -> list[Subject]:
    """How else a person may be named: by addresses that are known to be theirs."""
    found = []
    for name in ("email", "phone_number"):
        value = claims.get(name)
        if isinstance(value, str) and value and claims.get(f"{name}_verified") is True:
            found.append({"format": name, name: value})
    return found
