"""The keys a token works with: what its `cnf` claim names (RFC 7800 section 3.1)."""

from collections.abc import Mapping
from dataclasses import dataclass

_JKT, _X5T = "jkt", "x5t#S256"


class NotUnderstood(ValueError):
    """Bound in a way nobody here can check; what cannot be checked is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Whoever uses the token must prove every key that is named, and none if none is.

    `jkt` is a key that is proven by DPoP (RFC 9449 section 6.1), `x5t` the certificate of a TLS
    connection (RFC 8705 section 3.1).
    """

    jkt: str | None = None
    x5t: str | None = None

    def __bool__(self) -> bool:
        return self.jkt is not None or self.x5t is not None

    @property
    def claim(self) -> dict[str, str]:
        """The value of `cnf`; empty for a token that works in any hands."""
        said = {_JKT: self.jkt, _X5T: self.x5t}
        return {name: value for name, value in said.items() if value is not None}

    def met_by(self, proven: "Confirmation") -> bool:
        """Whether every key that is named was proven, and no other one (RFC 9449 section 7.2).

        A certificate that nobody asked for is part of the connection, and proves nothing here.
        """
        return self.jkt == proven.jkt and self.x5t in (None, proven.x5t)


UNBOUND = Confirmation()


def confirmation_of(cnf: object) -> Confirmation:
    """What a `cnf` claim names; raises `NotUnderstood`."""
    if cnf is None:
        return UNBOUND
    if not isinstance(cnf, Mapping) or not cnf or not set(cnf) <= {_JKT, _X5T}:
        raise NotUnderstood("bound in a way nobody here can check")
    if not all(isinstance(value, str) for value in cnf.values()):
        raise NotUnderstood("a thumbprint is not a string")
    return Confirmation(jkt=cnf.get(_JKT), x5t=cnf.get(_X5T))
