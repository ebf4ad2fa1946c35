"""Files that hold secrets: who else may read them."""

from pathlib import Path

import pytest

from idp.app import create_app
from idp.settings import SettingsRefused, load
from tests.support.spec import spec

SECRET = "a secret that is only good for tests, and long"
PRODUCTION = {"IDP_ISSUER": "https://op.test"}


def kept(folder: Path, text: str, mode: int, name: str = "secret") -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


@spec("KEY-06", "V13.3.1")
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666, 0o602, 0o777])
def test_a_secret_that_everybody_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = kept(tmp_path, SECRET, mode)

    with pytest.raises(SettingsRefused, match="everybody on this machine may read or change"):
        load(environ=PRODUCTION | {"IDP_SECRET_FILE": str(path)})


@spec("KEY-06")
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_secret_for_its_owner_and_group_is_taken(tmp_path: Path, mode: int) -> None:
    path = kept(tmp_path, SECRET, mode)

    assert load(environ=PRODUCTION | {"IDP_SECRET_FILE": str(path)}).secret == SECRET


@spec("KEY-06")
def test_a_link_to_an_open_file_is_an_open_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(kept(tmp_path, SECRET, 0o644))

    with pytest.raises(SettingsRefused, match="everybody"):
        load(environ=PRODUCTION | {"IDP_SECRET_FILE": str(link)})


@spec("KEY-06")
def test_every_setting_that_comes_from_a_file_of_its_own_is_private(tmp_path: Path) -> None:
    path = kept(tmp_path, "postgresql://idp:password@db/idp", 0o644)
    environ = PRODUCTION | {"IDP_SECRET": SECRET, "IDP_DATABASE_URL_FILE": str(path)}

    with pytest.raises(SettingsRefused, match="everybody"):
        load(environ=environ)


@spec("KEY-06")
def test_a_settings_file_is_private_when_a_secret_is_in_it(tmp_path: Path) -> None:
    with_secret = kept(tmp_path, f'secret = "{SECRET}"', 0o644, "one.toml")
    without = kept(tmp_path, 'name = "Example"', 0o644, "two.toml")

    with pytest.raises(SettingsRefused, match="everybody"):
        load(with_secret, PRODUCTION)
    assert load(without, PRODUCTION | {"IDP_SECRET": SECRET}).name == "Example"


@spec("KEY-06")
def test_in_development_the_files_mode_is_not_looked_at(tmp_path: Path) -> None:
    path = kept(tmp_path, SECRET, 0o644)

    assert load(environ={"IDP_SECRET_FILE": str(path)}).secret == SECRET


@spec("KEY-06")
def test_the_secret_made_for_development_is_its_owners_and_must_stay_so(tmp_path: Path) -> None:
    environ = {"IDP_DATA_DIR": str(tmp_path)}
    create_app(load(environ=environ))
    made = tmp_path / "secret"
    mode = made.stat().st_mode & 0o777

    made.chmod(0o644)

    assert mode == 0o600
    with pytest.raises(SettingsRefused, match="chmod o-rw"):
        create_app(load(environ=environ))
