# SPDX-License-Identifier: Apache-2.0
"""Power of VMs: nobody is powered off who was not meant to be, and everything goes back to what it was."""

from __future__ import annotations

import contextlib
import copy

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.sources.ssh import SshHost
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import Autostart, Endpoint
from ansible_collections.scs.landscape.plugins.module_utils.vmware.power import run, shell
from ansible_collections.scs.landscape.plugins.modules import vmware_vm_power
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware import trees
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware.fakes import Clock, FakeHands, FakeSession

OPTIONS = {
    "power": None,
    "nics": None,
    "autostart": None,
    "restore": None,
    "shutdown_timeout": 300,
    "force": False,
    "keep_going": False,
    "max_parallel": 1,
    "ssh": None,
    "hostname": "esxi1.example.com",
    "timeout": 60,
}


class Lab:
    """Two VMs that are on, of a host that starts the first one, and a clock."""

    def __init__(self, monkeypatch):
        on = {"runtime__powerState": "poweredOn", "guest__toolsRunningStatus": "guestToolsRunning"}
        cards = [
            trees.card(4000),
            trees.card(4001, mac="00:0c:29:00:00:09", plug={"startConnected": False, "connected": False}),
        ]
        first = trees.machine(
            "web", [trees.PVSCSI, trees.disk(2000, 1000, 0), *cards], config__instanceUuid="52aa-7", **on
        )
        second = trees.machine("db", moid="8", config__instanceUuid="52aa-8", **on)
        self.session = FakeSession([*copy.deepcopy(trees.AROUND), first, second])
        self.hands = FakeHands(self.session)
        self.clock = Clock()
        whole = run.run
        monkeypatch.setattr(run, "run", lambda *given: whole(*given, clock=self.clock, sleep=self.clock.sleep))

    def __call__(self, *vms, check=False, **options):
        params = {**OPTIONS, "vms": list(vms) or ["web"], **options}
        return vmware_vm_power.main(
            params, check, connect=lambda _params: self.session, hands=lambda _session: self.hands
        )

    @property
    def starter(self):
        return next(tree for tree in self.session.trees if tree["kind"] == "HostAutoStartManager")

    @property
    def writes(self):
        return [f"{method} {moid}" for method, moid in self.hands.done]


@pytest.fixture
def lab(monkeypatch):
    return Lab(monkeypatch)


def test_guests_are_asked_and_waited_for(lab):
    result = lab("web", "db", power="off")
    assert result.changed
    assert not result.failed
    assert lab.writes == ["shut_down 7", "shut_down 8"]
    assert [one["after"]["power"] for one in result.values["vms"]] == ["off", "off"]
    assert lab.session.closed
    again = lab("web", "db", power="off")
    assert not again.changed
    assert lab.writes == ["shut_down 7", "shut_down 8"]


def test_a_vm_that_cannot_be_asked_holds_up_no_other_where_that_is_wanted(lab):
    for tree in lab.session.trees:
        if tree["kind"] == "VirtualMachine" and tree["moid"] == "7":
            tree["guest.toolsRunningStatus"] = "guestToolsNotRunning"
    with pytest.raises(InputError, match="its VMware Tools are stopped"):
        lab("web", "db", power="off")
    result = lab("web", "db", power="off", keep_going=True)
    assert lab.writes == ["shut_down 8"]
    found = {one["name"]: (one["after"]["power"], bool(one["error"])) for one in result.values["vms"]}
    assert found == {"web": ("on", True), "db": ("off", False)}
    assert "its VMware Tools are stopped" in result.failed


def test_one_that_is_not_there_holds_up_no_other_when_that_is_wanted(lab):
    with pytest.raises(InputError, match="no VM is called 'gone'"):
        lab("gone", "db", power="off")
    assert lab.writes == []
    result = lab("gone", "db", power="off", keep_going=True)
    assert lab.writes == ["shut_down 8"]
    assert [(one["uuid"], one["error"]) for one in result.values["vms"] if one["error"]] == [
        ("gone", "no VM is called 'gone'")
    ]
    assert result.failed == "no VM is called 'gone'"


@pytest.mark.accept("V1.11")
def test_a_guest_that_does_not_listen_stays_on(lab):
    lab.hands.deaf = {"7"}
    result = lab("web", "db", power="off", shutdown_timeout=120)
    assert "did not shut down within 120 s; it is still on" in result.failed
    assert lab.writes == ["shut_down 7", "shut_down 8"]
    assert [one["after"]["power"] for one in result.values["vms"]] == ["on", "off"]
    assert lab.clock.now == 120
    assert result.values["vms"][0]["seconds"] == 120


def test_force_pulls_the_plug_only_after_the_time(lab):
    lab.hands.deaf = {"7"}
    result = lab(power="off", shutdown_timeout=60, force=True)
    assert lab.writes == ["shut_down 7", "power_off 7"]
    assert lab.clock.now == 60
    assert result.values["vms"][0]["forced"]
    assert not result.failed


@pytest.mark.parametrize(
    ("state", "tools", "reason"),
    [
        ("poweredOn", "guestToolsNotRunning", "its VMware Tools are stopped"),
        ("suspended", "guestToolsRunning", "powering it off loses its memory"),
    ],
    ids=["no-tools", "suspended"],
)
def test_what_needs_force_is_refused_before_anything_is_touched(lab, state, tools, reason):
    lab.session.tree("8").update({"runtime.powerState": state, "guest.toolsRunningStatus": tools})
    with pytest.raises(InputError, match=reason):
        lab("web", "db", power="off")
    assert lab.writes == []
    lab("web", "db", power="off", force=True)
    assert lab.writes == ["shut_down 7", "power_off 8"]


def test_check_mode_says_the_same_and_does_nothing(lab):
    asked = {"power": "off", "nics": "disconnected", "autostart": False}
    checked = lab(check=True, **asked)
    assert checked.changed
    assert lab.writes == []
    done = lab(**asked)
    assert checked.plan.digest == done.plan.digest
    assert checked.values["vms"][0]["after"] == done.values["vms"][0]["after"]
    assert [step.action for step in done.plan.steps] == ["shut down", "set cards", "set autostart"]
    assert lab.writes == ["shut_down 7", "set_cards 7", "set_autostart 7"]
    assert done.steps_done == 3
    assert not lab(check=True, **asked).changed
    assert [one["before_header"].split(" (")[0] for one in done.diff] == ["VM web"] * 3


def test_everything_goes_back_to_what_it_was(lab):
    first = lab(power="off", nics="disconnected", autostart=False).values["vms"][0]
    assert first["before"] == {"power": "on", "nics": {"4000": True, "4001": False}, "autostart": 2}
    assert first["after"] == {"power": "off", "nics": {"4000": False, "4001": False}, "autostart": 0}
    lab.hands.done.clear()
    back = lab(restore={"52aa-7": first["before"]})
    assert back.values["vms"][0]["after"] == first["before"]
    assert lab.writes == ["set_cards 7", "set_autostart 7", "power_on 7"]
    assert not lab(restore={"52aa-7": first["before"]}).changed


def test_restore_without_a_memory_of_the_vm_is_refused(lab):
    with pytest.raises(InputError, match=r"holds nothing for web \(52aa-7\)"):
        lab(restore={"52aa-8": {"power": "on"}})
    assert lab.writes == []


@pytest.mark.accept("V1.15")
@pytest.mark.parametrize(("now", "start"), [(True, False), (False, True)], ids=["now", "start"])
def test_a_card_that_is_connected_by_half_goes_with_its_vm_and_comes_back_so(lab, now, start):
    plug = lab.session.tree("7")["config.hardware"]["device"][2]["connectable"]
    plug.update(connected=now, startConnected=start)
    was = dict(plug)
    first = lab(power="off")
    assert not first.failed
    before = first.values["vms"][0]["before"]
    assert before["nics"]["4000"] == ("now" if now else "start")
    assert first.values["vms"][0]["after"]["nics"]["4000"] is start
    assert not lab(nics="disconnected", autostart=False).failed
    assert (plug["connected"], plug["startConnected"]) == (False, False)
    lab.hands.done.clear()
    checked = lab(check=True, restore={"52aa-7": before})
    back = lab(restore={"52aa-7": before})
    assert not back.failed
    assert plug == was
    assert back.values["vms"][0]["after"] == checked.values["vms"][0]["after"] == before
    plugged = ["set_cards 7"] if start else []
    assert lab.writes == [*plugged, "set_autostart 7", "power_on 7", "set_cards 7"]
    assert not lab(restore={"52aa-7": before}).changed


def test_what_was_not_asked_may_change_by_itself(lab):
    ask = lab.hands.shut_down

    def shut_down(moid, name):
        ask(moid, name)
        lab.session.tree(moid)["config.hardware"]["device"][2]["connectable"]["startConnected"] = False

    lab.hands.shut_down = shut_down
    result = lab(power="off")
    assert not result.failed
    assert result.values["vms"][0]["after"]["nics"]["4000"] is False


@pytest.mark.accept("V1.15")
def test_the_whole_entry_of_autostart_comes_back(lab):
    entry = lab.starter["config.powerInfo"][0]
    entry.update(startDelay=30, waitForHeartbeat="yes", stopDelay=240, stopAction="guestShutdown")
    was = {name: value for name, value in entry.items() if name != "_type"}
    kept = {"order": 2, "start_delay": 30, "heartbeat": "yes", "stop_delay": 240, "stop_action": "guestShutdown"}
    first = lab(autostart=False).values["vms"][0]
    assert (first["before"]["autostart"], first["after"]["autostart"]) == (kept, 0)
    assert "7" not in [one["key"] for one in lab.starter["config.powerInfo"]]
    back = lab(restore={"52aa-7": {**first["before"], "autostart": {name: str(kept[name]) for name in kept}}})
    assert not back.failed
    assert [one for one in lab.starter["config.powerInfo"] if one["key"] == "7"] == [was]
    assert back.values["vms"][0]["after"]["autostart"] == kept
    assert not lab(restore={"52aa-7": first["before"]}).changed


@pytest.mark.parametrize(
    "kept", [{"autostart": {"start_delay": 3}}, {"autostart": "soon"}, {"nics": {"4000": "perhaps"}}], ids=repr
)
def test_a_memory_that_is_not_whole_is_refused(lab, kept):
    with pytest.raises(InputError, match="does not say how"):
        lab(restore={"52aa-7": kept})
    assert lab.writes == []


def test_one_that_fails_does_not_end_the_others(lab):
    lab.hands.faults = {"shut_down": "ToolsUnavailable"}
    result = lab("web", "db", power="off")
    assert result.failed == "refused shut_down"
    assert [one["error"] for one in result.values["vms"]] == ["refused shut_down", None]
    assert result.steps_done == 1
    assert result.changed


@pytest.mark.parametrize("keep_going", [False, True])
def test_one_that_is_unregistered_meanwhile_does_not_lose_the_others(lab, keep_going):
    change = lab.hands.set_cards

    def set_cards(moid, name, wanted):
        change(moid, name, wanted)
        if moid == "7":
            lab.session.trees.remove(lab.session.tree("7"))

    lab.hands.set_cards = set_cards
    result = lab("web", "db", nics="disconnected", power="off", keep_going=keep_going)
    web, db = result.values["vms"]
    assert web["error"] == "web is not there any more, so nobody can tell what became of it"
    assert web["after"] == web["before"]
    assert (db["error"], db["after"]["power"]) == (None, "off")
    assert (result.failed, result.changed) == (web["error"], True)


def test_what_failed_before_a_vm_was_gone_is_what_is_told(lab):
    lab.hands.faults = {"set_cards": "ManagedObjectNotFound"}
    change = lab.hands.set_cards

    def set_cards(moid, name, wanted):
        try:
            change(moid, name, wanted)
        finally:
            lab.session.trees.remove(lab.session.tree(moid))

    lab.hands.set_cards = set_cards
    assert lab(nics="disconnected").failed == "refused set_cards"


def test_somebody_who_was_faster_is_no_failure(lab):
    lab.hands.faults = {"shut_down": "InvalidPowerState"}
    ask = lab.hands.shut_down

    def race(moid, name):
        lab.session.tree(moid)["runtime.powerState"] = "poweredOff"
        ask(moid, name)

    lab.hands.shut_down = race
    assert not lab(power="off").failed


def test_what_did_not_come_true_is_told(lab):
    lab.hands.set_cards = lambda moid, name, wanted: None
    assert "connected of card 4000 is True instead of False" in lab(nics="disconnected").failed
    lab.hands.set_autostart = lambda moid, name, wanted: None
    assert "autostart is 2 instead of 0" in lab(autostart=False).failed
    lab.hands.power_on = lambda moid, name: None
    lab.session.tree("7")["runtime.powerState"] = "poweredOff"
    assert "it is off instead of on" in lab(power="on").failed


@pytest.mark.parametrize(
    "changes", [{"runtime.connectionState": "inaccessible"}, {"config.template": True}], ids=["gone", "template"]
)
def test_a_vm_that_cannot_start_is_refused(lab, changes):
    lab.session.tree("7").update({"runtime.powerState": "poweredOff", **changes})
    with pytest.raises(InputError):
        lab(power="on")
    assert lab.writes == []


class Host:
    """The shell of the host: what is asked there comes true."""

    def __init__(self, lab, monkeypatch):
        self.lab, self.asked, self.hosts = lab, [], set()
        monkeypatch.setattr(shell, "said", self.said)

    def said(self, host, command, doing):
        self.hosts.add(host.host)
        self.asked.append(" ".join(command[1:]))
        verb, moid = command[1].split("/")[-1], command[3 if "--" in command else 2]
        hands = FakeHands(self.lab.session)
        if verb == "update_autostartentry":
            hands.set_autostart(moid, "", Autostart(command[4] == "powerOn", int(command[6]), int(command[5])))
        else:
            {"power.shutdown": hands.shut_down, "power.off": hands.power_off, "power.on": hands.power_on}[verb](
                moid, ""
            )


@pytest.mark.accept("V1.22")
def test_a_host_whose_licence_refuses_writes_is_asked_by_its_shell(lab, monkeypatch):
    host = Host(lab, monkeypatch)
    lab.session.endpoint = Endpoint("esxi1", "esxi", "8.0.3", free_licence=True)
    refused = {"shut_down": "RestrictedVersion", "set_autostart": "RestrictedVersion"}
    lab.hands.faults = dict(refused)
    for check in (True, False):
        with pytest.raises(InputError, match="refuses every call that writes; give ssh"):
            lab(check=check, power="off")
        with pytest.raises(InputError, match="refuses to set network cards"):
            lab(check=check, power="off", nics="disconnected", ssh={"user": "root"})
    assert (lab.writes, host.asked) == ([], [])
    down = lab(power="off", autostart=False, ssh={"user": "root", "host": None})
    assert not down.failed
    assert host.asked == [
        "vmsvc/power.shutdown 7",
        "hostsvc/autostartmanager/update_autostartentry -- 7 none -1 2 systemDefault -1 systemDefault",
    ]
    before = down.values["vms"][0]["before"]
    lab.hands.faults = {"power_on": "RestrictedVersion", "set_autostart": "RestrictedVersion"}
    back = lab(restore={"52aa-7": before}, ssh={"host": "10.0.0.9", "key": "/root/key"})
    assert not back.failed
    assert back.values["vms"][0]["after"] == before
    assert host.asked[3] == "vmsvc/power.on 7"
    assert host.hosts == {"esxi1.example.com", "10.0.0.9"}


def test_other_faults_are_none_of_the_shell(lab, monkeypatch):
    host = Host(lab, monkeypatch)
    lab.hands.faults = {"shut_down": "ToolsUnavailable"}
    assert lab(power="off", ssh={"user": "root"}).failed == "refused shut_down"
    assert host.asked == []


def test_the_shell_is_asked_in_its_own_words(tmp_path, monkeypatch):
    program = tmp_path / "ssh"
    program.write_text(
        '#!/bin/sh\nfor last; do :; done\necho "$last" >> "$HOME/asked"\necho "no tools" >&2\nexit $(cat "$HOME/status")\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    where = shell.Shell(SshHost("esxi1.example.com"))
    for status, reason in ((0, ""), (1, "esxi1.example.com refused: .*no tools"), (255, "no way to esxi1.example.com")):
        (tmp_path / "status").write_text(str(status))
        with pytest.raises(LandscapeError, match=reason) if reason else contextlib.nullcontext():
            where.shut_down("7", "web")
    (tmp_path / "status").write_text("0")
    where.set_autostart("7", "web", Autostart(True, -1, 30, "yes", 10, "guestShutdown"))
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[0] == "vim-cmd vmsvc/power.shutdown 7"
    assert asked[3] == "vim-cmd hostsvc/autostartmanager/update_autostartentry -- 7 powerOn 30 -1 guestShutdown 10 yes"
    with pytest.raises(LandscapeError, match="no VM of a stand-alone host"):
        where.power_on("vm-7; reboot", "web")
    assert len((tmp_path / "asked").read_text().splitlines()) == 4


def test_no_vms_ask_nobody():
    assert vmware_vm_power.main({**OPTIONS, "vms": []}, False, connect=None).values == {"vms": []}
