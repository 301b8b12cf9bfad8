# SPDX-License-Identifier: Apache-2.0
"""A keyring of GPG for as long as a test needs it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

OWNER = "ops@example.org"


@contextlib.contextmanager
def keyring(home: Path, passphrase: str) -> Iterator[Path]:
    """A folder with one key, that of :data:`OWNER`; the agent that GPG starts for it is ended afterwards."""
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    made = [*gpg, "--passphrase", passphrase, "--quick-generate-key", f"Operator <{OWNER}>", "future-default"]
    subprocess.run(made, check=True)
    try:
        yield home
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)
