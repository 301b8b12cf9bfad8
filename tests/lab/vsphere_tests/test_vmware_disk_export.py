# SPDX-License-Identifier: Apache-2.0
"""Exports from the lab's vSphere: the bytes are right whatever happens on the way, or there is no file."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere

from .exporting import MIB, SECTOR, export, names, params, running, wait_for

BLOCK = 4 * MIB
SIZES = {"odd": MIB + MIB // 1024, "last": 6 * MIB - SECTOR, "large": 33 * MIB + SECTOR}
#: Names that broke other tools.
VM = "web größe_1"


def drawn(draw: random.Random, size: int) -> bytes:
    """A disk's bytes: islands of noise in zeroes, the first and the last sector among them."""
    disk = bytearray(size)
    places = [(0, 700), (size - SECTOR, SECTOR)]
    places += [(draw.randrange(size), draw.randrange(1, 300_000)) for _number in range(30)]
    for at, length in places:
        piece = draw.randbytes(min(length, size - at))
        disk[at : at + len(piece)] = piece
    return bytes(disk)


@pytest.fixture(scope="session")
def sources(seed: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Raw disks by name."""
    folder, draw = tmp_path_factory.mktemp("sources"), random.Random(seed)
    for name, size in SIZES.items():
        (folder / name).write_bytes(drawn(draw, size))
    return {name: folder / name for name in SIZES}


def described(sources: dict[str, Path]) -> dict[str, Any]:
    """One machine that is off, with three disks on three buses, and a CD-ROM."""

    def disk(name: str, **more: Any) -> dict[str, Any]:
        return {"size": SIZES[name], "source": str(sources[name]), "thin": True, **more}

    disks = [
        disk("odd", key=2011),
        disk("last", controller="sata", key=2003),
        disk("large", controller="nvme", key=2001),
    ]
    machines = [{"name": VM, "power": "off", "disks": disks, "nics": [{}], "cdrom": "[datastore1] iso/setup.iso"}]
    machines.append({"name": "running", "power": "on", "disks": [{"size": MIB}]})
    return {"machines": machines}


@pytest.fixture(scope="session")
def places(sources: dict[str, Path]) -> Iterator[dict[str, Vsphere]]:
    """An ESXi and a vCenter."""
    found = {mode: Vsphere(lane("export"), mode, described(sources)) for mode in ("esxi", "vcenter")}
    for one in found.values():
        one.down()  # a killed run may have left one
        one.up()
    yield found
    for one in found.values():
        one.down()


@pytest.fixture
def esxi(places: dict[str, Vsphere]) -> Vsphere:
    """The host alone."""
    return places["esxi"]


def digests(dest: Path) -> dict[str, str]:
    """Of the raw files of a folder, by the key of the disk."""
    return {file.name.split("-")[-1][:-4]: _digest(file) for file in dest.glob("*.raw")}


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def wanted(sources: dict[str, Path]) -> dict[str, str]:
    """What the files must be, computed from the seed's disks."""
    keys = {"odd": "2011", "last": "2003", "large": "2001"}
    return {keys[name]: _digest(file) for name, file in sources.items()}


def since(vsphere: Vsphere, before: int, path: str, method: str = "GET") -> list[dict[str, Any]]:
    """Requests for files since then."""
    return [call for call in vsphere.calls("http")[before:] if call["method"] == method and path in call["path"]]


@pytest.mark.accept("V1.1", "V1.6", "V1.7")
@pytest.mark.parametrize(
    ("mode", "transport"),
    [
        ("esxi", "nfc"),
        ("vcenter", "folder"),
        pytest.param("esxi", "folder", marks=pytest.mark.full),
        pytest.param("vcenter", "nfc", marks=pytest.mark.full),
    ],
)
def test_bytes_are_those_of_the_seed(places, wanted, tmp_path, mode, transport):
    vsphere = places[mode]
    http, leases = len(vsphere.calls("http")), len(vsphere.calls("lease"))
    result = export(vsphere, tmp_path, vm=VM, transport=transport, sha256=True)
    assert not result["failed"]
    assert digests(tmp_path) == wanted
    assert {str(one["key"]): one["sha256"] for one in result["disks"]} == wanted
    got = since(vsphere, http, "disk-" if transport == "nfc" else "-flat.vmdk")
    assert len(got) == len(wanted)
    if transport == "nfc":  # which also names a CD-ROM and the memory of the firmware
        assert since(vsphere, http, "/nfc/") == got
    ends = [call["method"] for call in vsphere.calls("lease")[leases:]]
    assert ends == (["ready", "complete"] if transport == "nfc" else [])
    assert vsphere.state()["leases"] == []
    for one in result["disks"]:
        file = Path(one["dest"])
        assert file.stat().st_size == one["size"]
        assert file.stat().st_blocks * 512 <= one["data"] * 1.1 + MIB
    http = len(vsphere.calls("http"))
    again = export(vsphere, tmp_path, vm=VM, transport=transport)
    assert (again["changed"], again["failed"]) == (False, "")
    assert sum(call.get("bytes") or 0 for call in since(vsphere, http, "")) < MIB


def test_check_mode_writes_nothing(esxi, tmp_path):
    before = len(esxi.writes())
    checked = export(esxi, tmp_path / "out", check=True, vm=VM)
    assert checked["changed"]
    assert not (tmp_path / "out").exists()
    assert len(esxi.writes()) == before
    assert export(esxi, tmp_path / "out", vm=VM)["plan"] == checked["plan"]


@pytest.mark.full
@pytest.mark.accept("V1.1")
def test_a_slow_lease_is_kept(esxi, sources, wanted, tmp_path):
    """A lease of three seconds, and a disk that takes three times as long."""
    esxi.change(lease_seconds=3)
    leases = len(esxi.calls("lease"))
    rate = (SIZES["last"] // 3) / 9
    try:
        with FaultProxy(esxi.url, ca=esxi.ca, certificate=esxi.front, rate=rate) as proxy:
            result = export(esxi, tmp_path, proxy.url, vm=VM, disks=["2003"], transport="nfc")
    finally:
        esxi.change(lease_seconds=300)
    assert not result["failed"]
    assert digests(tmp_path) == {"2003": wanted["2003"]}
    assert [call["method"] for call in esxi.calls("lease")[leases:]] == ["ready", "complete"]
    assert [seen.method for seen in proxy.requests if "disk-" in seen.path] == ["GET"]


@pytest.mark.accept("V1.2")
def test_cuts_and_a_kill(esxi, seed, wanted, tmp_path):
    """Three cuts at places that are drawn, one SIGKILL: the rest comes, and nothing but the rest."""
    draw, size = random.Random(seed), SIZES["large"]
    rules = [Rule("truncate", path="-flat", at=draw.randrange(size // 5), times=1, skip=number) for number in range(3)]
    journal = tmp_path / f"{VM}-2001.raw.part.blocks"
    with FaultProxy(esxi.url, rules, ca=esxi.ca, certificate=esxi.front, rate=5 * MIB) as proxy:
        options = params(esxi, tmp_path, proxy.url, vm=VM, disks=["2001"], transport="folder")
        with running(options) as process:
            wait_for(lambda: journal.exists() and journal.stat().st_size > 300, "no block came")
            process.kill()
            process.wait(timeout=60)
        assert not list(tmp_path.glob("*.raw"))
        known = len(proxy.requests)
        proxy.rate = 0.0
        result = export(esxi, tmp_path, proxy.url, vm=VM, disks=["2001"], transport="folder")
    assert not result["failed"]
    assert digests(tmp_path) == {"2001": wanted["2001"]}
    resumed = result["disks"][0]["resumed"]
    assert resumed > 0
    assert resumed % BLOCK == 0
    got = [seen for seen in proxy.requests if seen.method == "GET" and "-flat" in seen.path]
    ranges = [seen.ranged for seen in proxy.requests[known:] if seen in got]
    assert ranges[0].startswith(f"bytes={resumed}-")
    assert sum(seen.sent for seen in got) <= size + 4 * BLOCK
    http = len(esxi.calls("http"))
    third = export(esxi, tmp_path, vm=VM, disks=["2001"], transport="folder")
    assert (third["changed"], third["failed"]) == (False, "")
    assert sum(call.get("bytes") or 0 for call in since(esxi, http, "")) < MIB


@pytest.mark.accept("V1.3")
@pytest.mark.parametrize(
    "what", ["strip", "401", *(pytest.param(name, marks=pytest.mark.full) for name in ("dropped", "end"))]
)
def test_answers_that_are_not_what_was_asked_for(esxi, seed, wanted, tmp_path, what):
    """After a cut: the whole file instead of the rest, a session that is gone, a body that ends well and too early."""
    at = random.Random(f"{seed} {what}").randrange(BLOCK, SIZES["large"])
    rules: list[Rule] = [Rule("truncate", method="GET", path="-flat", at=at, times=1)]
    if what == "end":
        rules = [Rule("end", method="GET", path="-flat", at=at, times=1)]
    elif what != "dropped":
        rules.append(Rule(401 if what == "401" else "strip", method="GET", path="-flat", times=1))
    with FaultProxy(esxi.url, rules, ca=esxi.ca, certificate=esxi.front, rate=20 * MIB) as proxy:
        options = params(esxi, tmp_path, proxy.url, vm=VM, disks=["2001"], transport="folder")
        with running(options) as process:
            if what == "dropped":
                wait_for(lambda: any("-flat" in seen.path for seen in proxy.requests if seen.method == "GET"), "no GET")
                assert esxi.drop_sessions() > 0
            assert process.stdout is not None
            assert process.stdout.read().strip() == '[true, ""]'
    assert digests(tmp_path) == {"2001": wanted["2001"]}
    acts = [seen.act for seen in proxy.requests if seen.act]
    assert acts == [str(rule.act) for rule in rules]
    statuses = [seen.status for seen in proxy.requests if "-flat" in seen.path and seen.method == "GET"]
    assert statuses[-1] == (200 if what == "strip" else 206)


@pytest.mark.accept("V1.4")
@pytest.mark.parametrize("what", ["end", pytest.param("truncate", marks=pytest.mark.full), "flip"])
@pytest.mark.parametrize(
    "number", [0, pytest.param(1, marks=pytest.mark.full), pytest.param(2, marks=pytest.mark.full)]
)
def test_a_spoilt_stream_leaves_nothing(esxi, seed, tmp_path, what, number):
    draw = random.Random(f"{seed} {what} {number}")
    http, leases = len(esxi.calls("http")), len(esxi.calls("lease"))
    assert not export(esxi, tmp_path / "good", vm=VM, disks=["2001"], transport="nfc")["failed"]
    length = since(esxi, http, "disk-")[-1]["bytes"]
    at = length * 7 // 10 if what == "end" else draw.randrange(70_000, length - 3000)
    with FaultProxy(esxi.url, [Rule(what, path="disk-", at=at)], ca=esxi.ca, certificate=esxi.front) as proxy:
        result = export(esxi, tmp_path / "bad", proxy.url, vm=VM, disks=["2001"], transport="nfc")
    assert [seen.act for seen in proxy.requests if seen.act] == [what]
    if what == "flip" and not result["failed"]:
        # The bit was in padding between two grains; then nothing is lost.
        assert digests(tmp_path / "bad") == digests(tmp_path / "good")
        return
    assert result["failed"]
    assert names(tmp_path / "bad") == []
    assert [call["method"] for call in esxi.calls("lease")[leases:]][-1] == "abort"
    assert esxi.state()["leases"] == []


def test_a_running_machine_is_not_copied(esxi, tmp_path):
    before = len(esxi.writes())
    for transport in ("auto", "nfc", "folder"):
        assert "is on" in export(esxi, tmp_path, vm="running", transport=transport)["failed"]
    assert len(esxi.writes()) == before
    assert names(tmp_path) == []


def test_a_stranger_gets_nothing(places, tmp_path):
    """Another certificate: nobody logs in, and nothing is asked for."""
    esxi, other = places["esxi"], places["vcenter"]
    calls = len(esxi.calls(""))
    result = export(esxi, tmp_path, vm=VM, ca_path=str(other.ca))
    assert "not believed" in result["failed"]
    result = export(esxi, tmp_path, vm=VM, thumbprint_sha256="ab" * 32)
    assert "not who was meant" in result["failed"]
    assert not any(call["kind"] == "soap" for call in esxi.calls("")[calls:])


@pytest.mark.accept("V1.22")
def test_a_host_without_leases_gives_files(esxi, wanted, tmp_path):
    esxi.change(licence="free")
    before = len(esxi.calls())
    try:
        result = export(esxi, tmp_path / "auto", vm=VM)
        refused = export(esxi, tmp_path / "nfc", vm=VM, transport="nfc")
    finally:
        esxi.change(licence="")
    assert [one["transport"] for one in result["disks"]] == ["folder"] * 3
    assert digests(tmp_path / "auto") == wanted
    assert "RestrictedVersion" in refused["failed"]
    assert names(tmp_path / "nfc") == []
    # Whether a host gives leases is only known by asking for one; nothing else that writes is asked for.
    asked = [call for call in esxi.calls()[before:] if call["method"] in esxi.writes()]
    assert {call["method"] for call in asked} == {"ExportVm"}


@pytest.mark.full
@pytest.mark.accept("V1.18")
def test_limits_hold(esxi, tmp_path):
    with FaultProxy(esxi.url, ca=esxi.ca, certificate=esxi.front, rate=4 * MIB) as proxy:
        assert not export(esxi, tmp_path, proxy.url, vm=VM, transport="folder", max_parallel=2)["failed"]
    got = sorted((seen.at, seen.until) for seen in proxy.requests if "-flat" in seen.path and seen.method == "GET")
    most = max(sum(begin <= at < end for begin, end in got) for at, _until in got)
    assert most == 2
