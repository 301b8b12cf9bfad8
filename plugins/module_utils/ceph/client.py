# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Asks a cluster through its own command line, wherever that is: on this host, in a container, in a pod."""

from __future__ import annotations

import contextlib
import json
import math
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Callable, TypeVar

from . import health, model
from .model import CephError

#: Runs a program: ``run(argv, seconds, environment)`` gives exit status, output and errors. See ``adapter.programs``.
Runner = Callable[[Sequence[str], float, Mapping[str, str]], tuple[int, str, str]]
T = TypeVar("T")
_ENVIRONMENT = {"LC_ALL": "C"}
#: errno of a refused key and of a refused operation, as ``ceph`` hands them to its exit status; and what it says.
_REFUSED, _BUSY = 13, 16
_NO_KEY = ("RADOS permission denied", "RADOS permission error", "ObjectNotFound('RADOS object not found", "keyring")
#: Seconds that tidying up, or starting a wrapper and ending by itself, may take.
_SPARE = 2.0
#: What programs add that enter a container or a pod.
_WRAPPER = re.compile(r"(.*: )?command terminated with exit code \d+$|Defaulted container |Connection to \S+ closed")
#: Options of ``rados`` and librados that make it end by itself, and the exit status then.
_OWN_LIMITS = ("client-mount-timeout", "rados-mon-op-timeout", "rados-osd-op-timeout")
_TIMED_OUT = 110
#: The attribute of an object that a probe writes.
_ATTRIBUTE = "scs_probe"


class Ceph:
    """The command line of a cluster.

    :param runner: runs programs.
    :param command: what stands in front of ``status``: ``["ceph"]``, ``["docker", "exec", "ceph-mon-a", "ceph"]``.
    :param seconds: every command may take.
    :param rados: the same for ``rados``; made of ``command`` when empty.
    """

    def __init__(
        self,
        runner: Runner,
        command: Sequence[str] = ("ceph",),
        seconds: float = 15.0,
        rados: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.runner, self.command, self.seconds, self.clock = runner, list(command), seconds, clock
        self.rados = list(rados) or rados_of(self.command)

    def run(self, argv: Sequence[str], seconds: float | None = None) -> tuple[int, str, str]:
        """Run a program within its time.

        :raises CephError: it did not answer in time, or there is none.
        """
        limit = seconds or self.seconds
        code, out, err = self.runner(argv, limit, _ENVIRONMENT)
        if code == 124:
            said = f"{argv[0]} did not answer within {limit:.0f} s; do the mons have a quorum?"
            raise CephError(said, silent=True)
        if code in (126, 127) and not out:
            raise CephError(f"the command of the cluster cannot be run: {last(err)}", final=True)
        return code, out, err

    def ask(self, *words: str, accept: tuple[int, ...] = (0,)) -> Any:
        """The answer to a command, as data.

        :raises CephError: there was none in time, or no answer that can be read.
        """
        code, out, err = self.say(*words, "--format", "json")
        if code not in accept:
            raise CephError(f"`ceph {' '.join(words)}` was refused: {last(err)}", final=_is_final(code, err))
        return parse(out, words)

    def say(self, *words: str) -> tuple[int, str, str]:
        """Exit status, output and errors of a command.

        It gives up by itself a little earlier than it is ended: what ends a wrapper (``docker exec``, ``kubectl exec``) does
        not end the program behind it, which would wait for a mon for ever.
        """
        own = max(1, int(self.seconds - _SPARE))
        return self.run([*self.command, "--connect-timeout", str(own), f"--rados-mon-op-timeout={own}", *words])

    # what a cluster is

    def status(self) -> model.Status:
        """The cluster's own summary."""
        return self._read(model.status, "status")

    def quorum(self, age: int = 0) -> model.Quorum:
        """Mons and their quorum."""
        return self._read(lambda data: model.quorum(data, age), "quorum_status")

    def groups(self) -> tuple[model.Group, ...]:
        """All placement groups."""
        return self._read(model.groups, "pg", "dump", "pgs_brief")

    def osds(self) -> tuple[model.Osd, ...]:
        """All OSDs with their places."""
        tree = self.ask("osd", "tree")
        return self._read(lambda dump: model.osds(tree, dump), "osd", "dump")

    def pools(self) -> tuple[model.Pool, ...]:
        """All pools."""
        return self._read(model.pools, "osd", "pool", "ls", "detail")

    def mgrs(self) -> model.Mgrs:
        """The mgrs."""
        return self._read(model.mgrs, "mgr", "dump")

    def checks(self) -> tuple[model.Check, ...]:
        """Health checks with their details."""
        return self._read(model.checks, "health", "detail")

    def _read(self, parse_it: Callable[[Any], T], *words: str) -> T:
        answer = self.ask(*words)
        try:
            return parse_it(answer)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CephError(
                f"`ceph {' '.join(words)}` gave an answer that this release of the collection cannot read: {error!r}",
                final=True,
            ) from error

    def answers(self, mon: str) -> bool:
        """Whether a mon answers itself: the others miss one that ended after some seconds only.

        :raises CephError: we could not ask it, which says nothing about the mon.
        """
        words = ("tell", f"mon.{mon}", "version")
        try:
            code, _out, err = self.say(*words, "--format", "json")
        except CephError as error:
            if not error.silent:
                raise
            return False
        if _is_final(code, err):
            raise CephError(f"`ceph {' '.join(words)}` was refused: {last(err)}", final=True)
        return code == 0

    # may it be stopped

    def ok_to_stop(self, kind: str, names: tuple[str, ...]) -> health.StopAnswer:
        """What Ceph says to stopping OSDs or mons together."""
        code, out, err = self.say(kind, "ok-to-stop", *names, "--format", "json")
        if code not in (0, _BUSY):
            raise CephError(f"`ceph {kind} ok-to-stop` was refused: {last(err)}")
        groups: tuple[str, ...] = ()
        fine = code == 0
        if kind == "osd" and out.strip():
            answer = parse(out, (kind, "ok-to-stop"))
            fine = fine and bool(answer.get("ok_to_stop", fine))
            groups = tuple(answer.get("bad_become_inactive", ()))
        return health.StopAnswer(kind, names, fine, last(err), groups)

    # does it serve

    def probe(self, pool: str, seconds: float) -> float | str:
        """Write to an object and read it back as a client does: the seconds it took, or why it failed within so many.

        The object carries an attribute and no data, so that erasure-coded pools take it too, and is removed. Each of three
        commands ends by itself: one that is killed from outside may live on behind its wrapper, and write after the removal.
        """
        name, token = f"scs_probe_{uuid.uuid4().hex}", uuid.uuid4().hex
        late, tidy = f"no answer within {seconds:g} s", min(seconds, _SPARE)
        began = self.clock()
        try:
            code, out, err = self._client(seconds, pool, "setxattr", name, _ATTRIBUTE, token)
            tidy = tidy if code else seconds  # it serves
            if not code and self.clock() - began <= seconds:
                code, out, err = self._client(seconds, pool, "getxattr", name, _ATTRIBUTE)
            took = self.clock() - began
        except CephError as error:
            return str(error) if error.final else late
        finally:
            with contextlib.suppress(
                CephError
            ):  # a pool that does not serve removes nothing; the reason is told already
                self._client(tidy, pool, "rm", name)
        if code == _TIMED_OUT or "(110)" in err or took > seconds:
            return late
        if code:
            return last(err)
        return took if out.strip() == token else "what was read is not what was written"

    def _client(self, seconds: float, pool: str, *words: str) -> tuple[int, str, str]:
        """A command of ``rados`` that gives up by itself: so many seconds to reach a mon, so many for what it does."""
        own = max(1, math.ceil(seconds))
        limits = [f"--{name}={own}" for name in _OWN_LIMITS]
        return self.run([*self.rados, *limits, "--pool", pool, *words], 2 * own + _SPARE)


def look(ceph: Ceph, wanted: health.Wanted) -> health.View:
    """Read what a verdict on what is wanted needs, and no more; probes are left to the caller."""
    status = ceph.status()
    quorum = ceph.quorum(status.quorum_age)
    names = quorum.names if "quorum" in wanted.checks else ()
    silent = tuple(name for name in names if not ceph.answers(name)) if set(names) == set(quorum.mons) else ()
    stop = wanted.stop
    dirty = "pgs" in wanted.checks and not all(health.is_fine(state) for state in status.groups.states)
    unclean = tuple(group for group in ceph.groups() if not health.is_fine(group.state)) if dirty else ()
    mgrs = ceph.mgrs() if "mgr" in wanted.checks or stop.get("mgr") else None
    stops = [ceph.ok_to_stop(kind, stop[kind]) for kind in ("osd", "mon") if stop.get(kind)]
    if mgrs is not None and stop.get("mgr"):
        stops.append(health.stop_mgrs(mgrs, stop["mgr"]))
    return health.View(
        status=status,
        quorum=quorum,
        silent=silent,
        unclean=unclean,
        pools=ceph.pools() if unclean or any(answer.groups for answer in stops) else (),
        osds=ceph.osds() if "osds" in wanted.checks or stop.get("osd") else (),
        mgrs=mgrs,
        stops=tuple(stops),
    )


def _is_final(code: int, err: str) -> bool:
    """Whether a refusal is about who asks, so that asking again does not help."""
    return code == _REFUSED or (code != 0 and any(text in err for text in _NO_KEY))


def rados_of(command: Sequence[str]) -> list[str]:
    """The command line of ``rados`` beside that of ``ceph``: the last word that is ``ceph`` or ends in ``/ceph``.

    One behind an option may be its value (``--cluster ceph``), and counts when there is no other, the first of them then.
    """
    words = list(command)
    found = [number for number, word in enumerate(words) if word == "ceph" or word.endswith("/ceph")]
    sure = [number for number in found if not number or words[number - 1] == "--" or words[number - 1][:1] != "-"]
    if not found:
        return ["rados"]
    number = sure[-1] if sure else found[0]
    return [*words[:number], words[number][: -len("ceph")] + "rados", *words[number + 1 :]]


def parse(text: str, words: Sequence[str]) -> Any:
    """The JSON of an answer; wrappers of containers may say something in front of it.

    :raises CephError: there is none.
    """
    lines = text.strip().splitlines()
    for number, line in enumerate(lines):
        if line[:1] in ("{", "["):
            try:
                return json.loads("\n".join(lines[number:]))
            except ValueError:
                continue
    raise CephError(f"`ceph {' '.join(words)}` answered no JSON: {(text.strip() or 'nothing')[:100]}")


def last(text: str) -> str:
    """The last thing a program said, in one line, but for what a wrapper adds."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not _WRAPPER.match(line)] or lines
    return said[-1][:300] if said else "it gave no reason"
