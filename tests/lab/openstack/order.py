# SPDX-License-Identifier: Apache-2.0
"""The order of a start. Two cores are the limit, so what others wait for gets them first."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from ...tools.console import Unavailable
from . import config
from .place import COMPUTES, url
from .site import PATIENCE, Site

#: Started first: all others talk to these.
FIRST = ("mariadb", "memcached", "rabbitmq", "fetches", "keystone")


def start(site: Site) -> dict[str, float]:
    """Start everything of the profile and wait until it answers; seconds by service."""
    began = time.monotonic()
    names = site.place.services
    took: dict[str, float] = {}

    def wait(*services: str) -> None:
        passed = time.monotonic() - began
        for name, seconds in site.wait(services).items():
            took.setdefault(name, round(passed + seconds, 1))

    first: list[str] = [name for name in FIRST if name in names]
    for name in first:
        site.start(name)
    rest = [name for name in names if name not in first]
    if "rabbitmq" in names:
        # it starves beside fifteen Python programs, and each of those then sits in its retry interval
        wait("rabbitmq", "mariadb")
    for name in rest:
        site.start(name)
    wait(*names)
    reported(site)
    took["services"] = round(time.monotonic() - began, 1)
    return took


def booted(site: Site) -> dict[str, float]:
    """Wait until everything answers that a machine starts by itself, all at once; seconds by service."""
    began = time.monotonic()
    took = site.wait(site.place.services, 2 * PATIENCE)
    reported(site, 2 * PATIENCE)
    took["services"] = round(time.monotonic() - began, 1)
    return took


def reported(site: Site, seconds: float = PATIENCE) -> None:
    """Wait until computes and Cinder's services wrote into their databases that they are up.

    :raises Unavailable: one did not in time.
    """
    names = site.place.services
    wanted: dict[str, set[str]] = {}
    if "cinder-volume" in names:
        wanted["SELECT `binary` FROM cinder.services"] = {"cinder-scheduler", "cinder-volume", "cinder-backup"}
    if COMPUTES[0] in names:
        query = "SELECT IF(`binary` = 'nova-compute', host, `binary`) FROM nova.services"
        wanted[query] = {*COMPUTES, "nova-conductor", "nova-scheduler"}
    # what a template holds is older: nobody sees a service of yesterday
    fresh = " WHERE deleted = 0 AND COALESCE(updated_at, created_at) > UTC_TIMESTAMP() - INTERVAL 8 SECOND"
    end = time.monotonic() + seconds
    while True:
        missing: set[str] = set()
        for query, those in wanted.items():
            missing |= those - {row[0] for row in site.mysql(query + fresh)}
        if not missing:
            return
        for name in missing:
            if site.process(name) is None:
                raise Unavailable(f"{name} ended while it started: {site.last_words(name)}")
        if time.monotonic() > end:
            first = min(missing)
            raise Unavailable(
                f"{', '.join(sorted(missing))} did not report within {seconds:.0f} s: {site.last_words(first)}"
            )
        time.sleep(0.3)


def scheduled(site: Site, secrets: Mapping[str, str], seconds: float = PATIENCE) -> None:
    """Wait until Cinder's scheduler knows where volumes can lie: a volume that is made earlier ends in an error.

    :raises Unavailable: it does not in time.
    """
    if "cinder-scheduler" not in site.place.services:
        return
    end = time.monotonic() + seconds

    def known() -> bool:
        with contextlib.suppress(OSError, ValueError):
            return bool(_pools(secrets))
        return False

    while not site.inside(known):
        if time.monotonic() > end:
            last = site.last_words("cinder-scheduler")
            raise Unavailable(f"Cinder's scheduler knew no back end within {seconds:.0f} s: {last}")
        time.sleep(0.5)


def _pools(secrets: Mapping[str, str]) -> list[Any]:
    auth: Any = config.clouds(secrets)["admin"]["auth"]
    domain = {"name": auth["user_domain_name"]}
    user = {"name": auth["username"], "password": auth["password"], "domain": domain}
    body = {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": auth["project_name"], "domain": domain}},
    }
    headers = {"User-Agent": "lab-probe", "Content-Type": "application/json"}
    data = json.dumps({"auth": body}).encode()
    login = urllib.request.Request(f"{auth['auth_url']}/auth/tokens", data, headers)  # noqa: S310 - an address of the lab
    with urllib.request.urlopen(login, timeout=30) as answer:  # noqa: S310
        headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
    look = urllib.request.Request(f"{url('cinder')}/v3/scheduler-stats/get_pools", headers=headers)  # noqa: S310
    with urllib.request.urlopen(look, timeout=30) as answer:  # noqa: S310
        pools: list[Any] = json.load(answer)["pools"]
    return pools
