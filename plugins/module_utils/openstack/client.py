# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A cloud: one login, and requests that survive a service that is busy, restarts or loses a connection.

The only file of the domain that imports the SDK. The SDK reads ``clouds.yaml``, logs in, finds endpoints and versions;
requests are plain JSON, because a fleet of objects must not cost a fleet of Python classes. Services call :meth:`Cloud.call`.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import random
import re
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Callable

from ..core import pool
from ..core.errors import LandscapeError, MissingDependencyError
from ..core.retry import Backoff
from ..core.stream import Stopped
from . import model
from .answers import BrokenAnswerError, accepted, answer_of, pieces_of, retry_after
from .lines.client import Lines
from .model import Answer, CloudError, UnreachableError

try:
    from keystoneauth1 import exceptions as ksa
    from requests.adapters import HTTPAdapter
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    import openstack
    import openstack.config
    import openstack.connection
    import openstack.exceptions
except ImportError:
    openstack = None

#: Answers after which nobody knows what was done; only what may be done twice is repeated.
_BROKEN = (500, 502, 503, 504)
#: Methods that have the same effect when they are done twice (RFC 9110, 9.2.2).
_REPEATABLE = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")
#: The SDK would send what is left of an image five times more after a 503 (``openstack/config/defaults.json``).
_ONCE = {"connect_retries": 0, "status_code_retries": 0}

#: Seconds that a service may take for a request, and for being asked again, once the run was interrupted: time to tidy up.
_HURRY = 10.0

#: What comes behind an address without a version.
_VERSIONS = {"image": "/v2", "compute": "/v2.1", "identity": "/v3", "block-storage": "/v3", "network": "/v2.0"}
_VERSIONS["key-manager"] = "/v1"


def connect(params: Mapping[str, Any], *, parallel: int = 4, patience: float = 90.0) -> Cloud:
    """Logs in once.

    :param params: a module's options, those of ``model.AUTH_ARGUMENTS`` among them.
    :param parallel: how many requests are under way at once at most.
    :param patience: seconds for which one request is tried again.
    :raises MissingDependencyError: the SDK is missing or too old.
    :raises CloudError: the cloud cannot be reached or refuses the login.
    :raises LandscapeError: the configuration is wrong.
    """
    if openstack is None:
        raise MissingDependencyError("openstacksdk", "talking to OpenStack")
    found = importlib.metadata.version("openstacksdk")
    if model.version_of(found) < model.SDK_FLOOR:
        floor = ".".join(map(str, model.SDK_FLOOR))
        raise LandscapeError(
            f"openstacksdk {found} is too old, {floor} is the oldest that is tested",
            hint=f"Install openstacksdk>={floor} where this task runs",
        )
    login = model.login_of(params)
    name = str(login.get("cloud") or login.get("name") or "the cloud")
    try:
        with warnings.catch_warnings():
            # What the SDK will drop some day is nothing that whoever reads the task's output can mend.
            warnings.simplefilter("ignore")
            region = openstack.config.OpenStackConfig(app_name="scs.landscape").get_one(**login)
            connection = openstack.connection.Connection(config=region, strict_proxies=True)
            session = connection.session
    except (openstack.exceptions.SDKException, ksa.ClientException, KeyError, ValueError, OSError) as error:
        raise LandscapeError(
            f"The configuration of {name} is not usable: {error}", hint="Look at cloud, auth and clouds.yaml"
        ) from error
    lines = Lines()
    for scheme in ("https://", "http://"):
        # One connection for each worker and one for progress; more would only be thrown away.
        adapter = HTTPAdapter(pool_maxsize=parallel + 2, pool_block=False)
        known = adapter.poolmanager.pool_classes_by_scheme
        adapter.poolmanager.pool_classes_by_scheme = {kind: lines.watched(one) for kind, one in known.items()}
        session.session.mount(scheme, adapter)
    cloud = Cloud(name, connection, patience=patience, lines=lines)
    pool.cut_when_interrupted(cloud)
    cloud.login()
    return cloud


class Cloud:
    """A cloud that we are logged in to; safe to use from many threads.

    :ivar name: as in ``clouds.yaml``, for messages.
    """

    def __init__(
        self,
        name: str,
        connection: Any,
        *,
        patience: float = 90.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        chance: Callable[[], float] = random.random,
        lines: Lines | None = None,
    ) -> None:
        self.name = name
        self.connection = connection
        self.backoff = Backoff(first=0.3, longest=20.0, within=patience)
        self._lines = lines or Lines()
        self._clock, self._sleep, self._chance = clock, sleep or self._lines.pause, chance
        self._locks: dict[str, threading.Lock] = {}
        self._proxies: dict[str, Any] = {}

    def cut(self) -> None:
        """Ends all requests that are under way, because the run was interrupted; later ones get little time."""
        self._lines.cut()

    # Who we are.

    def login(self) -> None:
        """Fetches the token; it is renewed by itself shortly before its end, or when a service refuses it."""
        self._safely("identity", "logging in", self.connection.session.get_token)

    @property
    def project_id(self) -> str:
        """The project of the token; empty for a token without one."""
        return str(self.connection.session.get_project_id() or "")

    @property
    def user_id(self) -> str:
        """The user of the token."""
        return str(self.connection.session.get_user_id() or "")

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the token's roles."""
        return tuple(sorted(self.connection.session.auth.get_access(self.connection.session).role_names))

    @property
    def region(self) -> str:
        """Name of the region, empty when the cloud has none."""
        return str(self.connection.config.get_region_name() or "")

    def has(self, service: str) -> bool:
        """Whether our region has a service (``compute``, ``block-storage``...): says the token's catalog, no service is asked.

        :raises CloudError: nobody knows, because there is no token.
        """
        if self.connection.config.get_endpoint(service):
            return True  # the operator wrote down where it is
        session, region = self.connection.session, self.region or None
        access = self._safely("identity", "reading the catalog", lambda: session.auth.get_access(session))
        return any(access.service_catalog.get_endpoints_data(service_type=service, region_name=region).values())

    def token_headers(self) -> dict[str, str]:
        """The headers that a request of somebody else's library needs."""
        return dict(self._safely("identity", "logging in", self.connection.session.get_auth_headers) or {})

    def endpoint(self, service: str) -> str:
        """Base address of a service, version included, without a slash at its end."""
        proxy = self._proxy(service)
        return str(self._safely(service, "asking for its address", proxy.get_endpoint)).rstrip("/")

    def microversion(self, service: str, wanted: str) -> str | None:
        """The wanted microversion, or nothing when the service is older: then the feature is not there."""
        data = self._safely(service, "asking for its versions", self._proxy(service).get_endpoint_data)
        newest = tuple(getattr(data, "max_microversion", None) or ())
        if not newest:  # The library takes an answer that it could not read for a service without versions.
            told = self.call(service, "GET", "/", accept=(404,)).body or {}
            newest = model.version_of(str((told.get("version") or {}).get("version") or ""))
        return wanted if newest >= model.version_of(wanted) else None

    # Requests.

    def call(
        self,
        service: str,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        microversion: str | None = None,
        repeat: bool | None = None,
        accept: tuple[int, ...] = (),
        timeout: float | None = None,
    ) -> Answer:
        """One request, repeated while that is safe and may help.

        :param service: type in the catalog: ``image``, ``compute``, ``block-storage``, ``identity``...
        :param path: below the versioned endpoint: ``/images``.
        :param data: a body that is no JSON; sent once (a stream cannot be rewound here), without renewing the token.
        :param repeat: whether doing it twice is the same as doing it once; by default that is what the method says.
            A creation may be repeated when its id is our own, or when the caller looks for what it made before.
        :param accept: statuses of refusals that are returned instead of raised.
        :param timeout: seconds without a byte; the login's ``api_timeout`` when absent.
        :raises CloudError: it was refused (``NotFoundError``, ``ConflictError``, ``ForbiddenError``).
        :raises UnreachableError: there was no whole answer.
        """
        once = data is not None
        safe = not once and (method in _REPEATABLE if repeat is None else repeat)
        if self._lines.over.is_set():
            timeout = min(timeout or _HURRY, _HURRY)
        given = {"json": json, "data": data, "microversion": microversion, "timeout": timeout}
        given["log"] = service != "key-manager"  # of which every body may be a secret
        options = {name: value for name, value in given.items() if value is not None}
        # A body that was read once cannot be sent again: a renewed login would send nothing, and that would count.
        options.update(params=dict(params) if params else None, headers=dict(headers or {}), allow_reauth=not once)
        proxy = self._proxy(service)
        self.login()
        answer = self._tried(service, f"{method} {path}", lambda: self._send(proxy, method, path, options), safe, once)
        return accepted(service, method, path, answer, accept)

    def get(self, service: str, path: str, *, microversion: str | None = None, **params: Any) -> Any:
        """The JSON of one object."""
        return self.call(service, "GET", path, params=params, microversion=microversion).body

    def pages(
        self, service: str, path: str, key: str, *, microversion: str | None = None, **params: Any
    ) -> Iterator[dict[str, Any]]:
        """Every object of a list, page by page: Glance's ``next``, Nova's and Cinder's ``<key>_links``, Keystone's ``links``."""
        seen: set[str] = set()
        where, query = path, dict(params)
        while where:
            body = self.call(service, "GET", where, params=query, microversion=microversion).body or {}
            yield from body.get(key, ())
            following = model.next_page(body, key)
            if following in seen:
                # What was not listed would look as if it were not there.
                raise CloudError(
                    f"The {service} service lists {path} in a circle: a page points back at an earlier one"
                )
            seen.add(following)
            where, query = self._below(service, following), {}

    def stream(
        self,
        service: str,
        path: str,
        *,
        timeout: float,
        size: int = 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        begin: Callable[[Answer], None] = lambda _answer: None,
    ) -> Iterator[bytes]:
        """The bytes of an object, piece by piece, as soon as there are some.

        :param begin: is given status and headers before the first piece.
        :raises UnreachableError: they broke off; what came so far is worth nothing but to who can ask for the rest.
        """
        self.login()
        over = self._lines.over.is_set()
        given = {"headers": dict(headers or {}), "timeout": timeout, "log": False}
        try:
            reply = self._proxy(service).request(path, "GET", skip_cache=True, stream=True, **given)
            with contextlib.closing(reply):
                if reply.status_code >= 400:
                    accepted(service, "GET", path, answer_of(reply), ())
                begin(Answer(reply.status_code, {name.lower(): value for name, value in reply.headers.items()}))
                yield from pieces_of(reply, size)
        except _STREAM as error:
            self._go_on(over, service)
            raise _failure(self.name, service, f"reading {path}", error) from error

    def _below(self, service: str, link: str) -> str:
        """The path below the endpoint for the address of a page; ours, not the one the service believes it has."""
        if not link:
            return ""
        path, mark, query = link.partition("?")
        base = self.endpoint(service)
        version = base.rpartition("/")[2]
        if path.startswith(base + "/"):
            path = path[len(base) :]
        elif f"/{version}/" in path:
            path = "/" + path.partition(f"/{version}/")[2]
        return path + mark + query

    # Underneath.

    def _proxy(self, service: str) -> Any:
        # One lock for each service: one that does not answer must not hold up the others.
        with self._locks.setdefault(service, threading.Lock()):
            if service not in self._proxies:
                override = str(self.connection.config.get_endpoint(service) or "").rstrip("/")
                if override:
                    self._proxies[service] = self._overridden(service, override)
                else:
                    attribute = service.replace("-", "_")
                    found = self._safely(service, "looking for it", lambda: getattr(self.connection, attribute))
                    self._proxies[service] = found
            return self._proxies[service]

    def _overridden(self, service: str, address: str) -> Any:
        """A service whose address the operator wrote down: taken as it is, because Glance has no page about ``/v2``."""
        versioned = re.search(r"/v[0-9]", address) is not None
        proxy = self.connection.config.get_session_client(service)
        proxy.endpoint_override = address if versioned else address + _VERSIONS.get(service, "")
        return proxy

    def _safely(self, service: str, doing: str, operation: Callable[[], Any]) -> Any:
        """The result of something that reads only, tried again while the service does not answer."""

        def once() -> Answer:
            return Answer(200, body=operation())

        return self._tried(service, doing, once, True).body

    def _send(self, proxy: Any, method: str, path: str, options: Mapping[str, Any]) -> Answer:
        return answer_of(proxy.request(path, method, skip_cache=True, **_ONCE, **options))

    def _go_on(self, over: bool, service: str) -> None:
        """Refuses that when the run was interrupted meanwhile: what broke off then says nothing about the service."""
        if self._lines.over.is_set() is not over:
            raise Stopped(f"{self.name}: the {service} service was not waited for any longer, because the run ends")

    def _tried(
        self, service: str, doing: str, operation: Callable[[], Answer], safe: bool, once: bool = False
    ) -> Answer:
        """One answer; what may be repeated is, until the time is over, unless it can be done ``once`` only."""
        over = self._lines.over.is_set()
        deadline = self._clock() + (min(self.backoff.within, _HURRY) if over else self.backoff.within)
        attempt = 0
        while True:
            wait, failure = 0.0, None
            answer = Answer(0)
            try:
                answer = operation()
                if once or (not model.is_busy(answer) and not (safe and answer.status in _BROKEN)):
                    return replace(answer, attempts=attempt + 1)
                wait = retry_after(answer.headers)
            except _FAILURES as error:
                self._go_on(over, service)
                failure = _failure(self.name, service, doing, error)
                if not (isinstance(failure, UnreachableError) and safe):
                    raise failure from error
            pause = max(self.backoff.pause(attempt, self._chance()), min(wait, self.backoff.within))
            last = self._clock() + pause > deadline
            if not last:
                self._sleep(pause)
            self._go_on(over, service)
            if last:
                if failure is not None:
                    raise failure
                return replace(answer, attempts=attempt + 1)
            attempt += 1


_FAILURES: tuple[type[Exception], ...] = (BrokenAnswerError,)
_LOST = _FAILURES
_SSL: tuple[type[Exception], ...] = ()
_ABSENT: tuple[type[Exception], ...] = ()
_STREAM = _FAILURES
if openstack is not None:
    _FAILURES = (BrokenAnswerError, ksa.ClientException, openstack.exceptions.SDKException)
    _LINE = (BrokenAnswerError, RequestException, HTTPError)
    _LOST = (*_LINE, ksa.ConnectionError, openstack.exceptions.ServiceDiscoveryException)
    _STREAM = (*_FAILURES, RequestException, HTTPError)
    _SSL = (ksa.SSLError,)
    _ABSENT = (ksa.DiscoveryFailure, ksa.EndpointNotFound)


def _failure(cloud: str, service: str, doing: str, error: Exception) -> CloudError:
    """Our error for one of the libraries'; ``UnreachableError`` where another attempt may help."""
    status = int(getattr(error, "http_status", 0) or getattr(error, "status_code", 0) or 0)
    said = " ".join(str(error).split())[:400]
    message = f"{cloud}: {doing} at the {service} service failed: {said}"
    if isinstance(error, _SSL):
        return CloudError(message, hint="Look at ca_cert; validate_certs=false turns the check off")
    if isinstance(error, _LOST) or status in (429, *_BROKEN):
        return UnreachableError(message, status=status)
    if isinstance(error, _ABSENT):
        return CloudError(message, hint=f"The catalog has no {service} service for this region and interface")
    if status == 401:
        return CloudError(message, status=401, hint="The credentials are wrong, expired or for another project")
    return CloudError(message, status=status)
