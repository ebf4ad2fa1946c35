"""What a policy remembers does not grow with time (promise P7)."""

from collections import Counter

import pytest
from sqlalchemy import func, select

from idp.domain.upkeep import sweep
from idp.policies import PolicySet
from idp.store import Base, db
from tests.policies.conftest import Stage, companies, named
from tests.support.spec import spec

pytestmark = pytest.mark.slow

ROUNDS, HOURS = 12, 6  # denied tokens are remembered for a day longer
REMEMBERED = ("issued_token", "denied", "ended")


def rows(stage: Stage) -> Counter[str]:
    """How much is remembered of tokens."""
    with stage.world.app.app_context():
        return Counter(
            {
                name: db.session.scalar(
                    select(func.count()).select_from(Base.metadata.tables[name])
                )
                for name in REMEMBERED
            }
        )


@spec("P7")
@pytest.mark.parametrize("names", companies(), ids=named)
def test_what_is_remembered_of_tokens_stays_flat(stage: Stage, names: tuple[str, ...]) -> None:
    resource = stage.api(names)
    rp, browser = stage.app(bound=PolicySet.named(names).binds), stage.world.browser()
    seen = []

    for _ in range(ROUNDS):
        code = browser.code(rp, scope="openid notes:read", resource=resource)
        given = rp.redeem(code, browser.verifier, resource=resource).json
        rp.refresh(given["refresh_token"], resource=resource)
        rp.post("/revoke", token=given["access_token"])
        rp.post("/revoke", token=given["refresh_token"])
        stage.world.clock.advance(hours=HOURS)
        with stage.world.app.app_context():
            while sweep(stage.world.op, stage.world.clock.now):
                db.session.commit()
            db.session.commit()
        seen.append(rows(stage))

    early, late = seen[ROUNDS // 2], seen[-1]
    assert late.total() > 0
    assert all(late[name] <= early[name] for name in REMEMBERED), (early, late)
