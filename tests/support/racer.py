"""One process of a race: `python -m tests.support.racer`. It reads a job as JSON, waits for the
start signal, and says what each of its threads was answered.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from idp.app import create_app
from idp.settings import load
from idp.store import db


def main() -> None:
    """Get ready, then run burst after burst, each at the word `go`."""
    job = json.loads(sys.stdin.readline())
    app = create_app(load(environ=job["environ"]))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        db.session.connection()
        db.session.remove()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(burst(app, json.loads(line))), flush=True)


def burst(app: Any, call: dict[str, Any]) -> list[list[Any]]:
    """A call for each form, from as many threads at once."""
    answers: list[list[Any]] = []
    barrier = threading.Barrier(len(call["forms"]))

    def once(form: dict[str, str]) -> None:
        http = app.test_client(use_cookies=False)
        barrier.wait()
        answer = http.post(
            call["path"], data=form, auth=tuple(call["auth"]), headers=call["headers"]
        )
        given = answer.json or {}
        won = given.get("refresh_token") or given.get("access_token")
        answers.append([answer.status_code, won, given.get("error")])

    runners = [threading.Thread(target=once, args=(form,)) for form in call["forms"]]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    return answers


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[2])
    main()
