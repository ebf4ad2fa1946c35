"""A provider that all tests of a file share, and what each policy is held to its word with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from idp.domain.tokens import AccessToken
from idp.policies import POLICIES, Ends, PolicySet
from idp.policies.model import Presented
from idp.store import db
from tests.support.holder import Holder
from tests.support.prover import Prover
from tests.support.world import Rp, World, make_world

PARTNERS = ("short_jwt", "jti_denylist")


def companies() -> list[tuple[str, ...]]:
    """Each policy as a resource can have it: alone, or beside one that ends tokens where it
    says nothing of their end itself.
    """
    found: list[tuple[str, ...]] = []
    for policy in POLICIES.values():
        own = (policy.name,) if policy.for_access else ()
        if policy.ends is Ends.PARTNER:
            found += [(*own, partner) for partner in PARTNERS]
        else:
            found.append(own)
    return list(dict.fromkeys(found))


def named(names: tuple[str, ...]) -> str:
    """What a case is called in the report."""
    return "+".join(names)


@dataclass
class Signed:
    """Somebody who is signed in at an app of these policies, with what they were given."""

    stage: "Stage"
    rp: Rp
    resource: str
    browser: Any
    given: dict[str, Any]
    access: AccessToken

    @property
    def proven(self) -> Presented:
        """Presented by the right hands at the right API."""
        return Presented(resource=self.resource, proven_jkt=self.access.jkt)

    def signs_out(self) -> None:
        """Through the front door."""
        query = {"id_token_hint": self.given["id_token"], "client_id": self.rp.client_id}
        answer = self.browser.http.get("/end_session", query_string=query)
        assert answer.status_code == 200, answer.text


@dataclass
class Stage:
    """One world, and any number of APIs and apps in it."""

    world: World
    prover: Prover = field(default_factory=Prover)
    numbers: Any = field(default_factory=count)

    def api(self, policies: tuple[str, ...], **more: Any) -> str:
        """An API with these policies; its identifier."""
        resource = f"https://api-{next(self.numbers)}.test"
        self.change(resource, policies, **more)
        return resource

    def change(self, resource: str, policies: tuple[str, ...], **more: Any) -> None:
        """The operator chooses other policies."""
        with self.world.app.app_context():
            now = self.world.clock.now
            scopes = {"notes:read": "Read"}
            self.world.op.resources.add(resource, "API", scopes, policies, now, **more)
            db.session.commit()

    def app(self, policies: tuple[str, ...] = (), *, bound: bool = False) -> Rp:
        """An app whose refresh line follows these."""
        rp = self.world.rp(f"App {next(self.numbers)}")
        if policies:
            with self.world.app.app_context():
                self.world.op.clients.choose_policies(rp.client_id, policies)
                db.session.commit()
        return Holder.of(rp, self.prover) if bound else rp

    def signs_in(self, policies: tuple[str, ...], rp: Rp | None = None) -> Signed:
        """Somebody at an app that calls an API of these policies."""
        resource = self.api(policies)
        rp = rp or self.app(bound=PolicySet.named(policies).binds)
        browser = self.world.browser()
        code = browser.code(rp, scope="openid notes:read", resource=resource)
        answer = rp.redeem(code, browser.verifier, resource=resource)
        assert answer.status_code == 200, answer.text
        access = self.reads(answer.json["access_token"])
        assert access is not None
        return Signed(self, rp, resource, browser, answer.json, access)

    def reads(self, token: str) -> AccessToken | None:
        """What the provider reads in an access token."""
        with self.world.app.app_context():
            return self.world.op.tokens.read_access(token, self.world.clock.now)

    def judged(self, signed: Signed, policies: tuple[str, ...] = ()) -> str | None:
        """The provider's verdict."""
        with self.world.app.app_context():
            now = self.world.clock.now
            return self.world.op.tokens.judge(signed.access, signed.proven, policies, now)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    world = make_world(tmp_path_factory.mktemp("policies"))
    world.person("alice")
    yield Stage(world)
    with world.app.app_context():
        db.engine.dispose()
