# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""An ESXi host or a vCenter: one login, and calls that survive a session that ran out or a connection that was closed.

pyVmomi knows the types and the wire; who the other end is, how long a call may take and what is asked for is decided here.
What is read are named properties, all kinds of objects in one loop of ``RetrievePropertiesEx``, and they are handed on as plain
trees: dictionaries, lists and scalars.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import http.client
import importlib.metadata
import re
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable, TypeVar
from xml.parsers.expat import ExpatError

from ..core.errors import LandscapeError, MissingDependencyError
from . import model
from .link.client import Connection, ThumbprintError, Trust, context_of, trust_of
from .model import Endpoint, GoneError, LoginError, UnreachableError, VmwareError

try:
    from pyVmomi import SoapStubAdapter, VmomiSupport, vim, vmodl
except ImportError:
    vim = None

T = TypeVar("T")
Tree = dict[str, Any]

#: Objects in one answer of the property collector: 5,000 VMs are 20 calls, and an answer stays below some 20 MB.
PAGE = 250
#: How often a call that only reads is sent, and the pauses between, in seconds.
_ATTEMPTS, _PAUSE = 3, 1.0
#: Editions of the free licence (``LicenseManager.LicenseInfo.editionKey``).
FREE_EDITIONS = frozenset(("esxBasic", "esxBasic.vram"))
_HINTS = {
    "InvalidLogin": "Look at username and password; vCenter wants user@domain",
    "NoPermission": "The user's role does not allow it",
    "RestrictedVersion": "The free licence of this host refuses calls that write; take a transport that needs none (ssh, local)",
    "InvalidPowerState": "Somebody else changed the power state meanwhile; run it again",
    "TaskInProgress": "Another task works on the VM; run it again when that is over",
    "ToolsUnavailable": "VMware Tools do not run in the guest",
}


def connect(params: Mapping[str, Any], *, name: str = "", page: int = PAGE) -> Session:
    """Logs in. The other end has proven who it is before the password goes out.

    :param params: those of ``model.ENDPOINT_ARGUMENTS``.
    :param name: what the endpoint is called in facts and messages; its host name when empty.
    :raises MissingDependencyError: pyVmomi is missing or too old.
    :raises UnreachableError: nothing answers, or somebody else does.
    :raises LoginError: the login is refused.
    """
    if vim is None:
        raise MissingDependencyError("pyvmomi", "talking to VMware")
    found = importlib.metadata.version("pyvmomi")
    if tuple(int(part) for part in re.findall(r"\d+", found)[:5]) < model.SDK_FLOOR:
        hint = f"Install pyvmomi>={'.'.join(map(str, model.SDK_FLOOR))} where this task runs"
        raise LandscapeError(f"pyvmomi {found} is too old", hint=hint)
    session = Session(params, trust_of(params), name or str(params["hostname"]), page)
    try:
        session.login()
    except LandscapeError:
        session.close()
        raise
    return session


class Session:
    """A login; safe to use from many threads. Use it as a context manager: it logs out at the end.

    :ivar name: of the endpoint.
    :ivar calls: names of the SOAP methods that were sent, in their order.
    """

    def __init__(self, params: Mapping[str, Any], trust: Trust, name: str, page: int = PAGE) -> None:
        self.name, self.trust, self.page = name, trust, page
        self.host, self.port = str(params["hostname"]).strip("[]"), int(params.get("port") or 443)
        self.timeout = float(params.get("timeout") or 60)
        self.calls: list[str] = []
        self._login = (str(params["username"]), str(params["password"]))
        self._lock, self._logins = threading.Lock(), 0
        self._context = context_of(trust)
        self.endpoint = Endpoint(name)
        self._stub: Any = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_error: object) -> None:
        self.logout()

    # Who we are.

    def login(self) -> None:
        """Finds out what the other end speaks, and logs in."""
        version = self._version()
        self._stub = SoapStubAdapter(
            host=self.host,
            port=self.port,
            version=version,
            sslContext=self._context,
            httpConnectionTimeout=self.timeout,
            poolSize=8,
        )
        self._stub.scheme = functools.partial(Connection, trust=self.trust)
        instance = vim.ServiceInstance("ServiceInstance", self._stub)
        self.content = self.call("reading what it is", "RetrieveServiceContent", instance.RetrieveContent)
        about = self.content.about
        self.endpoint = Endpoint(
            self.name,
            "vcenter" if about.apiType == "VirtualCenter" else "esxi",
            str(about.version or ""),
            str(about.build or ""),
            str(about.apiVersion or ""),
            str(about.instanceUuid or ""),
        )
        self._authenticate()

    def licence(self) -> None:
        """Finds out whether an ESXi host has the free licence, which refuses calls that write; see ``endpoint.free_licence``."""
        if self.endpoint.kind != "esxi":
            self.endpoint = dataclasses.replace(self.endpoint, free_licence=False)
            return
        manager = self.content.licenseManager
        try:
            found = self.live("LicenseManager", manager._moId, "licenses").get("licenses", []) if manager else []
        except UnreachableError:
            raise
        except VmwareError:  # not for this user to see
            return
        editions = {str(one.editionKey) for one in found}
        if editions:
            self.endpoint = dataclasses.replace(self.endpoint, free_licence=editions <= FREE_EDITIONS)

    def _authenticate(self) -> None:
        user, password = self._login
        manager = self.content.sessionManager
        self.calls.append("Login")
        try:
            manager.Login(userName=user, password=password)
        except vmodl.MethodFault as fault:
            name = _name(fault)
            raise LoginError(
                f"{self.name} refuses the login of {user} ({name})", fault=name, hint=_HINTS.get(name)
            ) from None
        except (OSError, http.client.HTTPException, ExpatError) as error:
            raise self._unreachable("logging in", error) from error
        self._logins += 1

    def logout(self) -> None:
        """Ends the session; one that cannot be ended any more ends by itself."""
        with contextlib.suppress(VmwareError):
            self.call("logging out", "Logout", self.content.sessionManager.Logout, again=False)
        self.close()

    def close(self) -> None:
        """Closes all connections; a call would open one anew."""
        if self._stub is not None:
            self._stub.DropConnections()

    @property
    def cookie(self) -> str:
        """The session's cookie, for files of the same endpoint: ``vmware_soap_session="..."``; a secret."""
        return str(self._stub.cookie or "").partition(";")[0]

    def ticket(self, url: str, method: str = "httpGet") -> str:
        """A cookie for one request at a host behind the vCenter, which knows no session of ours; a secret."""
        spec = vim.SessionManager.HttpServiceRequestSpec(method=method, url=url)
        acquire = self.content.sessionManager.AcquireGenericServiceTicket
        found = self.call("asking for a ticket", "AcquireGenericServiceTicket", lambda: acquire(spec))
        return f"vmware_cgi_ticket={found.id}"

    def renew(self, cookie: str = "") -> None:
        """Logs in anew, for files whose server answered 401 while the session lives; not when another ``cookie`` than that counts."""
        with self._lock:
            if not cookie or cookie == self.cookie:
                with contextlib.suppress(VmwareError):  # one session at a time: a second login would be refused
                    self.call("logging out", "Logout", self.content.sessionManager.Logout, again=False)
                self._authenticate()

    def _again(self, seen: int) -> None:
        """Logs in anew, once for all threads whose call was refused in the same session."""
        with self._lock:
            if self._logins == seen:
                self._authenticate()

    # Calls.

    def call(self, doing: str, method: str, operation: Callable[[], T], *, again: bool = True) -> T:
        """The result of one SOAP call.

        :param doing: what it does, for messages: ``powering on web``.
        :param again: whether sending it twice is the same as once; a refused session was no call, so it always counts as one.
        :raises UnreachableError: there was no whole answer.
        :raises VmwareError: it was refused.
        """
        attempt, renewed = 1, False
        while True:
            seen = self._logins
            self.calls.append(method)
            try:
                return operation()
            except vim.fault.NotAuthenticated as fault:
                if renewed or method == "Logout" or not seen:
                    raise self._refused(doing, fault) from None
                renewed = True
                self._again(seen)
            except vmodl.MethodFault as fault:
                raise self._refused(doing, fault) from None
            except (OSError, http.client.HTTPException, ExpatError) as error:
                if isinstance(error, ssl.SSLError) or not again or attempt >= _ATTEMPTS:
                    raise self._unreachable(doing, error) from error
                time.sleep(_PAUSE * attempt)
                attempt += 1

    def _refused(self, doing: str, fault: Any) -> VmwareError:
        name = _name(fault)
        said = str(getattr(fault, "msg", "") or "").strip().rstrip(".")
        kind = GoneError if name == "ManagedObjectNotFound" else VmwareError
        reason = f": {said}" if said and name != "ManagedObjectNotFound" else ""
        return kind(f"{self.name} refuses {doing} ({name}){reason}", fault=name, hint=_HINTS.get(name))

    def _unreachable(self, doing: str, error: Exception) -> UnreachableError:
        if isinstance(error, ThumbprintError):
            hint = "Compare it at the console of the host; somebody may sit in between. Nothing was sent"
            return UnreachableError(
                f"{self.name} ({self.host}:{self.port}) is not who was meant: {error.args[0]}", hint=hint
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "Set ca_path to its authority, or thumbprint_sha256 to the thumbprint of its certificate"
            reason = getattr(error, "verify_message", "") or str(error)
            text = f"The certificate of {self.name} ({self.host}:{self.port}) is not believed: {reason}"
            return UnreachableError(text, hint=hint)
        reason = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return UnreachableError(f"{self.name} ({self.host}:{self.port}) gave no whole answer to {doing}: {reason}")

    def _version(self) -> str:
        """The newest version of the API that both ends speak, as pyVmomi names it."""
        path = "/sdk/vimServiceVersions.xml"
        link = Connection(self.host, self.port, trust=self.trust, timeout=self.timeout, context=self._context)
        try:
            link.request("GET", path)
            answer = link.getresponse()
            text = answer.read(1 << 20).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(f"GET {path}", error) from error
        finally:
            link.close()
        offered = model.versions_in(text)
        for version in VmomiSupport.GetServiceVersions("vim25"):
            if VmomiSupport.versionIdMap[version] in offered:
                return str(version)
        speaks = ", ".join(sorted(offered)) or f"nothing (status {answer.status})"
        raise VmwareError(f"{self.name} ({self.host}:{self.port}) speaks no vSphere API that pyVmomi knows: {speaks}")

    # Reading.

    def object(self, kind: str, moid: str) -> Any:
        """The live object of pyVmomi, for its methods alone: to read an attribute it asks for whole objects, or fails."""
        return _kind(kind)(moid, self._stub)

    def properties(self, wanted: Mapping[str, Sequence[str]]) -> list[Tree]:
        """Plain trees of all objects of some kinds: ``{"VirtualMachine": ["name", "config.firmware"], "Folder": ["name"]}``.

        Every tree has ``kind``, ``moid`` and the properties that are set, by their paths; those that the user may not see are
        named in ``omitted``.
        """
        kinds = [_kind(kind) for kind in wanted]
        create = self.content.viewManager.CreateContainerView
        root = self.content.rootFolder
        view = self.call("looking around", "CreateContainerView", lambda: create(root, kinds, True))
        try:
            walk = vmodl.query.PropertyCollector.TraversalSpec(
                name="view", path="view", skip=False, type=vim.view.ContainerView
            )
            start = vmodl.query.PropertyCollector.ObjectSpec(obj=view, skip=True, selectSet=[walk])
            return self._collected([start], wanted)
        finally:
            with contextlib.suppress(VmwareError):
                self.call("looking away", "DestroyView", view.DestroyView, again=False)

    def properties_of(self, kind: str, moids: Iterable[str], names: Sequence[str]) -> list[Tree]:
        """The same of some objects of one kind.

        :raises GoneError: one of them is not there any more.
        """
        start = [vmodl.query.PropertyCollector.ObjectSpec(obj=self.object(kind, moid)) for moid in moids]
        return self._collected(start, {kind: names}) if start else []

    def live(self, kind: str, moid: str, *names: str) -> dict[str, Any]:
        """Properties of one object as pyVmomi made them, for what has to be handed back (devices) or is an object itself.

        :raises GoneError: it is not there any more.
        """
        start = [vmodl.query.PropertyCollector.ObjectSpec(obj=self.object(kind, moid))]
        found = next(self._pages(start, {kind: names}), None)
        return {str(one.name): one.val for one in found.propSet} if found is not None else {}

    def _collected(self, start: list[Any], wanted: Mapping[str, Sequence[str]]) -> list[Tree]:
        """One loop of ``RetrievePropertiesEx``; a property that this version does not know is left out and it begins anew."""
        names = {kind: list(paths) for kind, paths in wanted.items()}
        while True:
            try:
                return [_tree(one) for one in self._pages(start, names)]
            except VmwareError as error:
                unknown = getattr(error.__context__, "name", "")
                if error.fault != "InvalidProperty" or not any(unknown in paths for paths in names.values()):
                    raise
                names = {kind: [path for path in paths if path != unknown] for kind, paths in names.items()}

    def _pages(self, start: list[Any], names: Mapping[str, Sequence[str]]) -> Iterator[Any]:
        collector, query = self.content.propertyCollector, vmodl.query.PropertyCollector
        sets = [query.PropertySpec(type=_kind(kind), pathSet=list(paths), all=False) for kind, paths in names.items()]
        filters = [query.FilterSpec(objectSet=start, propSet=sets, reportMissingObjectsInResults=False)]
        options = query.RetrieveOptions(maxObjects=self.page)
        retrieve, go_on = collector.RetrievePropertiesEx, collector.ContinueRetrievePropertiesEx
        page = self.call("reading properties", "RetrievePropertiesEx", lambda: retrieve(filters, options))
        while page:
            yield from page.objects
            token = page.token
            if not token:
                return
            following = functools.partial(go_on, token)
            page = self.call("reading properties", "ContinueRetrievePropertiesEx", following, again=False)

    # Tasks.

    def wait(self, task: Any, doing: str, seconds: float, *, every: float = 0.5) -> Any:
        """The result of a task.

        :raises VmwareError: it failed, or was not over in time; then it goes on at the other end.
        """
        deadline = time.monotonic() + seconds
        while True:
            info = self.live("Task", task._moId, "info.state", "info.error", "info.result")
            if info.get("info.state") == "success":
                return info.get("info.result")
            if info.get("info.state") == "error":
                raise self._refused(doing, info.get("info.error"))
            if time.monotonic() >= deadline:
                raise VmwareError(
                    f"{self.name}: {doing} is not over after {seconds:.0f} s, and goes on", fault="Timedout"
                )
            time.sleep(every)


def _name(fault: Any) -> str:
    return type(fault).__name__.rpartition(".")[2]


def _kind(name: str) -> Any:
    """The class of a kind of objects by its name on the wire."""
    return VmomiSupport.GetWsdlType("urn:vim25", name)


def _tree(found: Any) -> Tree:
    values: Tree = {"kind": type(found.obj).__name__.rpartition(".")[2], "moid": str(found.obj._moId)}
    values.update((str(one.name), plain(one.val)) for one in found.propSet)
    missing = sorted(str(one.path) for one in found.missingSet)
    return {**values, "omitted": missing} if missing else values


def plain(value: Any) -> Any:
    """What pyVmomi read, as dictionaries (``_type`` is the short name of theirs), lists and scalars; objects as their ids."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, VmomiSupport.ManagedObject):
        return str(value._moId)
    if isinstance(value, VmomiSupport.DataObject):
        tree: Tree = {"_type": type(value).__name__.rpartition(".")[2]}
        for name, one in vars(value).items():
            found = plain(one)  # first of all: objects of pyVmomi cannot be compared with anything else
            if found not in (None, []) and name not in ("dynamicType", "dynamicProperty"):
                tree[name] = found
        return tree
    return None
