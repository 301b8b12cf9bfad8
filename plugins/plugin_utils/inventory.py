# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Base of the inventory plugins: options, cache, unsafe marking, and handing a finished inventory to Ansible."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.release import __version__ as core_version

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client
from ansible_collections.scs.landscape.plugins.module_utils.landscape.inventory import Inventory, is_inert

#: From this version on a string of an inventory plugin is only a template when the plugin says so (data tagging).
UNTRUSTED_BY_DEFAULT = (2, 19)
#: Raised when what a cache entry holds changes its meaning.
CACHE_FORMAT = 1


@dataclasses.dataclass
class Loaded:
    """What a plugin made of its source, in the form in which it is cached: an inventory and what is to be said about it."""

    inventory: Inventory
    warnings: list[str]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {**vars(self.inventory), "warnings": self.warnings}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Loaded:
        """The reverse of :meth:`as_dict`."""
        names = [field.name for field in dataclasses.fields(Inventory)]
        return cls(Inventory(**{name: data[name] for name in names}), list(data["warnings"]))


class LandscapeInventory(BaseInventoryPlugin, Constructable, Cacheable):
    """An inventory plugin whose hosts come from :meth:`load`; everything else is done here.

    :cvar ENDINGS: endings of configuration files that are meant for the plugin.
    """

    ENDINGS: tuple[str, ...] = ()

    def load(self, sources: list[str]) -> Loaded:
        """Reads the sources.

        :raises LandscapeError: they cannot be read, or say something that the options do not accept.
        """
        raise AnsibleParserError(f"{self.NAME} does not say how it reads {', '.join(sources)}")

    def verify_file(self, path: str) -> bool:
        """Whether the configuration file is for this plugin: by its ending."""
        return bool(super().verify_file(path)) and path.endswith(self.ENDINGS)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Called by Ansible with the configuration file."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            loaded = self._cached(path, self._sources(path), cache)
        except LandscapeError as error:
            raise AnsibleParserError(str(error)) from error
        for warning in loaded.warnings:
            self.display.warning(warning)
        self._populate(loaded.inventory)

    def _sources(self, path: str) -> list[str]:
        """The files and folders that are read, from the folder of the configuration file on."""
        base = os.path.dirname(os.path.abspath(path))
        return [os.path.normpath(os.path.join(base, os.path.expanduser(source))) for source in self.get_option("src")]

    def _cached(self, path: str, sources: list[str], cache: bool) -> Loaded:
        if not self.get_option("cache"):
            return self.load(sources)
        key = self.get_cache_key(path)
        fingerprint = self._fingerprint(sources)
        entry = self._cache.get(key) if cache else None
        if isinstance(entry, dict) and entry.get("fingerprint") == fingerprint:
            return Loaded.from_dict(entry["loaded"])
        loaded = self.load(sources)
        self._cache[key] = {"fingerprint": fingerprint, "loaded": loaded.as_dict()}
        return loaded

    def _fingerprint(self, sources: Iterable[str]) -> str:
        """Changes with every option, every source file (path, size, time of change) and every day (waivers expire)."""
        stats = [(file, os.stat(file)) for source in sources for file in client.files_of(source)]
        options = {name: value for name, value in self.get_options().items() if not name.startswith("cache")}
        seen = [(file, stat.st_size, stat.st_mtime_ns) for file, stat in stats]
        text = json.dumps([CACHE_FORMAT, datetime.date.today().isoformat(), options, seen], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _populate(self, built: Inventory) -> None:
        """Hands hosts, variables and groups to Ansible, then makes the constructed ones."""
        for group in built.groups:
            self.inventory.add_group(group)
        for group, children in built.children.items():
            for child in children:
                self.inventory.add_child(group, child)
        for host, variables in built.hosts.items():
            self.inventory.add_host(host)
            for name, value in variables.items():
                self.inventory.set_variable(host, name, marked(value))
        for group, hosts in built.groups.items():
            for host in hosts:
                self.inventory.add_host(host, group=group)
        self._construct(built)

    def _construct(self, built: Inventory) -> None:
        compose, groups, keyed = (self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        if not (compose or groups or keyed):
            return
        strict = self.get_option("strict")
        for host in built.hosts:
            self._set_composite_vars(compose, self.inventory.get_host(host).get_vars(), host, strict=strict)
            variables = self.inventory.get_host(host).get_vars()
            self._add_host_to_composed_groups(groups, variables, host, strict=strict, fetch_hostvars=False)
            self._add_host_to_keyed_groups(keyed, variables, host, strict=strict, fetch_hostvars=False)


def _plain(value: Any) -> Any:
    return value


def _unsafe(value: Any) -> Any:
    """The value with every string marked that could be a template, or an expression in a condition.

    Names and addresses are left alone, which keeps ``ansible-inventory --list`` readable.
    """
    if isinstance(value, str):
        return value if is_inert(value) else wrap_var(value)
    if isinstance(value, dict):
        return {_unsafe(key): _unsafe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unsafe(item) for item in value]
    return value


if tuple(int(part) for part in core_version.split(".")[:2]) >= UNTRUSTED_BY_DEFAULT:
    marked = _plain
else:
    # Deprecated from 2.19 on, and needed nowhere there.
    from ansible.utils.unsafe_proxy import wrap_var

    marked = _unsafe
