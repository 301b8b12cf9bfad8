# SPDX-License-Identifier: Apache-2.0
"""The configuration of every service, as text. What is set here was tried; why, says docs/openstack-lab.md."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from .place import APIS, COMPUTES, PORTS, STORES, Place, url

Sections = dict[str, dict[str, object]]
#: A share that is never mounted: its directory is put where it would be, and os-brick finds it there.
NFS_SHARE = "127.0.0.1:/lab"
#: The folder that os-brick mounts it on.
SHARE_FOLDER = hashlib.md5(NFS_SHARE.encode()).hexdigest()
_DATABASES = {"nova": ("nova", "nova_api", "nova_cell0")}


def databases(api: str) -> tuple[str, ...]:
    """The databases of an API."""
    return _DATABASES.get(api, (api,))


def database(name: str) -> str:
    """The address of a database."""
    return f"mysql+pymysql://root@127.0.0.1:{PORTS['mariadb']}/{name}?charset=utf8mb3"


def text(sections: Mapping[str, Mapping[str, object]]) -> str:
    """An INI file."""
    lines: list[str] = []
    for section, options in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {value}" for name, value in options.items()]
    return "\n".join(lines) + "\n"


def files(place: Place, secrets: Mapping[str, str], settings: Mapping[str, Sections]) -> dict[str, str]:
    """Every configuration file, by its path below ``etc``.

    :param settings: what a test wants otherwise: file, section, option, value.
    """
    service = _Common(place, secrets)
    found: dict[str, Sections] = {
        "keystone/keystone.conf": service.keystone(),
        "glance/glance-api.conf": service.glance(),
        "placement/placement.conf": service.placement(),
        "cinder/cinder.conf": service.cinder(),
        "nova/nova.conf": service.nova(),
        "neutron/neutron.conf": service.neutron(),
        "barbican/.barbican/barbican.conf": service.barbican(),
    }
    for compute in COMPUTES:
        found[f"nova/{compute}.conf"] = service.compute(compute)
    for name, sections in settings.items():
        for section, options in sections.items():
            found[name].setdefault(section, {}).update(options)
    result = {name: text(sections) for name, sections in found.items()}
    result["mariadb.cnf"] = text(mariadb(place))
    result["rabbitmq/rabbitmq.conf"] = _rabbitmq(place, secrets)
    result["rabbitmq/enabled_plugins"] = "[].\n"
    result["cinder/nfs_shares"] = f"{NFS_SHARE}\n"
    return result


def mariadb(place: Place) -> Sections:
    """The database's options."""
    return {
        "mariadbd": {
            "user": "root",
            "datadir": place.data / "mysql",
            "socket": place.run / "mariadb.sock",
            "pid-file": place.run / "mariadb.own.pid",
            "port": PORTS["mariadb"],
            "bind-address": "127.0.0.1",
            "skip-log-bin": 1,
            "skip-name-resolve": 1,
            "max_connections": 2000,
            "character-set-server": "utf8mb3",
            # nothing here must survive a loss of power, and one file is quicker than a thousand
            "innodb_flush_log_at_trx_commit": 0,
            "innodb_doublewrite": 0,
            "innodb_file_per_table": 0,
            "innodb_log_file_size": "24M",
            "innodb_buffer_pool_size": "96M",
            "aria_pagecache_buffer_size": "8M",
            "performance_schema": 0,
        }
    }


def _rabbitmq(place: Place, secrets: Mapping[str, str]) -> str:
    options = {
        "listeners.tcp.1": f"127.0.0.1:{PORTS['rabbitmq']}",
        "default_user": "lab",
        "default_pass": secrets["rabbitmq"],
        "log.console": "true",
        "log.console.level": "warning",
        "vm_memory_high_watermark.absolute": "512MB",
        "disk_free_limit.absolute": "50MB",
    }
    return "".join(f"{name} = {value}\n" for name, value in options.items())


class _Common:
    """The configuration files of one cloud, which share credentials and places."""

    def __init__(self, place: Place, secrets: Mapping[str, str]) -> None:
        self.place, self.secrets = place, secrets
        self.memcached = f"127.0.0.1:{PORTS['memcached']}"

    def credentials(self, **more: object) -> dict[str, object]:
        """How a service logs in."""
        return {
            "auth_type": "password",
            "auth_url": f"{url('keystone')}/v3",
            "username": "service",
            "password": self.secrets["service"],
            "project_name": "service",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
            "region_name": "lab",
            **more,
        }

    def _tokens(self) -> dict[str, object]:
        return self.credentials(
            www_authenticate_uri=f"{url('keystone')}/v3",
            memcached_servers=self.memcached,
            service_token_roles="service",
            service_token_roles_required="true",
        )

    def _api(self, name: str, **default: object) -> Sections:
        """What all but keystone share."""
        return {
            "DEFAULT": {**default},
            "database": {"connection": database(name), "max_pool_size": 20},
            "keystone_authtoken": self._tokens(),
            "oslo_concurrency": {"lock_path": self.place.run / "locks" / name},
            "oslo_messaging_notifications": {"driver": "noop"},
            "oslo_middleware": {"enable_proxy_headers_parsing": "false"},
        }

    def _messages(self) -> str:
        return f"rabbit://lab:{self.secrets['rabbitmq']}@127.0.0.1:{PORTS['rabbitmq']}/"

    def keystone(self) -> Sections:
        """Identity."""
        keys = self.place.data / "keystone"
        return {
            "DEFAULT": {},
            "database": {"connection": database("keystone"), "max_pool_size": 20},
            "fernet_tokens": {"key_repository": keys / "fernet"},
            "fernet_receipts": {"key_repository": keys / "fernet"},
            "credential": {"key_repository": keys / "credential"},
            "cache": {
                "enabled": "true",
                "backend": "dogpile.cache.pymemcache",
                "memcache_servers": self.memcached,
            },
            "oslo_messaging_notifications": {"driver": "noop"},
            "token": {"provider": "fernet"},
        }

    def glance(self) -> Sections:
        """Images: two stores of files."""
        sections = self._api(
            "glance",
            enabled_backends="fast:file,slow:file" + (",ceph:rbd" if self.place.backend == "rbd" else ""),
            enabled_import_methods="[glance-direct,web-download,copy-image]",
            worker_self_reference_url=url("glance"),
            show_multiple_locations="false",
            use_keystone_limits="true",
        )
        # that of Debian 13 cannot look an endpoint up: "object of type 'generator' has no len()"
        known = {"endpoint_id": self.secrets["image_endpoint"]} if "image_endpoint" in self.secrets else None
        by_name = {
            "endpoint_service_type": "image",
            "endpoint_region_name": "lab",
            "endpoint_interface": "public",
        }
        sections["oslo_limit"] = self.credentials(system_scope="all", **(known or by_name))
        for name in ("project_name", "project_domain_name"):
            del sections["oslo_limit"][name]
        sections["glance_store"] = {"default_backend": "fast"}
        for store in STORES:
            sections[store] = {"filesystem_store_datadir": self.place.store(store)}
        sections["fast"]["store_description"] = "the first"
        sections["slow"]["store_description"] = "the second"
        if self.place.backend == "rbd":
            # Cinder makes a volume of such an image without copying it, when it may know where the image lies
            sections["DEFAULT"]["show_image_direct_url"] = "true"
            sections["ceph"] = {
                "store_description": "on the lane's Ceph",
                "rbd_store_pool": "images",
                "rbd_store_user": "glance",
                "rbd_store_ceph_conf": self.place.etc / "ceph" / "ceph.conf",
            }
        sections["paste_deploy"] = {"flavor": "keystone"}
        # since 33.0 loopback is refused unless host and port are named
        sections["import_filtering_opts"] = {
            "allowed_hosts": "[127.0.0.1]",
            "allowed_ports": f"[{PORTS['fetches']}]",
        }
        sections["taskflow_executor"] = {"max_workers": 10}
        return sections

    def placement(self) -> Sections:
        """Resource providers."""
        sections = self._api("placement")
        sections["placement_database"] = sections.pop("database")
        sections["api"] = {"auth_strategy": "keystone"}
        return sections

    def cinder(self) -> Sections:
        """Volumes on files or on Ceph, backups in a folder."""
        place, folder = self.place, self.place.data / "cinder"
        sections = self._api(
            "cinder",
            transport_url=self._messages(),
            host="lab",
            state_path=folder / "state",
            api_paste_config=place.etc / "cinder" / "api-paste.ini",
            rootwrap_config=place.etc / "cinder" / "rootwrap.conf",
            resource_query_filters_file=place.etc / "cinder" / "resource_filters.json",
            auth_strategy="keystone",
            enabled_backends=place.backend,
            default_volume_type="lab",
            glance_api_servers=url("glance"),
            backup_driver="cinder.backup.drivers.posix.PosixBackupDriver",
            backup_posix_path=folder / "backups",
            # a quarter less time than zlib
            backup_compression_algorithm="zstd",
            backup_workers=1,
            osapi_volume_workers=1,
            periodic_fuzzy_delay=0,
            report_interval=3,
            service_down_time=15,
            # the scheduler may start later than the first report, and would wait a minute for the next
            backend_stats_polling_interval=5,
            volume_clear="none",
        )
        sections["file"] = {
            "volume_backend_name": "lab",
            "volume_driver": "labcinder.LabNfsDriver",
            "nfs_shares_config": place.etc / "cinder" / "nfs_shares",
            "nfs_mount_point_base": place.run / "shares",
            "nfs_snapshot_support": "true",
            "nas_secure_file_operations": "false",
            "nas_secure_file_permissions": "false",
        }
        sections["rbd"] = {
            "volume_backend_name": "lab",
            "volume_driver": "cinder.volume.drivers.rbd.RBDDriver",
            "rbd_pool": "volumes",
            "rbd_user": "cinder",
            "rbd_ceph_conf": place.etc / "ceph" / "ceph.conf",
            "rbd_cluster_name": "ceph",
            "rbd_secret_uuid": "5ccd7d6a-3f0e-4a36-9a0d-1f6d4a6c1b0e",
        }
        sections["coordination"] = {"backend_url": f"file://{place.run}/coordination"}
        sections["service_user"] = self.credentials(send_service_user_token="true")
        sections["nova"] = self.credentials()
        self._key_manager(sections)
        self._privileges(sections, "privsep", "cinder_sys_admin", "privsep_osbrick")
        return sections

    def _key_manager(self, sections: Sections) -> None:
        sections["key_manager"] = {"backend": "barbican"}
        sections["barbican"] = {
            "barbican_endpoint": url("barbican"),
            "auth_endpoint": f"{url('keystone')}/v3",
            "barbican_region_name": "lab",
        }

    def _privileges(self, sections: Sections, *contexts: str) -> None:
        """Services that are root already need no sudo in front of the helper."""
        if not self.place.as_root:
            return
        helper = self.place.program("privsep-helper")
        for context in contexts:
            sections[context] = {"helper_command": f"{helper} --config-file {self.place.etc}/cinder/cinder.conf"}

    def nova(self) -> Sections:
        """Servers, which are pretended: everything around them is real."""
        sections = self._api(
            "nova",
            transport_url=self._messages(),
            state_path=self.place.data / "nova" / "state",
            host="lab",
            compute_driver="labnova.LabDriver",
            vif_plugging_is_fatal="false",
            vif_plugging_timeout=0,
            periodic_fuzzy_delay=0,
            report_interval=3,
            service_down_time=15,
            osapi_compute_workers=1,
            my_ip="127.0.0.1",
        )
        sections["api_database"] = {"connection": database("nova_api"), "max_pool_size": 20}
        sections["api"] = {"auth_strategy": "keystone"}
        sections["wsgi"] = {"api_paste_config": self.place.etc / "nova" / "api-paste.ini"}
        sections["conductor"] = {"workers": 1}
        sections["scheduler"] = {"workers": 1, "discover_hosts_in_cells_interval": 5}
        sections["compute"] = {"live_migration_wait_for_vif_plug": "false"}
        sections["service_user"] = self.credentials(send_service_user_token="true")
        sections["placement"] = self.credentials()
        sections["glance"] = {"api_servers": url("glance")}
        sections["neutron"] = self.credentials()
        sections["cinder"] = self.credentials(catalog_info="block-storage::publicURL", os_region_name="lab")
        sections["upgrade_levels"] = {"compute": "auto"}
        self._key_manager(sections)
        return sections

    def compute(self, name: str) -> Sections:
        """One of the pretended hosts. It must not see a database: "No DB access allowed in nova-compute"."""
        sections = self.nova()
        del sections["database"], sections["api_database"]
        state = self.place.data / "nova" / name
        sections["DEFAULT"].update(host=name, state_path=state)
        sections["oslo_concurrency"]["lock_path"] = self.place.run / "locks" / name
        return sections

    def neutron(self) -> Sections:
        """Networks and ports, bound by a driver of our own: no agent runs."""
        sections = self._api(
            "neutron",
            transport_url=self._messages(),
            state_path=self.place.data / "neutron",
            api_paste_config=self.place.etc / "neutron" / "api-paste.ini",
            core_plugin="ml2",
            service_plugins="",
            auth_strategy="keystone",
            dhcp_agent_notification="false",
            rpc_workers=0,
        )
        sections["ml2"] = {
            "type_drivers": "flat,vlan,vxlan,local",
            "tenant_network_types": "vxlan",
            "mechanism_drivers": "lab",
            "extension_drivers": "port_security",
        }
        sections["ml2_type_vxlan"] = {"vni_ranges": "1000:1999"}
        sections["ml2_type_vlan"] = {"network_vlan_ranges": "physnet1:100:199"}
        sections["ml2_type_flat"] = {"flat_networks": "*"}
        sections["nova"] = self.credentials()
        sections["placement"] = self.credentials()
        return sections

    def barbican(self) -> Sections:
        """Keys, encrypted with one that the template holds."""
        sections = self._api("barbican", host_href=url("barbican"))
        sections["DEFAULT"]["db_auto_create"] = "false"
        sections["secretstore"] = {"enable_multiple_secret_stores": "true", "stores_lookup_suffix": "software"}
        sections["secretstore:software"] = {
            "secret_store_plugin": "store_crypto",
            "crypto_plugin": "simple_crypto",
            "global_default": "true",
        }
        sections["simple_crypto_plugin"] = {"kek": self.secrets["kek"]}
        sections["queue"] = {"enable": "false"}
        return sections


def clouds(secrets: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """The entries of clouds.yaml."""
    users = {
        "admin": ("admin", "admin"),
        "member": ("member", "demo"),
        "reader": ("reader", "demo"),
        "second": ("second", "second"),
    }
    return {
        cloud: {
            "auth": {
                "auth_url": f"{url('keystone')}/v3",
                "username": user,
                "password": secrets[user],
                "project_name": project,
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": "lab",
            "identity_api_version": 3,
        }
        for cloud, (user, project) in users.items()
    }


#: Services in the catalogue: type, description, address.
CATALOGUE = {
    "glance": ("image", url("glance")),
    "cinder": ("block-storage", f"{url('cinder')}/v3"),
    "placement": ("placement", url("placement")),
    "nova": ("compute", f"{url('nova')}/v2.1"),
    "neutron": ("network", url("neutron")),
    "barbican": ("key-manager", url("barbican")),
}
assert CATALOGUE.keys() | {"keystone"} == set(APIS)
