# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Reads models and configurations from disk, and runs ``yanglint``: the only file of this domain that touches the world."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import tempfile
from types import TracebackType
from typing import Any

from ..core.errors import InputError, LandscapeError, MissingDependencyError
from ..landscape import client as landscape_client
from ..landscape.tree import plain
from .places import twice
from .yang_check import Complaint
from .yang_model import Models

#: A switch of 128 ports has a configuration of 200 kB; eighty times that is a mistake.
MAX_BYTES = 16 * 1024 * 1024
#: Seconds for loading all models (takes about one), and for judging one configuration (takes 0.03).
LOAD_SECONDS = 60.0
JUDGE_SECONDS = 30.0

#: Where a switch has the models of its own release.
SWITCH_MODELS = "/usr/local/yang-models"
_COPY = f"Copy {SWITCH_MODELS} from a switch of that release, and name the copy with yang_dir or SONIC_YANG_DIR"

_ERROR = re.compile(r"^libyang(?:\[0\]| err ?):? ?:? ?", re.MULTILINE)
#: Version 2: `MESSAGE (path: Data location "/a:b/C", line number 3.)`; version 3: `MESSAGE (data path: /a:b/C, line: 3)`.
#: Values in message and path may hold anything, also line feeds.
_BEFORE_PLACE = re.compile(r" \((?:path|data path|schema path): ")
_PLACE = re.compile(
    r"(?:(?:Data|Schema) location )?\"?(?P<path>/.*?)\"?(?:, line(?: number|:) (?P<line>\d+))?\.?\)", re.DOTALL
)


def load_json(path: str) -> Any:
    """A JSON file; a UTF-8 byte order mark is fine.

    :raises InputError: when it cannot be read, is too long, is no JSON, or has a key twice in one object.
    """
    try:
        text = load_text(path)
        return json.loads(text, object_pairs_hook=_unique)
    except _Twice as error:
        # Which one it is the place says, and not the key itself: it may be an SNMP community.
        raise InputError(f"{path} has a key twice in one object{twice(text)}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}", hint="Export it with sonic-cfggen -d --print-data") from error


def load_text(path: str) -> str:
    """A text file.

    :raises InputError: when it cannot be read, is too long, or is no UTF-8.
    """
    try:
        if os.path.getsize(path) > MAX_BYTES:
            raise InputError(f"{path} has more than {MAX_BYTES} bytes", hint="Is it a configuration of a switch?")
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def load_expected(path: str) -> list[Any]:
    """The list in a YAML or JSON file.

    :raises InputError: when it cannot be read, or holds something else.
    """
    if path.endswith(".json"):
        data = load_json(path)
    else:
        node, findings = landscape_client.parse(load_text(path).encode(), path)
        if findings:
            raise InputError(f"{path} cannot be read: {findings[0].message}")
        data = (plain(node) if node is not None else None) or []
    if not isinstance(data, list):
        raise InputError(f"{path} holds no list", hint="It has entries with rule, switch, table, key, field and reason")
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise _Twice
    return data


class _Twice(ValueError):
    """An object of JSON has a key twice."""


def config_files(sources: list[str]) -> list[str]:
    """The configuration files that paths mean: files as they are, of folders every ``*.json`` below, in order.

    :raises InputError: for a path that is not there, or a folder without configurations.
    """
    files: list[str] = []
    for source in sources:
        if os.path.isfile(source):
            files.append(source)
            continue
        if not os.path.isdir(source):
            raise InputError(f"{source} is neither a file nor a folder")
        found = []
        for folder, folders, names in os.walk(source):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".json")]
        if not found:
            raise InputError(f"The folder {source} holds no .json file")
        files += found
    return list(dict.fromkeys(files))


def in_repository(path: str) -> str:
    """A path as the repository it lies in names it; as it was given when it lies in none."""
    folder = here = os.path.dirname(os.path.abspath(path))
    while folder != os.path.dirname(folder):
        if os.path.exists(os.path.join(folder, ".git")):
            return os.path.relpath(os.path.join(here, os.path.basename(path)), folder)
        folder = os.path.dirname(folder)
    return path


def load_models(folder: str) -> Models:
    """The models of one release.

    :raises InputError: when the folder holds none.
    """
    texts: dict[str, str] = {}
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith(".yang") and os.path.isfile(path):
            if os.path.getsize(path) > MAX_BYTES:
                raise InputError(f"{path} is too long for a YANG model")
            with open(path, encoding="utf-8", errors="replace") as file:
                texts[name] = file.read()
    if not texts:
        raise InputError(f"There are no YANG models in {folder}", hint=_COPY)
    return Models(texts)


class _Ended(LandscapeError):
    """The program is gone.

    :param said: what it said before.
    """

    def __init__(self, said: str) -> None:
        super().__init__(f"yanglint ended: {said[-300:]}")
        self.said = said


class Yanglint:
    """One ``yanglint`` process that has the models of one release loaded and judges many configurations.

    Use it as a context manager. Not for several threads.

    :param folder: of the models.
    :param names: of the modules to load.
    :param program: name or path of yanglint (Debian 12: libyang2-tools, 13: libyang3-tools; Fedora: libyang).
    """

    def __init__(self, folder: str, names: list[str], program: str = "yanglint") -> None:
        found = shutil.which(program)
        if not found:
            raise MissingDependencyError("yanglint", "judging configurations by the YANG models")
        self._folder, self._names, self._program = os.path.abspath(folder), names, found
        self._count = 0
        self._loaded = False
        self._process: asyncio.subprocess.Process | None = None
        self._secret = secrets.token_hex(8)

    def __enter__(self) -> Yanglint:
        self._loaded = False
        # It writes its history below HOME; a folder of our own also keeps its file names without spaces.
        self._home = tempfile.TemporaryDirectory(prefix="sonic-yang-")
        os.symlink(self._folder, os.path.join(self._home.name, "models"))
        self._loop = asyncio.new_event_loop()
        try:
            self._process = self._loop.run_until_complete(self._started())
            said = self._ask(
                ["searchpath models", "verb error", *(f"load {name}" for name in self._names)], LOAD_SECONDS
            )
            if _ERROR.search(said):
                raise InputError(f"The YANG models in {self._folder} do not load: {_first(said).message}")
            self._loaded = True
        finally:
            if not self._loaded:
                self.__exit__(None, None, None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._loop.run_until_complete(_ended(self._process))
            self._process = None
        self._loop.close()
        self._home.cleanup()

    async def _started(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self._program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=MAX_BYTES,
            cwd=self._home.name,
            env={"HOME": self._home.name, "PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        )

    def __call__(self, document: str) -> Complaint | None:
        """The first error in an XML document.

        :raises LandscapeError: when yanglint ends or does not answer in time.
        """
        with open(os.path.join(self._home.name, "config.xml"), "w", encoding="utf-8") as file:
            file.write(document)
        try:
            said = self._ask(["data -t config config.xml"], JUDGE_SECONDS)
        except _Ended as ended:
            # Version 3.12 falls over some documents, but only after it has said what is wrong with them.
            if not _ERROR.search(ended.said):
                raise
            self.__exit__(None, None, None)
            self.__enter__()
            return _first(ended.said)
        if "YANGLINT[E]" not in said and not _ERROR.search(said):
            return None
        return _first(said)

    def _ask(self, commands: list[str], seconds: float) -> str:
        """Runs commands and returns what they say; a command that yanglint does not know marks their end."""
        self._count += 1
        mark = f"end-of-{self._count}-{self._secret}"  # no value of a configuration can look like it
        marker = f'Unknown command "{mark}"'.encode()
        asking = self._exchange("\n".join([*commands, mark, ""]).encode(), marker)
        try:
            text = self._loop.run_until_complete(asyncio.wait_for(asking, seconds))
        except asyncio.IncompleteReadError as error:
            raise _Ended(error.partial.decode("utf-8", "replace")) from error
        except (asyncio.TimeoutError, asyncio.LimitOverrunError) as error:
            raise LandscapeError(
                f"yanglint does not answer within {seconds:.0f} s, or does not end its answer"
            ) from error
        return text.split(marker)[0].decode("utf-8", "replace").rpartition("YANGLINT[E]: ")[0]

    async def _exchange(self, question: bytes, marker: bytes) -> bytes:
        """Writes the question, and reads until the marker."""
        process = self._process
        if process is None or process.stdin is None or process.stderr is None:
            raise LandscapeError("yanglint is asked before it was started")
        process.stdin.write(question)  # a few kB; what a program that is gone does not take, its end tells
        answer = await process.stderr.readuntil(marker)
        await process.stderr.readline()  # the rest of the complaint about the marker
        return answer


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ends the program, by force when it does not listen."""
    if process.stdin:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 2)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()


def _first(said: str) -> Complaint:
    """The first error of what yanglint said."""
    parts = [part for part in _ERROR.split(said) if part.strip()]
    text = re.split(r"^YANGLINT\[", parts[-1] if len(parts) == 1 else parts[0], flags=re.MULTILINE)[0].strip()
    marks = list(_BEFORE_PLACE.finditer(text))
    found = _PLACE.fullmatch(text, marks[-1].end()) if marks else None
    if not found:
        return Complaint(text or said.strip()[:300])
    return Complaint(text[: marks[-1].start()], found["path"], int(found["line"] or 0))


def models_dir(release: str, folder: str = "") -> str:
    """Where the models of a release are: ``folder``, else SONIC_YANG_DIR, itself or below it by the release's name.

    Without either it is where a switch has its own.

    :raises InputError: when nobody says where, or it is no folder that can be read.
    """
    base = folder or os.environ.get("SONIC_YANG_DIR", "") or (SWITCH_MODELS if os.path.isdir(SWITCH_MODELS) else "")
    if not base:
        message = f"Nobody says where the YANG models of {release} are"
        raise InputError(message, hint="Name their folder with yang_dir or SONIC_YANG_DIR, or leave yang out of checks")
    below = os.path.join(base, release)
    found = below if os.path.isdir(below) else base
    try:
        os.listdir(found)
    except OSError as error:
        raise InputError(f"The folder of YANG models {found} cannot be read: {error.strerror}", hint=_COPY) from error
    return found
