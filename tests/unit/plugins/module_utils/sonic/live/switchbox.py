# SPDX-License-Identifier: Apache-2.0
"""A switch in a folder: a real database, and small programs in the place of SONiC's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import agent, client, confirm, words
from ansible_collections.scs.landscape.tests.tools import apt

PACKAGE = Path(agent.__file__).parents[1]

#: Each program tells the log of its call first, then does what its name says; ``broken`` names those that fail.
_PROGRAM = """#!{python} -IS
import json, os, pathlib, sys
box = pathlib.Path({box!r})
name, argv = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
with open(box / "calls", "a") as stream:
    stream.write(json.dumps([name, *argv]) + "\\n")
broken = (box / "broken").read_text().split() if (box / "broken").exists() else []
if name in broken or " ".join([name, *argv[:1]]).replace(" ", "_") in broken:
    sys.exit(f"{{name}} does not work today")
{body}
"""
#: The same for the simple ones, which are many: a shell starts faster.
_SCRIPT = """#!/bin/sh
name=${{0##*/}} box='{box}' line="[\\"${{0##*/}}\\""
for word; do line="$line, \\"$word\\""; done
echo "$line]" >>"$box/calls"
if [ -e "$box/broken" ] && grep -qx "$name" "$box/broken"; then echo "$name does not work today" >&2; exit 1; fi
{body}
"""
_SCRIPTS = {
    "systemd-run": "",
    "systemctl": 'if [ "$1 $2" = "restart bgp" ] && [ -e "$box/frr.boot" ]; then cp "$box/frr.boot" "$box/frr"; fi',
    "logger": "",
    "lldpctl": "echo '{{\"lldp\": {{}}}}'",
    "ip": "echo '[]'",
    # A change is `-c 'configure terminal' -c SECTION -c LINE`; a line that begins with `no` takes that line out again.
    "vtysh": """if [ "$*" = '-c show running-config' ]; then cat "$box/frr"
elif [ "$1 $2" = '-c configure terminal' ]; then case $6 in
  no\\ *) grep -vxF " ${{6#no }}" "$box/frr" >"$box/frr.new"; mv "$box/frr.new" "$box/frr" ;;
  *) printf '%s\\n %s\\nexit\\n' "$4" "$6" >>"$box/frr" ;; esac
else echo '{{}}'; fi""",
}
_BODIES = {
    "config": """sys.path.insert(0, {package!r})
os.environ["SCS_LANDSCAPE_REDIS"] = str(box / "redis.sock")
from switch import client, sonic
with client.database() as redis:
    rows = sonic.as_saved(redis.dump())
for table in rows.values():
    for row in table.values():
        row.update((name, [""]) for name, value in row.items() if value == [])  # "".split(",") in Python
text = json.dumps(rows, indent=4)
path = box / "config_db.json"
if argv[0] == "save":
    (path.write_text(text[:50]), sys.exit("No space left on device")) if "config_full" in broken else path.write_text(text)
else:
    sys.exit("config: no such command here")""",
}


class Box:
    """A switch in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None
        self.timers: list[subprocess.Popen[str]] = []
        programs = folder / "bin"
        programs.mkdir()
        for name, body in _SCRIPTS.items():
            path = programs / name
            path.write_text(_SCRIPT.format(box=folder, body=body.replace("{{", "{").replace("}}", "}")))
            path.chmod(0o755)
        for name, body in _BODIES.items():
            text = body.replace("{package!r}", repr(str(PACKAGE)))
            path = programs / name
            path.write_text(_PROGRAM.format(python=sys.executable, box=str(folder), body=text))
            path.chmod(0o755)
        (folder / "frr").write_text("hostname leaf1\n!\n")
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SCS_LANDSCAPE_REDIS": str(self.socket),
            "SCS_LANDSCAPE_FOLDER": str(folder / "state"),
            "SCS_LANDSCAPE_SAVED": str(folder / "config_db.json"),
            "SCS_LANDSCAPE_UNITS": str(folder / "units"),
        }

    def start(self) -> None:
        """Starts the database."""
        server = shutil.which("valkey-server") or shutil.which("redis-server")
        if not server:
            apt.ensure(["redis-server"], "tests of a switch's database", ("redis-server.service",))
            server = "redis-server"
        line = [server, "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(
            [*line, "--notify-keyspace-events", "AKE"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        client.Redis(path=str(self.socket), patience=30.0).close()

    def stop(self) -> None:
        """Ends the database, and with it all that it held."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        self.socket.unlink(missing_ok=True)

    def end(self) -> None:
        """Ends the database and every timer: one that cannot do its work tries it for ever."""
        for timer in self.timers:
            timer.kill()
            timer.wait()
        self.stop()

    def fill(self, config: dict[str, Any], *, saved: bool = True) -> None:
        """Makes a configuration the one that runs, and the saved one."""
        with client.Redis(path=str(self.socket)) as redis:
            redis.call("FLUSHDB")
            for name, row in codec.to_redis(config).items():
                redis.call("HSET", name, *(part for pair in row.items() for part in pair))
            redis.call("SET", client.INITIALISED, "1")
        if saved:
            (self.folder / "config_db.json").write_text(json.dumps(config))

    def rows(self) -> words.Rows:
        """What the database holds."""
        with client.Redis(path=str(self.socket)) as redis:
            return redis.dump()

    @property
    def saved(self) -> Any:
        """The saved configuration."""
        return json.loads((self.folder / "config_db.json").read_text())

    def calls(self, name: str = "") -> list[list[str]]:
        """Every call of a program so far."""
        path = self.folder / "calls"
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [call for call in found if not name or call[0] == name]

    def break_(self, *names: str) -> None:
        """Makes programs fail: by name, or with their first word (``config_save``)."""
        (self.folder / "broken").write_text("\n".join(names))

    def ask(self, call: str, **request: Any) -> dict[str, Any]:
        """One call of the switch, packed as on the wire."""
        word = words.pack({"version": words.VERSION, "call": call, **request})
        answer: dict[str, Any] = words.unpack(agent.answer(word))
        return answer

    def timer(self, token: str, mode: str = "timer", first: str = "") -> subprocess.Popen[str]:
        """Starts what the timer would: the program that was written to the switch, and nothing of this checkout.

        :param first: what a shell does before, in a mount namespace of its own.
        """
        program = f"import sys; sys.path.insert(0, {str(self.folder / 'state' / 'program')!r}); "
        line = [sys.executable, "-I", "-c", f"{program}from switch import confirm; confirm.main()", mode, token]
        if first:
            line = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", f'{first}; exec "$@"', "sh", *line]
        environment = {**os.environ, **self.environment}
        with (self.folder / "timer.log").open("a") as log:
            self.timers.append(subprocess.Popen(line, env=environment, text=True, stdout=log, stderr=log))
        return self.timers[-1]


def wait_for(condition: Any, seconds: float = 30.0) -> None:
    """Waits until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


__all__ = ["Box", "confirm", "wait_for"]
