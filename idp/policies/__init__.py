"""Ten pure decisions, one file each: `POLICIES` names them, `PolicySet` makes several act as one.

They run in the provider and in the guard of an API, from the same files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from idp.policies.allow_list import AllowList
from idp.policies.device_bound import DeviceBound
from idp.policies.jti_denylist import JtiDenylist
from idp.policies.model import (
    Asks,
    Draft,
    Effect,
    Ends,
    Live,
    Policy,
    Presented,
    Refuse,
    TokenFacts,
    Unmintable,
)
from idp.policies.opaque import Opaque
from idp.policies.per_audience import PerAudience
from idp.policies.rotation import Rotation
from idp.policies.session_state import SessionState
from idp.policies.short_jwt import ShortJwt
from idp.policies.sliding import Sliding
from idp.policies.sso import Sso

__all__ = ["POLICIES", "Asks", "Contradiction", "Draft", "Effect", "Ends", "Live", "Policy"]
__all__ += ["PolicySet", "Presented", "Refuse", "TokenFacts", "UnknownPolicy", "Unmintable"]

_ALL: tuple[Policy, ...] = (
    ShortJwt(),
    AllowList(),
    Rotation(),
    Opaque(),
    Sliding(),
    JtiDenylist(),
    SessionState(),
    PerAudience(),
    DeviceBound(),
    Sso(),
)
POLICIES: dict[str, Policy] = {policy.name: policy for policy in _ALL}


class UnknownPolicy(ValueError):
    """A policy nobody knows is refused where it is named, not ignored where it counts."""


class Contradiction(ValueError):
    """Policies that cannot both be kept; the sentence says why."""


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Several policies as one: drafts fold, the first refusal wins, effects add up."""

    policies: tuple[Policy, ...]

    @classmethod
    def named(cls, names: Iterable[str]) -> "PolicySet":
        """The set of these names; raises `UnknownPolicy` with a sentence."""
        return _named(tuple(names))

    @classmethod
    def for_client(cls, names: Iterable[str]) -> "PolicySet":
        """What a client names for its refresh line; raises for what does not belong there."""
        found = cls.named(names)
        found._belong("a client", [policy for policy in found.policies if not policy.for_lines])
        return found.agreed()

    @classmethod
    def for_resource(cls, names: Iterable[str]) -> "PolicySet":
        """What a resource names for its tokens; raises for what does not belong there."""
        found = cls.named(names)
        found._belong("a resource", [policy for policy in found.policies if not policy.for_access])
        return found.agreed()

    def agreed(self) -> "PolicySet":
        """Itself; raises `Contradiction` when two of its policies cannot both be kept."""
        names = {policy.name for policy in self.policies}
        for policy in self.policies:
            against = sorted(policy.excludes & names)
            if against:
                raise Contradiction(
                    f"{policy.name} and {against[0]} contradict each other: "
                    f"{policy.summary} {POLICIES[against[0]].summary}"
                )
        return self

    def _belong(self, whose: str, strangers: list[Policy]) -> None:
        if strangers:
            raise Contradiction(f"{strangers[0].name} is not a policy that {whose} can have")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(policy.name for policy in self.policies)

    @property
    def judging(self) -> "PolicySet":
        """Those of them that look at a token that is brought; the others would admit it unseen."""
        found = [policy for policy in self.policies if type(policy).check is not Policy.check]
        return PolicySet(tuple(found))

    @property
    def asks(self) -> Asks:
        """Who must be asked at each call: the most that one of them asks for."""
        return max((policy.asks for policy in self.policies), default=Asks.NOTHING)

    @property
    def ends(self) -> Ends:
        """How long a token outlives a sign-out: the least that one of them promises."""
        promised = min((policy.ends for policy in self.policies), default=Ends.PARTNER)
        return Ends.AT_EXPIRY if promised is Ends.PARTNER else promised

    @property
    def rotates(self) -> bool:
        return any(policy.rotates for policy in self.policies)

    @property
    def listable(self) -> bool:
        """Whether a token of theirs can stand in a status list."""
        return any(policy.listable for policy in self.policies)

    @property
    def binds(self) -> bool:
        return any(policy.binds for policy in self.policies)

    @property
    def alone(self) -> bool:
        """Whether a token must be for one API only."""
        return any(policy.alone for policy in self.policies)

    @property
    def slides(self) -> bool:
        return any(policy.slides for policy in self.policies)

    @property
    def roles(self) -> bool:
        return any(policy.roles for policy in self.policies)

    def draft(self, draft: Draft) -> Draft:
        """Every policy's wishes, one after the other; raises `Unmintable`."""
        for policy in self.policies:
            draft = policy.draft(draft)
        return draft

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        """The first refusal, or None."""
        for policy in self.policies:
            refusal = policy.check(token, seen, live)
            if refusal is not None:
                return refusal
        return None

    def on_use(self, token: TokenFacts) -> list[Effect]:
        """What a call that was let through leaves behind."""
        return [effect for policy in self.policies for effect in policy.on_use(token)]

    def on_sign_out(self, token: TokenFacts) -> list[Effect]:
        """What the end of its session or line does to one token."""
        return [effect for policy in self.policies for effect in policy.on_sign_out(token)]


@lru_cache(maxsize=1024)
def _named(names: tuple[str, ...]) -> PolicySet:
    found = []
    for name in dict.fromkeys(names):
        if name not in POLICIES:
            known = ", ".join(sorted(POLICIES))
            raise UnknownPolicy(f"there is no policy {name!r}; there are {known}")
        found.append(POLICIES[name])
    return PolicySet(tuple(found))
