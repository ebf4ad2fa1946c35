"""An Apache of its own with mod_auth_openidc, in front of one page that says whom it let in."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

MODULES = Path("/usr/lib/apache2/modules")
WANTED = ["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers", "auth_openidc"]

BEHIND = "The page behind Apache"

BODY = """
ServerRoot "{root}"
ServerName localhost
Listen 127.0.0.1:{port}
PidFile "{root}/pid"
DefaultRuntimeDir "{root}"
ErrorLog "{root}/error.log"
{modules}
{user}
DocumentRoot "{root}/pages"
DirectoryIndex index.html
Header set X-Email "expr=%{{env:OIDC_CLAIM_email}}"
Header set X-Token "expr=%{{env:OIDC_access_token}}"
{ours}
"""


@contextmanager
def apache(root: Path, port: int, ours: str, **environ: str) -> Iterator[str]:
    """Running with these directives until the end of the block; yields its address."""
    program = shutil.which("apache2", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or not (MODULES / "mod_auth_openidc.so").exists():
        pytest.fail("NO APACHE: install apache2 and libapache2-mod-auth-openidc")
    (root / "pages").mkdir()
    (root / "pages/index.html").write_text(f"<p>{BEHIND}</p>")
    built_in = subprocess.run([program, "-l"], check=True, capture_output=True, text=True).stdout
    conf = BODY.format(
        root=root,
        port=port,
        ours=ours,
        user="User www-data\nGroup www-data" if os.getuid() == 0 else "",
        modules="\n".join(
            f"LoadModule {name}_module {MODULES}/mod_{name}.so"
            for name in WANTED
            if f"mod_{name}.c" not in built_in
        ),
    )
    (root / "httpd.conf").write_text(conf)
    for folder in (root, *root.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    process = subprocess.Popen(
        [program, "-f", root / "httpd.conf", "-D", "FOREGROUND"],
        env=os.environ | environ,
        start_new_session=True,
    )
    try:
        _wait(f"http://localhost:{port}/", process, root / "error.log")
        yield f"http://localhost:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text() if log.exists() else "no log"
        try:
            httpx.get(url, timeout=2)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"Apache does not answer: {log.read_text()}")
