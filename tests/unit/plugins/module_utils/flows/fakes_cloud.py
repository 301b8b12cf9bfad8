# SPDX-License-Identifier: Apache-2.0
"""A cloud whose services answer out of dictionaries, and that notes every request."""

from __future__ import annotations

from ansible_collections.scs.landscape.plugins.module_utils.openstack import model

GIB = 1024**3


class Cloud:
    """Stands where :class:`client.Cloud` stands.

    :ivar lists: what is listed, by service and path.
    :ivar calls: method, service and path of every request.
    """

    name, project_id, roles = "fake", "p1", ("member",)

    def __init__(self, **lists):
        self.calls = []
        self.answers = {
            "/limits": {
                "limits": {"absolute": {"maxTotalInstances": 100, "totalInstancesUsed": 1, "maxTotalCores": -1}}
            },
            "/os-availability-zone": {
                "availabilityZoneInfo": [
                    {"zoneName": "nova", "zoneState": {"available": True}},
                    {"zoneName": "gone", "zoneState": {"available": False}},
                ]
            },
            "/types/default": {"volume_type": {"name": "ssd"}},
            "/os-quota-sets/p1": {
                "quota_set": {
                    "id": "p1",
                    "volumes": {"limit": 200, "in_use": 3, "reserved": 1},
                    "gigabytes": {"limit": 5000, "in_use": 0},
                    "gigabytes_ssd": {"limit": -1, "in_use": 7},
                    "backups": {"limit": 1, "in_use": 1},
                }
            },
            "/quotas/p1/details.json": {"quota": {"port": {"limit": 500, "used": 3, "reserved": 0}}},
        }
        self.lists = {
            "flavors": [
                {"id": "f2", "name": "SCS-2V-8", "vcpus": 2, "ram": 8192, "disk": 0, "extra_specs": {}},
                {"id": "f4", "name": "SCS-4V-16", "vcpus": 4, "ram": 16384, "disk": 0, "extra_specs": {}},
            ],
            "servers": [],
            "volumes": [],
            "ports": [],
            "volume_types": [{"name": "ssd"}, {"name": "__DEFAULT__"}],
            "networks": [{"id": "n1", "name": "front", "project_id": "p1", "mtu": 1500}],
            "subnets": [{"id": "s1", "network_id": "n1", "cidr": "10.0.0.0/16", "gateway_ip": "10.0.0.1", "name": "a"}],
            "security_groups": [{"id": "g1", "name": "default"}, {"id": "g2", "name": "x"}, {"id": "g3", "name": "x"}],
            **lists,
        }

    def microversion(self, _service, wanted):
        return wanted

    def pages(self, service, path, key, **_query):
        self.calls.append(("GET", service, path))
        return iter(self.lists[key])

    def get(self, service, path, **more):
        return self.call(service, "GET", path, **more).body

    def call(self, service, method, path, *, accept=(), **_more):
        self.calls.append((method, service, path))
        if path not in self.answers:
            answer = model.Answer(404, body={})
            if 404 in accept:
                return answer
            raise model.refusal(service, method, path, answer)
        return model.Answer(200, body=self.answers[path])

    @property
    def writes(self):
        return [call for call in self.calls if call[0] != "GET"]
