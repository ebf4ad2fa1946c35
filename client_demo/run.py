"""The whole demo with one command: provider, two apps, an API. Ctrl-C ends all of it."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from client_demo.away import Away
from client_demo.lab import setup as lab
from client_demo.operator import Operator

READY_WITHIN = 60
MIGRATIONS = Path(__file__).parents[1] / "migrations" / "versions"
PEOPLE = (("alice", "Alice Example"), ("bob", "Bob Example"))
PASSWORD = "four random friendly words"  # noqa: S105 - a demo's, and printed
POLICIES = ("jti_denylist", "sso")
SCOPES = {
    "notes:read": "Read your notes",
    "photos:read": "See your photos",
}


@dataclass
class Demo:
    """Where everything is, and what was started."""

    port: int
    a: int
    b: int
    api: int
    data: Path
    config: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    operator: Operator | None = None
    away: Away | None = None

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("IDP_", "DEMO_"))}
        allowed = f"localhost:{self.a},localhost:{self.b}"
        return kept | {
            "IDP_CONFIG": str(self.config),
            "IDP_DATA_DIR": str(self.data),
            "IDP_PORT": str(self.port),
            "IDP_ISSUER": self.issuer,
            "IDP_OUTBOUND__ALLOWED": allowed,
        }

    def idp(self, *words: str, given: str = "") -> Any:  # noqa: ANN401 - JSON is what it is
        """Run one `idp` command; its JSON answer."""
        printed = self.printed(*words, given=given)
        try:
            return json.loads(printed)
        except json.JSONDecodeError:
            return None

    def printed(self, *words: str, given: str = "") -> str:
        """Run one `idp` command; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "idp.cli", *words],
            env=self.env,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"idp {' '.join(words)} failed: {done.stderr.strip()}")
        return done.stdout

    def start(self, *words: str, **env: str) -> None:
        """Start one process that ends with us. It is a group of its own, so that Ctrl-C is heard
        here only, and each is ended once, in order, with whatever it has started.
        """
        command = [sys.executable, *words]
        started = subprocess.Popen(command, env=self.env | env, start_new_session=True)
        self.processes.append(started)

    def stop(self) -> None:
        """End what we started, and nothing else."""
        if self.operator is not None:
            self.operator.close()
        if self.away is not None:
            self.away.close()
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def main() -> None:
    """Start the demo, print where it is, and wait."""
    demo = Demo(
        port=_port("IDP_PORT", 9000),
        a=_port("DEMO_PORT_A", 9001),
        b=_port("DEMO_PORT_B", 9002),
        api=_port("DEMO_API_PORT", 9003),
        data=Path(os.environ.get("IDP_DATA_DIR", "var/demo")).absolute(),
        config=Path(__file__).parent.parent / "config" / "demo.toml",
    )
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _interrupt)
    _refuse_taken_ports(demo)
    demo.data.mkdir(parents=True, exist_ok=True)
    try:
        _run(demo)
    except KeyboardInterrupt:
        pass
    finally:
        demo.stop()


def _run(demo: Demo) -> None:
    known = _prepared(demo)
    demo.start("-m", "idp.cli", "serve")
    common = {"DEMO_ISSUER": demo.issuer, "DEMO_API": f"http://localhost:{demo.api}"}
    away = demo.away = Away(demo.data / "idp.sqlite3", common["DEMO_API"], demo.processes[0].pid)
    operator = demo.operator = Operator(demo.idp, away.take)
    away.secret = operator.secret
    sites = (("Notes", demo.a, "Photos", demo.b), ("Photos", demo.b, "Notes", demo.a))
    for name, port, other, other_port in sites:
        client = known[name]
        demo.start(
            *("-m", "client_demo.serve", "site", str(port)),
            **common,
            DEMO_NAME=name,
            DEMO_URL=f"http://localhost:{port}",
            DEMO_CLIENT_ID=client["client_id"],
            DEMO_CLIENT_SECRET=client["client_secret"],
            DEMO_SCOPE=f"openid profile email {name.lower()}:read",
            DEMO_OTHER_NAME=other,
            DEMO_OTHER_URL=f"http://localhost:{other_port}",
            **(_lab_of(known, operator) if name == "Notes" else {}),
        )
    api = known["API"]
    demo.start(
        *("-m", "client_demo.serve", "api", str(demo.api)),
        **common,
        DEMO_CLIENT_ID=api["client_id"],
        DEMO_CLIENT_SECRET=api["client_secret"],
        DEMO_LAB_CLIENT_ID=known["lab"]["API"]["client_id"],
        DEMO_LAB_CLIENT_SECRET=known["lab"]["API"]["client_secret"],
        DEMO_OPERATOR_SECRET=operator.secret,
    )
    _wait_until_ready(demo)
    _tell(demo)
    while all(process.poll() is None for process in demo.processes):
        time.sleep(0.5)
    raise SystemExit("one part of the demo ended by itself; the others are ended, too")


def _lab_of(known: dict[str, Any], operator: Operator) -> dict[str, str]:
    """What the lab must know beyond its app."""
    return {
        "DEMO_LAB": json.dumps(known["lab"]["clients"]),
        "DEMO_OPERATOR": operator.address,
        "DEMO_OPERATOR_SECRET": operator.secret,
    }


def _prepared(demo: Demo) -> dict[str, Any]:
    """Database, keys, people and clients: made once, and kept in the data directory."""
    kept = demo.data / f"demo-{demo.port}-{demo.a}-{demo.b}-{demo.api}.json"
    known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    newest = max(path.name for path in MIGRATIONS.glob("*.py"))
    if "lab" in known and known.get("migrated") == newest:
        return known
    demo.idp("migrate")
    if not known:
        known = _people_and_apps(demo)
    if "lab" not in known:
        lines = lab.commands(f"http://localhost:{demo.a}", f"http://localhost:{demo.api}")
        known["lab"] = lab.clients(demo.printed("batch", given="\n".join(lines)))
    known["migrated"] = newest
    handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(known, file)
    return known


def _people_and_apps(demo: Demo) -> dict[str, Any]:
    resource = f"http://localhost:{demo.api}"
    scopes = [word for s, w in SCOPES.items() for word in ("--scope", f"{s}={w}")]
    policies = [word for name in POLICIES for word in ("--policy", name)]
    about = ["resource", "add", resource, "--name", "Demo API", *scopes, *policies, "--json"]
    lines = [
        shlex.join(about),
        shlex.join(["client", "add", "Demo API", "--serves", resource, "--json"]),
        _relying_party("Notes", demo.a),
        _relying_party("Photos", demo.b, frontchannel_logout_uri="/frontchannel-logout"),
    ]
    present = {row["username"] for row in demo.idp("account", "list", "--json")}
    for username, name in PEOPLE:
        if username not in present:
            words = ["account", "add", username, "--name", name, "--email-verified", "--json"]
            words += ["--email", f"{username}@example.com", "--password-stdin"]
            lines += [shlex.join(words), PASSWORD]
    said = demo.printed("batch", given="\n".join(lines) + "\n").splitlines()
    api, notes, photos = (json.loads(line)["said"] for line in said[1:4])
    return {"API": api, "Notes": notes, "Photos": photos}


def _relying_party(name: str, port: int, **more: str) -> str:
    """One of the two apps; both are told by the provider, and Photos is asked by the browser,
    too.
    """
    paths = {
        "redirect_uri": "/callback",
        "post_logout_redirect_uri": "/",
        "backchannel_logout_uri": "/backchannel-logout",
        "initiate_login_uri": "/login",
    } | more
    words = ["client", "add", name, "--json"]
    for option, path in paths.items():
        words += [f"--{option.replace('_', '-')}", f"http://localhost:{port}{path}"]
    return shlex.join(words)


def _wait_until_ready(demo: Demo) -> None:
    ends = time.monotonic() + READY_WITHIN
    for port, path in ((demo.port, "/readyz"), (demo.a, "/"), (demo.b, "/"), (demo.api, "/")):
        while True:
            try:
                if httpx.get(f"http://localhost:{port}{path}", timeout=2).status_code < 400:  # noqa: PLR2004
                    break
            except httpx.HTTPError:
                pass
            if time.monotonic() > ends or any(p.poll() is not None for p in demo.processes):
                raise SystemExit(f"nothing answers on port {port}")
            time.sleep(0.05)


def _tell(demo: Demo) -> None:
    print(
        f"""
  Notes     http://localhost:{demo.a}     <- start here
  Photos    http://localhost:{demo.b}
  Lab       http://localhost:{demo.a}/lab   <- ten ways to sign out, side by side
  Provider  {demo.issuer}/account
  API       http://localhost:{demo.api}

  Sign in as {" or ".join(name for name, _ in PEOPLE)}; the password is: {PASSWORD}
  Ctrl-C ends everything.
""",
        flush=True,
    )


def _port(name: str, default: int) -> int:
    value = os.environ.get(name, str(default))
    if not value.isdecimal() or not 0 < int(value) < 65536:  # noqa: PLR2004
        raise SystemExit(f"{name} is not a port number: {value!r}")
    return int(value)


def _refuse_taken_ports(demo: Demo) -> None:
    names = ("IDP_PORT", "DEMO_PORT_A", "DEMO_PORT_B", "DEMO_API_PORT")
    for name, port in zip(names, (demo.port, demo.a, demo.b, demo.api), strict=True):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise SystemExit(f"port {port} is in use; set {name} to a free one") from None


def _interrupt(*_: object) -> None:
    """The first signal ends the demo; one more must not end the ending of it halfway."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
