# SPDX-License-Identifier: Apache-2.0
"""The session on pyVmomi's own types, and a wire in memory: what is sent again, what is not, and what is said."""

from __future__ import annotations

import http.client
import ssl
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError, MissingDependencyError
from ansible_collections.scs.landscape.plugins.module_utils.vmware import client, model
from ansible_collections.scs.landscape.plugins.module_utils.vmware.leases import client as leases
from ansible_collections.scs.landscape.plugins.module_utils.vmware.link.client import ThumbprintError
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import (
    GoneError,
    LoginError,
    UnreachableError,
    VmwareError,
)

LOGIN = {"hostname": "esxi1", "port": 443, "username": "root", "password": "pass-4711", "timeout": 5}
VERSIONS = """<?xml version="1.0"?><namespaces version="1.0"><namespace><name>urn:vim25</name><version>8.0.3.0</version>
<priorVersions><version>8.0.2.0</version><version>6.7</version></priorVersions></namespace>
<namespace><name>urn:vim</name><version>9.9</version></namespace></namespaces>"""


def test_versions_are_those_of_the_api_alone():
    assert model.versions_in(VERSIONS) == {"8.0.3.0", "8.0.2.0", "6.7"}
    assert model.versions_in("<html>") == set()


def test_without_pyvmomi_one_sentence_names_it(monkeypatch):
    monkeypatch.setattr(client, "vim", None)
    with pytest.raises(MissingDependencyError, match="pyvmomi is needed for talking to VMware"):
        client.connect(LOGIN)


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("/vm-12/ParaVirtualSCSIController0:1", 1),
        ("/7/VirtualLsiLogicController1:0", 2),
        ("/7/VirtualLsiLogicSASController1:0", 2),
        ("/7/VirtualAHCIController0:3", 3),
        ("/7/VirtualNVMEController0:0", 4),
        ("/7/VirtualIDEController1:0", None),
        ("/7/nvram", None),
    ],
    ids=["pvscsi", "lsi", "sas", "ahci", "nvme", "cdrom", "nvram"],
)
def test_the_key_of_a_file_says_which_disk_it_is(key, place):
    places = [("scsi", 0, 1), ("scsi", 1, 0), ("sata", 0, 3), ("nvme", 0, 0)]
    disks = tuple(
        model.Disk(number, "", bus, "", unit, 512, controller_number=bus_number)
        for number, (bus, bus_number, unit) in enumerate(places, 1)
    )
    found = leases.disk_of(model.Vm("e", "web", "7", "u", disks=disks), leases.LeaseFile(key, "", True))
    assert (found.key if found else None) == place


class Wire:
    """A stub of pyVmomi that answers out of a dictionary of functions by method."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.sent: list[str] = []
        self.cookie = 'vmware_soap_session="1"; Path=/; Secure'
        self.versionId = "urn:vim25/8.0.3.0"
        self.version = "vim.version.v8_0_3_0"
        self.closed = 0

    def InvokeMethod(self, mo: Any, info: Any, args: Any) -> Any:  # noqa: N802 - the name is theirs
        name = info.wsdlName
        self.sent.append(name)
        answer = self.answers.get(name)
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def DropConnections(self) -> None:  # noqa: N802 - the name is theirs
        self.closed += 1


@pytest.fixture
def vim():
    return pytest.importorskip("pyVmomi", reason="pyVmomi is on the full legs alone").vim


@pytest.fixture
def wire(vim, monkeypatch):
    found = Wire()
    about = vim.AboutInfo(apiType="HostAgent", version="8.0.3", build="1", apiVersion="8.0.3.0")
    content = vim.ServiceInstanceContent(
        about=about,
        sessionManager=vim.SessionManager("ha-sessionmgr", found),
        propertyCollector=client.vmodl.query.PropertyCollector("pc", found),
        viewManager=vim.view.ViewManager("vm", found),
        rootFolder=vim.Folder("root", found),
        licenseManager=vim.LicenseManager("lm", found),
    )
    found.answers["RetrieveServiceContent"] = content
    monkeypatch.setattr(client, "SoapStubAdapter", lambda **_options: found)
    monkeypatch.setattr(client.Session, "_version", lambda _self: "vim.version.v8_0_3_0")
    monkeypatch.setattr(client.time, "sleep", lambda _seconds: None)
    return found


def page(vim, *objects, token=None):
    if not objects:
        return None  # as the API says it
    query = client.vmodl.query.PropertyCollector
    made = [
        query.ObjectContent(
            obj=obj,
            propSet=[client.vmodl.DynamicProperty(name=name, val=value) for name, value in values.items()],
        )
        for obj, values in objects
    ]
    return query.RetrieveResult(objects=made, token=token)


def test_pages_become_trees(vim, wire):
    one, two = vim.VirtualMachine("7", wire), vim.VirtualMachine("8", wire)
    boot = vim.vm.BootOptions(bootDelay=5, efiSecureBootEnabled=True)
    wire.answers["CreateContainerView"] = vim.view.ContainerView("view", wire)
    wire.answers["RetrievePropertiesEx"] = page(vim, (one, {"name": "web", "config.bootOptions": boot}), token="t")
    wire.answers["ContinueRetrievePropertiesEx"] = page(
        vim, (two, {"name": "db", "runtime.host": vim.HostSystem("h", wire)})
    )
    with client.connect(LOGIN) as session:
        found = session.properties({"VirtualMachine": ["name"]})
    options = {"_type": "BootOptions", "bootDelay": 5, "efiSecureBootEnabled": True}
    assert found == [
        {"kind": "VirtualMachine", "moid": "7", "name": "web", "config.bootOptions": options},
        {"kind": "VirtualMachine", "moid": "8", "name": "db", "runtime.host": "h"},
    ]
    assert session.calls == wire.sent
    assert wire.sent[-2:] == ["DestroyView", "Logout"]
    assert wire.closed == 1


def test_a_session_that_ran_out_is_renewed_once(vim, wire):
    with client.connect(LOGIN) as session:
        wire.answers["RetrievePropertiesEx"] = [vim.fault.NotAuthenticated(), page(vim)]
        assert session.properties_of("VirtualMachine", ["7"], ["name"]) == []
        wire.answers["RetrievePropertiesEx"] = [vim.fault.NotAuthenticated(), vim.fault.NotAuthenticated()]
        with pytest.raises(VmwareError, match="NotAuthenticated"):
            session.properties_of("VirtualMachine", ["7"], ["name"])
    assert wire.sent.count("Login") == 3


def test_what_reads_is_sent_again_and_what_writes_is_not(vim, wire):
    with client.connect(LOGIN) as session:
        broken = http.client.RemoteDisconnected("gone")
        wire.answers["RetrievePropertiesEx"] = [broken, TimeoutError(), page(vim)]
        assert session.properties_of("VirtualMachine", ["7"], ["name"]) == []
        wire.answers["ShutdownGuest"] = broken
        ask = session.object("VirtualMachine", "7").ShutdownGuest
        with pytest.raises(UnreachableError, match="no whole answer to asking: gone"):
            session.call("asking", "ShutdownGuest", ask, again=False)
    assert wire.sent.count("RetrievePropertiesEx") == 3
    assert wire.sent.count("ShutdownGuest") == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ThumbprintError("its certificate has the thumbprint x"), "is not who was meant"),
        (ssl.SSLCertVerificationError("self-signed certificate"), "is not believed"),
    ],
    ids=["thumbprint", "authority"],
)
def test_a_peer_that_is_not_believed_is_asked_once(vim, wire, error, words):
    wire.answers["RetrieveServiceContent"] = error
    with pytest.raises(UnreachableError, match=words):
        client.connect(LOGIN)
    assert wire.sent == ["RetrieveServiceContent"]
    assert wire.closed == 1


def test_faults_are_told_in_words(vim, wire):
    with client.connect(LOGIN) as session:
        wire.answers["RetrievePropertiesEx"] = client.vmodl.fault.ManagedObjectNotFound()
        with pytest.raises(GoneError):
            session.properties_of("VirtualMachine", ["7"], ["name"])
        wire.answers["PowerOnVM_Task"] = vim.fault.RestrictedVersion(msg="Current license prohibits.")
        with pytest.raises(VmwareError) as caught:
            session.call("powering on web", "PowerOnVM_Task", session.object("VirtualMachine", "7").PowerOn)
    assert caught.value.fault == "RestrictedVersion"
    assert "free licence" in str(caught.value)
    wire.answers["Login"] = vim.fault.InvalidLogin()
    with pytest.raises(LoginError) as refused:
        client.connect(LOGIN)
    assert "pass-4711" not in str(refused.value)


def test_a_property_that_is_unknown_there_is_left_out(vim, wire):
    with client.connect(LOGIN) as session:
        unknown = client.vmodl.query.InvalidProperty(name="config.sgxInfo")
        wire.answers["RetrievePropertiesEx"] = [unknown, page(vim, (vim.VirtualMachine("7", wire), {"name": "web"}))]
        found = session.properties_of("VirtualMachine", ["7"], ["name", "config.sgxInfo"])
        assert [one["name"] for one in found] == ["web"]
        wire.answers["RetrievePropertiesEx"] = client.vmodl.query.InvalidProperty(name="else")
        with pytest.raises(VmwareError, match="InvalidProperty"):
            session.properties_of("VirtualMachine", ["7"], ["name"])


@pytest.mark.parametrize(("edition", "free"), [("esxBasic", True), ("esx.enterprise", False)], ids=["free", "paid"])
def test_the_licence_says_whether_calls_that_write_are_refused(vim, wire, edition, free):
    licence = vim.LicenseManager.LicenseInfo(licenseKey="k", editionKey=edition, name="n", total=1)
    found = client.VmomiSupport.GetVmodlType("vim.LicenseManager.LicenseInfo[]")([licence])
    with client.connect(LOGIN) as session:
        wire.answers["RetrievePropertiesEx"] = page(vim, (vim.LicenseManager("lm", wire), {"licenses": found}))
        session.licence()
        assert session.endpoint.free_licence is free
        wire.answers["RetrievePropertiesEx"] = vim.fault.NoPermission()
        session.endpoint = model.Endpoint("e")
        session.licence()
        assert session.endpoint.free_licence is None


def test_a_task_is_waited_for_with_an_end(vim, wire):
    states = vim.TaskInfo.State
    with client.connect(LOGIN) as session:
        task = vim.Task("t", wire)
        running = page(vim, (task, {"info.state": states.running}))
        wire.answers["RetrievePropertiesEx"] = [running, page(vim, (task, {"info.state": states.success}))]
        assert session.wait(task, "doing", 60) is None
        failed = {"info.state": states.error, "info.error": vim.fault.InvalidPowerState(msg="it is off")}
        wire.answers["RetrievePropertiesEx"] = page(vim, (task, failed))
        with pytest.raises(VmwareError, match="it is off"):
            session.wait(task, "doing", 60)
        wire.answers["RetrievePropertiesEx"] = running
        with pytest.raises(VmwareError, match="not over after 0 s"):
            session.wait(task, "doing", 0)


def test_an_old_pyvmomi_is_refused(vim, monkeypatch):
    monkeypatch.setattr(client.importlib.metadata, "version", lambda _name: "8.0.1.0")
    with pytest.raises(LandscapeError, match=r"pyvmomi 8\.0\.1\.0 is too old"):
        client.connect(LOGIN)
