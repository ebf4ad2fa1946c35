"""What the web server loads in each of its processes: the application, and in the embedded
default the background work beside it. Leases make any number of such processes safe.
"""

import threading

from idp.app import create_app
from idp.settings import Settings
from idp.sinks import Courier

app = create_app()


def _work() -> None:
    courier: Courier = app.extensions["idp.courier"]
    with app.app_context():
        courier.run(threading.Event())


_settings: Settings = app.extensions["idp.settings"]
if _settings.worker.embedded:
    threading.Thread(target=_work, name="idp-worker", daemon=True).start()
