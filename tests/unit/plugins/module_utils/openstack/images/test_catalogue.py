# SPDX-License-Identifier: Apache-2.0
"""Catalogues are read as people have them, and what is wrong with one is said with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import model as image_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.catalogue import client, model, schema
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.lifecycle import plan
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.images.fake_glance import (
    entry,
    version,
)

# An entry in the words of openstack-image-manager, with every key that its shipped definitions have.
MANAGER = """
images:
  - name: Ubuntu 24.04
    enable: true
    shortname: ubuntu-24.04
    format: qcow2
    login: ubuntu
    password: secret
    min_disk: 8
    min_ram: 512
    status: active
    visibility: public
    multi: true
    meta:
      architecture: x86_64
      hw_disk_bus: scsi
      hw_firmware_type:
      hypervisor_type: qemu
      os_distro: ubuntu
      os_version: '24.04'
      os_purpose: generic
      replace_frequency: quarterly
      uuid_validity: last-3
      provided_until: 2029-04-25
      hotfix_hours: 0
    tags: [linux]
    latest_checksum_url: https://example.org/noble/current/SHA256SUMS
    latest_url: https://example.org/noble/current/noble.img
    versions:
      - version: '20260108'
        url: https://example.org/noble/20260108/noble.img
        mirror_url: https://mirror.example.org/20260108-ubuntu-24.04.qcow2
        checksum: sha256:00786c0936a7dd91a6b07941ca60bb56652975e0e72f9dacf73c887ada420966
        build_date: 2026-01-08
      - version: '20251201'
        url: https://example.org/noble/20251201/noble.tar.xz
        mirror_url: https://mirror.example.org/20251201-ubuntu-24.04.qcow2
        checksums_url: https://example.org/noble/20251201/SHA256SUMS
        source: private
  - name: Talos
    enable: false
    format: raw
    login: x
    min_disk: 1
    min_ram: 1
    status: active
    visibility: public
    multi: false
    meta: {architecture: aarch64, os_distro: talos}
    tags: []
    versions: []
"""


def read(*images: Any, **options: Any) -> list[model.Entry]:
    return model.entries_of([("images.yml", {"images": list(images)})], **options)


def test_definitions_of_openstack_image_manager_are_read_as_they_are(tmp_path):
    (tmp_path / "b.yml").write_text(MANAGER, encoding="utf-8")
    (tmp_path / "a.yaml").write_text("images: []\n", encoding="utf-8")
    (tmp_path / "_not.yml").write_text("nonsense", encoding="utf-8")
    documents = client.read([str(tmp_path)])
    assert [name.rpartition("/")[2] for name, _data in documents] == ["a.yaml", "b.yml"]
    (ubuntu,) = model.entries_of(documents, tag="managed")
    assert (ubuntu.tags, ubuntu.lives, ubuntu.purpose) == (("linux", "managed", "os:ubuntu"), "last-3", "generic")
    old, new = ubuntu.versions
    assert (old.version, new.version, ubuntu.offered) == ("20251201", "20260108", (new,))
    assert new.urls == (
        "https://mirror.example.org/20260108-ubuntu-24.04.qcow2",
        "https://example.org/noble/20260108/noble.img",
    )
    # What the vendor packs, Glance does not take; then only the mirror is good.
    assert old.urls == ("https://mirror.example.org/20251201-ubuntu-24.04.qcow2",)
    assert old.digests == {"source": "https://example.org/noble/20251201/SHA256SUMS"}
    assert new.properties == {
        "architecture": "x86_64",
        "hw_disk_bus": "scsi",
        "hypervisor_type": "qemu",
        "os_distro": "ubuntu",
        "os_version": "24.04",
        "replace_frequency": "quarterly",
        "uuid_validity": "last-3",
        "provided_until": "2029-04-25",
        "hotfix_hours": "0",
        "image_source": "https://example.org/noble/20260108/noble.img",
        "image_original_user": "ubuntu",
        "image_original_password": "secret",
        "image_description": "Ubuntu 24.04",
        "internal_version": "20260108",
        "image_build_date": "2026-01-08",
    }
    assert old.properties["image_source"] == "private"


WRONG = [
    ({"format": "qcow3"}, r"images\[U\].format is 'qcow3', not one of aki"),
    ({"min_disk": -1}, r"images\[U\].min_disk is -1, less than 0"),
    ({"min_ram": True}, r"images\[U\].min_ram is True, not integer"),
    ({"login": ""}, r"images\[U\].login is empty"),
    ({"tags": "x"}, r"images\[U\].tags is 'x', not array"),
    ({"visibilty": "public"}, r"images\[U\].visibilty is not known"),
    ({"meta": {"os_distro": "x"}}, r"images\[U\].meta.architecture is missing"),
    (
        {"meta": {"os_distro": "x", "architecture": "x86_64", "uuid_validity": "last"}},
        r"uuid_validity is 'last', which is not",
    ),
    ({"meta": {"os_distro": "x", "architecture": "x86_64", "k": ["l"]}}, r"meta.k is list, not string or"),
    ({"versions": [{"version": "1"}]}, r"images\[U\].versions\[1\].url is missing"),
    ({"versions": [version("1", checksum="abc")]}, r"versions\[1\].checksum is 'abc', which is not understood"),
    ({"versions": [version("1", build_date="soon")]}, r"versions\[1\].build_date is 'soon'"),
]


@pytest.mark.parametrize(("change", "reason"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_is_wrong_is_said_with_its_place(change, reason):
    with pytest.raises(InputError, match=f"images.yml: .*{reason}"):
        read({**entry("U", "1"), **change})


def test_all_problems_are_said_at_once():
    bad = [{**entry(f"U{number}", "1"), "format": "x"} for number in range(30)]
    with pytest.raises(InputError, match="; and 10 more"):
        read(*bad)
    with pytest.raises(InputError, match="the catalogue is list, not object"):
        model.entries_of([("x", [])])


def test_two_generic_images_of_one_system_are_refused_or_told_apart():
    twins = [entry("AlmaLinux 9", "1"), entry("CentOS Stream 9", "1")]
    with pytest.raises(InputError, match="AlmaLinux 9 and CentOS Stream 9 are both generic"):
        read(*twins)
    assert [one.purpose for one in read(*twins, duplicate_purpose="custom")] == ["generic", "custom"]
    with pytest.raises(InputError, match="image U is defined twice"):
        read(entry("U", "1"), entry("U", "1"), duplicate_purpose="custom")
    other = entry("arm", "1", meta={"architecture": "aarch64"})
    hidden = entry("hidden", visibility="community")
    hidden["versions"] = [version("1")]
    assert len(read(twins[0], other, hidden)) == 3


def test_versions_are_in_their_natural_order():
    (one,) = read(entry("U", "10", "9", "1.10", "1.9"))
    assert [found.version for found in one.versions] == ["1.9", "1.10", "9", "10"]
    # A date that YAML has read as one is the text people wrote.
    numbers = entry("U")
    numbers["versions"] = yaml.safe_load("[{version: 2026-01-08, url: 'file:///srv/a.raw', checksum: 'md5:ab'}]")
    (one,) = read(numbers)
    assert (one.versions[0].version, one.versions[0].file, one.versions[0].urls) == ("2026-01-08", "/srv/a.raw", ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [("a: [", "is no YAML"), (b"\xff", "cannot be read"), (" " * (client.MAX_BYTES + 2), "is larger")],
)
def test_files_that_are_no_catalogue_are_refused(tmp_path, content, reason):
    file = tmp_path / "x.yml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=reason):
        client.read([str(file)])


def test_missing_files_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        client.read([str(tmp_path / "none.yml")])
    with pytest.raises(InputError, match="There is no YAML file"):
        client.read([str(tmp_path)])


def test_the_schema_is_published_for_editors(repo):
    text = (repo / "docs" / "image-catalogue.schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == schema.published()


@pytest.mark.parametrize(
    ("url", "shown"),
    [("https://u:sesame@x/y?sig=sesame", "https://x/y"), ("file:///srv/sesame.img", "private")],
    ids=["address", "file"],
)
def test_nothing_secret_becomes_a_public_property(url, shown):
    assert model._shown(url) == shown


def test_addresses_with_secrets_are_named_by_their_place_and_read_from_there(tmp_path):
    file = tmp_path / "c.yml"
    wanted = entry("U", "20260101")
    wanted["versions"][0].update(url="https://u:sesame@x/y?sig=sesame", checksums_url="https://x/SUMS?sig=sesame")
    wanted["versions"][0].pop("checksum", None)
    file.write_text(yaml.safe_dump({"images": [wanted]}), encoding="utf-8")
    (found,) = model.entries_of(client.read([str(file)]))
    (version,) = found.versions
    asked = plan.import_of(found, version, [str(file)])
    assert "sesame" not in json.dumps(asked)
    assert asked["listed"] == {"catalogue": [str(file)], "entry": "U", "version": "20260101"}
    (whole, other) = client.resolved([asked, {"name": "x", "url": ["https://x/z"]}])
    assert (whole["url"], whole["digests"]["source"]) == ([version.urls[0]], "https://x/SUMS?sig=sesame")
    assert other == {"name": "x", "url": ["https://x/z"]}
    with pytest.raises(InputError, match="no version 2 of image U"):
        client.resolved([{**asked, "listed": {**asked["listed"], "version": "2"}}])
    # Where there is no file that could keep it, Ansible hides it, and what it hid is not taken for an address.
    inline = plan.import_of(found, version)
    assert inline["url"] == [version.urls[0]]
    with pytest.raises(InputError, match="hidden by Ansible"):
        image_model.wanted_of({**inline, "url": ["https://********@x/y?********"]})


def test_what_is_wrong_with_an_address_is_said_without_its_secrets():
    with pytest.raises(InputError) as refused:
        read(entry("U", "1", meta={}) | {"versions": [{"version": "1", "url": "gopher://u:sesame@x/y?sig=sesame"}]})
    assert "gopher://x/y" in str(refused.value)
    assert "sesame" not in str(refused.value)
