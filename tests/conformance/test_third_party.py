"""The plan of a sign-in that another page begins (conformance B.4)."""

from tests.conformance.conftest import Registers
from tests.conformance.marks import module
from tests.conformance.party import RelyingParty


@module("oidcc-3rd_party-init-login")
def test_3rd_party_init_login(registers: Registers) -> None:
    rp = registers(initiate_login_uri="https://suite.test/initiate")
    path = rp.client["registration_client_uri"].removeprefix(rp.issuer)
    bearer = {"Authorization": f"Bearer {rp.client['registration_access_token']}"}

    read = rp.world.http().get(path, headers=bearer)

    assert rp.client["initiate_login_uri"] == "https://suite.test/initiate"
    assert read.status_code == 200
    assert read.json["initiate_login_uri"] == "https://suite.test/initiate"


@module("oidcc-3rd_party-init-login-nohttps")
def test_3rd_party_init_login_nohttps(rp: RelyingParty) -> None:
    rp.metadata = {"initiate_login_uri": "http://suite.test/initiate"}

    rp.refused(rp.registration(), "invalid_client_metadata")
