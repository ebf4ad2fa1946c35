"""What a client calls people: everybody's name, or one of its own sector (OpenID Connect Core
section 8.1).
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from idp.domain.metadata.shapes import InvalidMetadata, one_of

SUBJECT_TYPES = ("public", "pairwise")

CHECKS: dict[str, Callable[[str, Any], Any]] = {"subject_type": one_of(*SUBJECT_TYPES)}


def sector_of(kept: Mapping[str, Any]) -> str | None:
    """The sector of a client whose names are pairwise: the host of its sector identifier, or the
    one host it lives at. None where names are everybody's.
    """
    if kept.get("subject_type") != "pairwise":
        return None
    hosts = _hosts(kept)
    return hosts.pop() if len(hosts) == 1 else ""


def agree(kept: Mapping[str, Any]) -> None:
    """A client that lives at several hosts says by a document which of them belong together."""
    if sector_of(kept) == "":
        raise InvalidMetadata("pairwise subjects need a sector_identifier_uri, or one host")


def _hosts(kept: Mapping[str, Any]) -> set[str]:
    """One host, if all is well. Who is asked without a browser lives where its keys are (CIBA
    Core section 4).
    """
    named = kept.get("sector_identifier_uri")
    addresses = [named] if named else kept.get("redirect_uris") or [kept.get("jwks_uri", "")]
    return {urlsplit(address).hostname or "" for address in addresses}
