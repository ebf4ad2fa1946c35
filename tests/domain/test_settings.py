"""Settings that cannot work are refused with a sentence."""

import pytest

from idp.settings import SettingsRefused, load


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"IDP_PROT": "1"}, "did you mean 'port'"),
        ({"IDP_LIFETIMES__ACESS_TOKEN": "9"}, "did you mean 'lifetimes.access_token'"),
        ({"IDP_ISSUER": "http://login.example"}, "not https"),
        ({"IDP_ISSUER": "https://login.example"}, "secret is missing"),
        ({"IDP_SECRET": "short"}, "shorter than 32"),
        ({"IDP_LIFETIMES__SESSION_IDLE": "99999999"}, "cannot rest longer"),
        ({"IDP_LIFETIMES__CODE": "61"}, "less than or equal to 60"),
        ({"IDP_LIFETIMES__ACCESS_TOKEN": "7200"}, "less than or equal to 3600"),
        ({"IDP_LIFETIMES__ROTATION_GRACE": "11"}, "less than or equal to 10"),
        ({"IDP_SECRET_FILE": "/nowhere"}, "cannot be read"),
        ({"IDP_CONFIG": "/nowhere.toml"}, "does not exist"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsRefused, match=says.replace(".", r"\.")):
        load(environ=environ)
