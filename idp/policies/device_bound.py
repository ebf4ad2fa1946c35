"""A token works only in the hands that hold its key (RFC 9449, RFC 8705)."""

from typing import ClassVar

from idp.policies.model import Draft, Live, Policy, Presented, Refuse, TokenFacts, Unmintable


class DeviceBound(Policy):
    """Each token names a key, and each call proves that it is held; a copy is worth nothing."""

    name: ClassVar[str] = "device_bound"
    summary: ClassVar[str] = "Tokens bound to a key on the device; a copy is worth nothing."
    for_lines: ClassVar[bool] = True
    for_access: ClassVar[bool] = True
    binds: ClassVar[bool] = True

    def draft(self, draft: Draft) -> Draft:
        if draft.jkt is None and draft.x5t is None:
            raise Unmintable("invalid_dpop_proof", "send a DPoP proof: the token is bound to a key")
        return draft

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        bound = token.jkt is not None or token.x5t is not None
        proven = token.jkt in (None, seen.proven_jkt) and token.x5t in (None, seen.proven_x5t)
        return None if bound and proven else Refuse("no proof of its key")
