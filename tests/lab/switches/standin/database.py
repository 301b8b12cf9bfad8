# SPDX-License-Identifier: Apache-2.0
"""Fills CONFIG_DB from the saved configuration when the database starts, and switches its events on."""

from __future__ import annotations

import sys
import time

from . import rows
from .resp import APPL, CONFIG, STATE, Connection

_SECONDS = 30.0


def main() -> None:
    """Waits for the database and fills it."""
    end = time.monotonic() + _SECONDS
    while True:
        try:
            database = Connection(CONFIG)
            break
        except OSError:
            if time.monotonic() > end:
                sys.exit("valkey does not come up")
            time.sleep(0.02)
    fill(database, rows.load(sys.argv[1] if len(sys.argv) > 1 else rows.SAVED))


def fill(database: Connection, config: rows.Config) -> None:
    """Begin anew with a configuration; daemons wait for the mark at its end."""
    for number in (APPL, STATE):
        other = Connection(number)
        other.call("FLUSHDB")
        other.close()
    database.call("FLUSHDB")
    rows.write(database, config)
    database.call("SET", rows.READY, "1")


if __name__ == "__main__":
    main()
