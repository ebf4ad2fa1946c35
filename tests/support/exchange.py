"""An app, an API that it calls, and another API that the first one calls for the same person."""

from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from idp.store import db
from tests.support.world import Browser, Rp, World

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
NOTES, ARCHIVE = "https://notes.test", "https://archive.test"
SCOPE = "openid notes:read notes:write"


@dataclass
class Chain:
    """The app holds the person's tokens; the API of the notes may exchange them."""

    world: World
    app: Rp
    notes: Rp
    archive: Rp
    browser: Browser

    @classmethod
    def of(cls, world: World, person: str = "alice", **right: Any) -> "Chain":
        scopes = {"notes:read": "Read", "notes:write": "Write"}
        notes, archive = world.api(NOTES, **scopes), world.api(ARCHIVE, **scopes)
        made = cls(world, world.rp(), notes, archive, world.browser())
        made.allows(notes, resources=[ARCHIVE], **{"impersonation": True} | right)
        made.browser.sign_in(person)
        return made

    def allows(self, client: Rp, **right: Any) -> None:
        """An operator lets a client exchange tokens."""
        self.decides(
            client, token_exchange=right, grant_types=["client_credentials", GRANT], may_act=None
        )

    def decides(self, client: Rp, **members: Any) -> None:
        with self.world.app.app_context():
            self.world.op.clients.decide(client.client_id, **members)
            db.session.commit()

    def tokens(self, **more: Any) -> dict[str, Any]:
        """What the app is given for the API of the notes."""
        code = self.browser.code(self.app, **{"scope": SCOPE} | more)
        answer = self.app.redeem(code, self.browser.verifier, resource=NOTES)
        assert answer.status_code == 200, answer.text
        given: dict[str, Any] = answer.json
        return given

    def exchanges(self, token: str, by: Rp | None = None, **more: Any) -> TestResponse:
        """The API of the notes asks for a token for the archive."""
        form = {"subject_token": token, "subject_token_type": f"{TYPE}access_token"}
        form |= {"resource": ARCHIVE} | more
        return (by or self.notes).post("/token", grant_type=GRANT, **form)

    def exchanged(self, token: str, by: Rp | None = None, **more: Any) -> str:
        answer = self.exchanges(token, by, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json["access_token"])


def actor(chain: Chain, client: Rp) -> dict[str, str]:
    """A client says who it is with a token of its own."""
    given = client.post("/token", grant_type="client_credentials", resource=NOTES).json
    return {"actor_token": given["access_token"], "actor_token_type": f"{TYPE}access_token"}
