# SPDX-License-Identifier: Apache-2.0
"""The setting of this machine that the lab raises: put back by the last lane, and by no other."""

from __future__ import annotations

import json
import threading

import pytest

from ansible_collections.scs.landscape.tests.lab import launch, room
from ansible_collections.scs.landscape.tests.lab.kernel import Process
from ansible_collections.scs.landscape.tests.tools.console import Unavailable


@pytest.fixture(autouse=True)
def setting(tmp_path, monkeypatch):
    """A file in place of the kernel's, because other lanes may be up just now."""
    file = tmp_path / "max_user_instances"
    file.write_text("128\n", encoding="utf-8")
    monkeypatch.setattr(room, "SETTING", file)
    monkeypatch.setattr(room, "_BEFORE", tmp_path / "lab" / "inotify.json")
    monkeypatch.setattr(launch, "keepers", lambda *_group: [])
    return file


def test_the_last_lane_puts_it_back(setting, monkeypatch):
    room.make()
    room.make()
    assert setting.read_text() == "4096"
    with monkeypatch.context() as other:
        other.setattr(launch, "keepers", lambda *_group: [Process(1, 1)])
        room.give_back()
        assert setting.read_text() == "4096"
    room.give_back()
    assert setting.read_text() == "128"
    room.give_back()
    assert setting.read_text() == "128"


def test_what_somebody_else_set_stays(setting):
    room.give_back()
    assert setting.read_text() == "128\n"
    room.make()
    setting.write_text("9999", encoding="utf-8")
    room.give_back()
    assert setting.read_text() == "9999"
    room.make()
    room.give_back()
    assert setting.read_text() == "9999"


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"boot": "another one", "value": 128})])
def test_a_note_of_another_boot_or_none_at_all_is_forgotten(setting, text):
    room.make()
    room._BEFORE.write_text(text, encoding="utf-8")
    room.give_back()
    assert setting.read_text() == "4096"
    assert not room._BEFORE.exists()


def test_one_at_a_time_and_not_for_ever(monkeypatch):
    inside, over = threading.Event(), threading.Event()

    def holds():
        with room._alone():
            inside.set()
            over.wait(30)

    thread = threading.Thread(target=holds)
    thread.start()
    assert inside.wait(30)
    try:
        monkeypatch.setattr(room, "_SECONDS", 0.1)
        with pytest.raises(Unavailable, match="another lane holds the settings"):
            room.make()
    finally:
        over.set()
        thread.join()
    monkeypatch.setattr(room, "_SECONDS", 30)
    room.make()
