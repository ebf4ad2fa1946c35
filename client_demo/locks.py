"""Hold an SQLite database for some seconds: `python -m client_demo.locks FILE SECONDS`.

In WAL mode a writer locks one byte of the file beside the database, and a reader one of five
(https://www.sqlite.org/walformat.html, section 2.3.1). Who holds all six keeps everybody out.
The locks are gone when this process is, however it ends.
"""

import fcntl
import os
import sys
import time

BYTES = (120, 123, 124, 125, 126, 127)
PATIENCE = 3.0


def main() -> None:
    """Take the locks, say so, and keep them for a while."""
    path, seconds = sys.argv[1], float(sys.argv[2])
    file = os.open(f"{path}-shm", os.O_RDWR)
    ends = time.monotonic() + PATIENCE
    for byte in BYTES:
        if not _held(file, byte, ends):
            sys.exit("the database is too busy to be held")
    os.write(sys.stdout.fileno(), b"held\n")
    time.sleep(seconds)


def _held(file: int, byte: int, ends: float) -> bool:
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            if time.monotonic() > ends:
                return False
            time.sleep(0.005)
        else:
            return True


if __name__ == "__main__":
    main()
