# SPDX-License-Identifier: Apache-2.0
"""The order of a start. Two cores are the limit, so what others wait for gets them first."""

from __future__ import annotations

import time

from .site import Site

#: Started first: all others talk to these.
_FIRST = ("mariadb", "memcached", "rabbitmq", "fetches", "keystone")


def start(site: Site) -> dict[str, float]:
    """Start everything of the profile and wait until it answers; seconds by service."""
    began = time.monotonic()
    names = site.place.services
    took: dict[str, float] = {}

    def wait(*services: str) -> None:
        site.wait(services)
        took.update({name: round(time.monotonic() - began, 1) for name in services})

    first = [name for name in _FIRST if name in names]
    for name in first:
        site.start(name)
    rest = [name for name in names if name not in first]
    if "rabbitmq" in names:
        # it starves beside fifteen Python programs, and each of those then sits in its retry interval
        wait("rabbitmq", "mariadb")
    for name in rest:
        site.start(name)
    wait(*names)
    return took
