# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Servers as the services show them: a few lists for all, and three requests for each. Reads only."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core import pool
from ...core.errors import InputError, LandscapeError
from ..model import NotFoundError
from .model import Seen

NOVA, CINDER, GLANCE, NEUTRON = "compute", "block-storage", "image", "network"
#: What a release shows: hints, the zone that was asked for, the host name, who deletes a volume, the groups of a server.
_VERSIONS = ("2.100", "2.96", "2.90", "2.79", "2.73", "2.71")


class Reader:
    """The servers of a project, or of all, with what belongs to them; what is listed is listed once."""

    def __init__(self, cloud: Any, parallel: int = 4, everywhere: bool = False) -> None:
        self.cloud, self.parallel, self.everywhere = cloud, parallel, everywhere

    @functools.cached_property
    def version(self) -> str:
        """The microversion of Nova that shows most."""
        for wanted in _VERSIONS:
            if self.cloud.microversion(NOVA, wanted):
                return wanted
        raise LandscapeError(f"{self.cloud.name}: the compute service is older than its microversion {_VERSIONS[-1]}")

    # Lists.

    def servers(self) -> list[dict[str, Any]]:
        """All servers, those of all projects if that was asked for."""
        query = {"all_tenants": "1"} if self.everywhere else {}
        return list(self.cloud.pages(NOVA, "/servers/detail", "servers", microversion=self.version, limit=500, **query))

    def server(self, identifier: str) -> dict[str, Any] | None:
        """A server, or nothing when it is not there."""
        try:
            return dict(self.cloud.get(NOVA, f"/servers/{identifier}", microversion=self.version)["server"])
        except NotFoundError:
            return None

    def _ours(self) -> dict[str, str]:
        return {} if self.everywhere else {"project_id": self.cloud.project_id}

    @functools.cached_property
    def ports(self) -> list[dict[str, Any]]:
        """All ports of the project."""
        return list(self.cloud.pages(NEUTRON, "/ports", "ports", **self._ours()))

    @functools.cached_property
    def networks(self) -> list[dict[str, Any]]:
        """All networks that we may see, shared ones too."""
        return list(self.cloud.pages(NEUTRON, "/networks", "networks"))

    @functools.cached_property
    def subnets(self) -> list[dict[str, Any]]:
        """All subnets that we may see."""
        return list(self.cloud.pages(NEUTRON, "/subnets", "subnets"))

    @functools.cached_property
    def security_groups(self) -> list[dict[str, Any]]:
        """All security groups of the project."""
        return list(self.cloud.pages(NEUTRON, "/security-groups", "security_groups", **self._ours()))

    @functools.cached_property
    def floating(self) -> list[dict[str, Any]]:
        """Floating addresses of the project, listed once."""
        return self.floating_now()

    def floating_now(self) -> list[dict[str, Any]]:
        """Floating addresses of the project as they are now; none where there are no routers."""
        answer = self.cloud.call(NEUTRON, "GET", "/floatingips", params=self._ours(), accept=(404,))
        return list((answer.body or {}).get("floatingips") or ()) if answer.status == 200 else []

    @functools.cached_property
    def volumes(self) -> list[dict[str, Any]]:
        """All volumes."""
        query = {"all_tenants": "1"} if self.everywhere else {}
        return list(self.cloud.pages(CINDER, "/volumes/detail", "volumes", limit=1000, **query))

    @functools.cached_property
    def server_groups(self) -> list[dict[str, Any]]:
        """Server groups of the project."""
        query = {"all_projects": "1"} if self.everywhere else {}
        return list(self.cloud.pages(NOVA, "/os-server-groups", "server_groups", microversion=self.version, **query))

    @functools.cached_property
    def keypairs(self) -> dict[str, dict[str, Any]]:
        """Key pairs of the token's user, by name."""
        pages = self.cloud.pages(NOVA, "/os-keypairs", "keypairs", microversion=self.version)
        return {str(one["keypair"]["name"]): one["keypair"] for one in pages}

    @functools.cached_property
    def images(self) -> dict[str, str]:
        """Names of images, by id."""
        return {
            str(one["id"]): str(one.get("name")) for one in self.cloud.pages(GLANCE, "/images", "images", limit=500)
        }

    # Servers.

    def seen(self, servers: Iterable[Mapping[str, Any]]) -> list[pool.Outcome[Mapping[str, Any]]]:
        """All about some servers: a ``Seen`` each, or the error."""
        mine = list(servers)
        if mine:  # before the threads, so that nothing is listed twice
            _lists = (self.ports, self.networks, self.security_groups, self.floating, self.volumes, self.server_groups)
        if any(one.get("key_name") for one in mine):
            _pairs = self.keypairs
        if any(one.get("image") for one in mine):
            _images = self.images
        return pool.each(mine, self.of, self.parallel)

    def of(self, server: Mapping[str, Any]) -> Seen:
        """All about one server."""
        path = f"/servers/{server['id']}"
        attached = self.cloud.get(NOVA, f"{path}/os-volume_attachments", microversion=self.version)
        cards = self.cloud.get(NOVA, f"{path}/os-interface", microversion=self.version)
        attachments = {str(one["volumeId"]): one for one in attached["volumeAttachments"]}
        ports = self._in_order(server, [one for one in self.ports if one.get("device_id") == server["id"]])
        groups = self._with_remotes([str(one) for port in ports for one in port.get("security_groups") or ()])
        image = server.get("image") or {}
        # Lists of servers do not name groups, but groups name servers.
        group = next((one for one in self.server_groups if server["id"] in (one.get("members") or ())), None)
        floating: dict[str, list[Mapping[str, Any]]] = {}
        for one in self.floating:
            floating.setdefault(str(one.get("port_id")), []).append(one)
        return Seen(
            server=server,
            attachments=attachments,
            tags={str(one["port_id"]): one["tag"] for one in cards["interfaceAttachments"] if one.get("tag")},
            ports=ports,
            volumes=[one for one in self.volumes if str(one["id"]) in attachments],
            groups=groups,
            networks={str(one["id"]): str(one["name"]) for one in self.networks},
            floating=floating,
            group=group,
            keypair=self.keypairs.get(str(server["key_name"])) if server.get("key_name") else None,
            root_image=self.images.get(str(image["id"]), "") if image.get("id") else "",
        )

    @staticmethod
    def _in_order(server: Mapping[str, Any], ports: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ports as the cards are in the guest: Nova shows addresses in that order, network by network."""
        shown = [
            str(address.get("OS-EXT-IPS-MAC:mac_addr"))
            for addresses in (server.get("addresses") or {}).values()
            for address in addresses
        ]
        place = {mac: index for index, mac in reversed(list(enumerate(shown)))}
        last = len(shown)
        return sorted(ports, key=lambda one: (place.get(str(one.get("mac_address")), last), str(one.get("created_at"))))

    def _with_remotes(self, identifiers: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Security groups, and those that their rules point at."""
        known = {str(one["id"]): one for one in self.security_groups}
        found: dict[str, Mapping[str, Any]] = {}
        todo = list(identifiers)
        while todo:
            identifier = todo.pop()
            if identifier in found or identifier not in known:
                continue
            found[identifier] = known[identifier]
            rules = known[identifier].get("security_group_rules") or ()
            todo += [str(one["remote_group_id"]) for one in rules if one.get("remote_group_id")]
        return found


def select(
    servers: Sequence[Mapping[str, Any]], names: Sequence[str], metadata: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    """Servers by id or name, and by metadata; all of them when nothing is asked for.

    :raises InputError: there is no server, or there are several, of a name; all such names are told at once.
    """
    chosen, problems = list(servers), []
    if names:
        chosen = []
        for name in dict.fromkeys(names):
            found = [one for one in servers if one["id"] == name] or [one for one in servers if one["name"] == name]
            if len(found) != 1:
                problems.append(f"{name!r} is the name or id of {len(found) or 'no'} server{'s' * (len(found) > 1)}")
            chosen += [one for one in found if one not in chosen]
    if problems:
        raise InputError("; ".join(problems), hint="Give ids where names are not unique")
    wanted = {key: str(value) for key, value in metadata.items()}
    return [one for one in chosen if wanted.items() <= (one.get("metadata") or {}).items()]
