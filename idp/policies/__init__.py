"""Pure decisions, one file each: `POLICIES` names them, `PolicySet` makes several act as one."""

from collections.abc import Iterable
from dataclasses import dataclass

from idp.policies.model import Draft, Policy
from idp.policies.rotation import Rotation
from idp.policies.short_jwt import ShortJwt

POLICIES: dict[str, Policy] = {policy.name: policy for policy in (ShortJwt(), Rotation())}


class UnknownPolicy(ValueError):
    """A policy nobody knows is refused where it is named, not ignored where it counts."""


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Several policies as one: drafts fold, and one that rotates is enough."""

    policies: tuple[Policy, ...]

    @classmethod
    def named(cls, names: Iterable[str]) -> "PolicySet":
        """The set of these names; raises `UnknownPolicy` with a sentence."""
        found = []
        for name in names:
            if name not in POLICIES:
                known = ", ".join(sorted(POLICIES))
                raise UnknownPolicy(f"there is no policy {name!r}; there are {known}")
            found.append(POLICIES[name])
        return cls(tuple(found))

    @property
    def rotates(self) -> bool:
        return any(policy.rotates for policy in self.policies)

    def draft(self, draft: Draft) -> Draft:
        for policy in self.policies:
            draft = policy.draft(draft)
        return draft
