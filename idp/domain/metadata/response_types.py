"""What may come back from the authorization endpoint, and what a client needs for it.

A response type is a set of words: their order means nothing (OAuth 2.0 Multiple Response Type
Encoding Practices section 3), so every one has one spelling here.
"""

from collections.abc import Iterable
from typing import Any

from idp.domain.metadata.shapes import InvalidMetadata, strings

WORDS = ("code", "id_token", "token")
ALWAYS = ("code", "id_token", "code id_token")
LEGACY = ("id_token token", "code token", "code id_token token")  # a token in the address


def canonical(asked: str) -> str:
    """The one spelling of a response type; what is none stays what it is."""
    words = asked.split(" ")
    if set(words) <= set(WORDS) and len(words) == len(set(words)):
        return " ".join(word for word in WORDS if word in words)
    return asked


def supported(*, legacy: bool) -> tuple[str, ...]:
    """What this provider does; `legacy` is the operator's switch (design decision)."""
    return ALWAYS + (LEGACY if legacy else ())


def known(name: str, value: object) -> list[str]:
    """The response types of a client, each in its one spelling."""
    asked = list(dict.fromkeys(map(canonical, strings(name, value))))
    granted = [item for item in asked if item in ALWAYS + LEGACY]
    if asked and not granted:
        raise InvalidMetadata(f"{name} has no value that is supported")
    return granted


def settle(kept: dict[str, Any], *, legacy: bool) -> None:
    """Fill in what follows from what, and keep only what this provider does: the answer to a
    registration says what remained (RFC 7591 sections 2 and 2.1).
    """
    if "grant_types" not in kept:
        kept["grant_types"] = grants_for(kept.get("response_types", ("code",)))
    usual = ["code"] if "authorization_code" in kept["grant_types"] else []
    asked = kept.get("response_types", usual)
    kept["response_types"] = [item for item in asked if item in supported(legacy=legacy)]
    if asked and not kept["response_types"]:
        raise InvalidMetadata("response_types has no value that is supported")
    if len(kept["response_types"]) < len(asked):
        needed = grants_for(kept["response_types"])
        kept["grant_types"] = [
            item for item in kept["grant_types"] if item != "implicit" or item in needed
        ]


def grants_for(response_types: Iterable[str]) -> list[str]:
    """The grant types these need (Dynamic Client Registration section 2)."""
    words = {word for response_type in response_types for word in response_type.split()}
    needed = ["authorization_code"] if "code" in words else []
    return needed + (["implicit"] if words & {"id_token", "token"} else [])
