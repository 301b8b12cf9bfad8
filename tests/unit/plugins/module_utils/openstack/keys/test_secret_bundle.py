# SPDX-License-Identifier: Apache-2.0
"""Keys go into a file that only one key opens, come back once, and are seen nowhere on their way."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import random
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, returned
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as cloud_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys import client, model, seal
from ansible_collections.scs.landscape.plugins.modules import secret_bundle, volume_backup_record
from ansible_collections.scs.landscape.plugins.plugin_utils.vaulting import vault_of
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.keys.fake_barbican import FakeProject
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.keys.keyrings import keyring
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.test_client import Reply, cloud_of

PASSWORD = "only the operators know"


@pytest.fixture(autouse=True)
def vaulted() -> Iterator[None]:
    with seal.vault_by(vault_of(DataLoader())):
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bundles" / "keys.json"


def run(fake: FakeProject, state: str, path: Path, check: bool = False, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in secret_bundle.ARGUMENTS.items()}
    sealing = {"method": "vault", "passphrase": PASSWORD}
    given = {**defaults, **sealing, "state": state, "path": str(path), "max_parallel": 1, **options}
    return secret_bundle.main(given, check, connect=lambda *_a, **_m: fake)


def exported(fake: FakeProject, path: Path, **options: Any) -> Result:
    return run(fake, "exported", path, **(options or {"everything": True}))


def key(number: int) -> bytes:
    return random.Random(number).randbytes(32)


def project(number: int = 2) -> FakeProject:
    fake = FakeProject()
    for count in range(number):
        fake.add_encrypted(count, key(count))
    return fake


def payloads(fake: FakeProject) -> dict[str, bytes]:
    return {name: one["_payload"] for name, one in fake.secrets.items()}


def assert_unseen(payload: bytes, *texts: str) -> None:
    """A key stands nowhere, however it might be written."""
    forms = {
        *model.forms(payload),
        payload.hex().upper(),
        repr(payload)[2:-1],
        str(list(payload)),
        str(list(payload))[1:-1],
    }
    forms |= {base64.b64encode(payload.hex().encode()).decode(), base64.b32encode(payload).decode()}
    for text in texts:
        for form in forms:
            assert form.rstrip("=") not in text


@pytest.mark.accept("B1.14")
def test_an_encrypted_volume_is_rebuilt_and_its_key_is_nowhere(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    fake, records = project(1), tmp_path / "records.json"
    fake.admin = True
    fake.images["i1"] = {"id": "i1", "owner": "p1", model.IMAGE_KEY: fake.add_secret("key-image", key(7))}
    texts: list[str] = []

    def told(result: Result) -> Result:
        texts.append(json.dumps(returned(result)) + repr(result))
        return result

    assert told(exported(fake, path, everything=True)).changed
    recording = {name: spec.get("default") for name, spec in volume_backup_record.ARGUMENTS.items()}
    recording.update(path=str(records), max_parallel=1)

    def record(there: FakeProject, state: str, **more: Any) -> Result:
        clock = {"clock": there.clock, "sleep": there.sleep}
        return volume_backup_record.main(
            {**recording, "state": state, **more}, False, connect=lambda *_a, **_m: there, **clock
        )

    told(record(fake, "exported"))
    # Everything is gone but two files, and the image, whose key is gone.
    new = FakeProject("b")
    new.admin, new.images = True, fake.images
    told(run(new, "imported", path, check=True))
    assert new.writes == []
    back = told(run(new, "imported", path))
    assert (back.failed, sorted(back.values["imported"])) == ("", ["key-backup-0", "key-image", "key-volume-0"])
    assert {old: payloads(new)[now] for old, now in back.values["ids"].items()} == payloads(fake)
    assert new.images["i1"][model.IMAGE_KEY] == back.values["ids"]["key-image"]
    told(record(new, "imported", keys=back.values["ids"]))
    # The backup, from which a volume is made, has the key that it had.
    assert payloads(new)[new.backups["b0"]["encryption_key_id"]] == key(0)
    out, err = capfd.readouterr()
    files = [one.read_text(encoding="utf-8") for one in tmp_path.rglob("*") if one.is_file()]
    assert len(files) == 2
    requests = json.dumps([fake.requests, new.requests])
    for one in (key(0), key(7)):
        assert_unseen(one, *texts, *files, out, err, caplog.text, requests)


def test_the_library_logs_nothing_of_barbican() -> None:
    cloud, proxy, _time = cloud_of(Reply(200, {}), Reply(201, {"secret_ref": "x"}))
    cloud._proxies["key-manager"] = proxy
    cloud.get("key-manager", "/secrets/s1")
    cloud.call("image", "POST", "/images", json={})
    assert [options["log"] for _method, _path, options in proxy.seen] == [False, True]


def test_a_search_for_keys_finds_them() -> None:
    for form in (key(1).hex(), base64.b64encode(key(1)).decode(), base64.urlsafe_b64encode(key(1)).decode()):
        with pytest.raises(AssertionError):
            assert_unseen(key(1), f"before {form} after")


def test_the_file_is_private_and_says_what_is_in_it(path: Path) -> None:
    os.umask(os.umask(0o022))
    done = exported(project(), path, volumes=["v0"])
    data = json.loads(path.read_text(encoding="utf-8"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert data["format"] == "scs-landscape-secrets-1"
    assert (data["method"], data["count"], done.values["count"]) == ("vault", 2, 2)
    assert data["secrets"] == [
        {"id": "key-backup-0", "used_by": [{"kind": "backup", "id": "b0"}]},
        {"id": "key-volume-0", "used_by": [{"kind": "volume", "id": "v0"}]},
    ]
    assert base64.b64decode(data["sealed"]).startswith(b"$ANSIBLE_VAULT;1.1;AES256")
    assert [one.name for one in path.parent.iterdir()] == ["keys.json"]
    path.chmod(0o644)
    again = exported(project(), path, volumes=["v0"])
    assert (again.changed, stat.S_IMODE(path.stat().st_mode)) == (True, 0o600)


def test_a_second_export_reads_no_payload_and_writes_nothing(path: Path) -> None:
    fake = project()
    first = exported(fake, path)
    before, asked = path.read_bytes(), len(fake.requests)
    predicted, again = run(fake, "exported", path, True, everything=True), exported(fake, path)
    assert (first.changed, predicted.changed, again.changed, path.read_bytes()) == (True, False, False, before)
    assert not [one for one in fake.requests[asked:] if "payload" in one[1]]
    fake.add_encrypted(5, key(5))
    diff = run(fake, "exported", path, True, everything=True).diff[0]
    assert '"count": 4' in diff["before"]
    assert '"count": 6' in diff["after"]
    assert path.read_bytes() == before


def test_a_bundle_does_not_lose_what_barbican_lost(path: Path) -> None:
    fake = project()
    exported(fake, path)
    before = path.read_bytes()
    del fake.volumes["v1"], fake.backups["b1"], fake.secrets["key-volume-1"], fake.secrets["key-backup-1"]
    with pytest.raises(InputError, match="holds secrets that the new bundle would not: key-backup-1, key-volume-1"):
        exported(fake, path)
    assert path.read_bytes() == before
    assert exported(fake, path, everything=True, allow_less=True).changed


def test_a_volume_that_is_gone_is_known_by_its_backups(path: Path) -> None:
    fake = project()
    del fake.volumes["v0"]
    assert exported(fake, path, volumes=["v0"]).values["count"] == 1
    with pytest.raises(InputError, match="no volume or backup v7"):
        exported(fake, path, volumes=["v7"])
    with pytest.raises(InputError, match="Nothing was chosen"):
        exported(fake, path, volumes=[])


def test_what_has_no_key_is_said(path: Path) -> None:
    fake = FakeProject()
    fake.add_volume("plain")
    fake.add_volume("fixed", encrypted=True)
    said = exported(fake, path, volumes=["plain", "fixed"]).values["omitted"]
    assert [one["reason"] for one in said] == [
        "it is not encrypted",
        "it is encrypted with the fixed key of Cinder's configuration",
    ]
    assert not path.exists()
    fake.microversions = "3.60"
    said = exported(fake, path, volumes=["fixed"]).values["omitted"]
    assert "does not show ids of keys" in said[0]["reason"]


@pytest.mark.parametrize("wrong", ["denied", "gone", "empty"])
def test_one_secret_that_cannot_be_had_writes_nothing(wrong: str, path: Path) -> None:
    fake = project()
    if wrong == "denied":
        fake.denied.add("key-volume-1")
    elif wrong == "gone":
        del fake.secrets["key-volume-1"]
    else:
        fake.secrets["key-volume-1"]["content_types"] = None
    done = exported(fake, path)
    assert done.failed.startswith("Nothing was written\nkey-volume-1: secret key-volume-1 ")
    assert (done.changed, path.exists(), [one["id"] for one in done.values["failed_secrets"]]) == (
        False,
        False,
        ["key-volume-1"],
    )
    assert ("role creator" in done.failed) == (wrong == "denied")


# Importing.


def test_an_import_is_done_once_and_finds_itself(path: Path) -> None:
    exported(project(), path)
    new = FakeProject("b")
    first = run(new, "imported", path)
    began = len(new.writes)
    again = run(new, "imported", path)
    assert (first.changed, first.steps_done, again.changed, len(new.writes)) == (True, 4, False, began)
    assert again.values["ids"] == first.values["ids"]
    assert sorted(again.values["present"]) == sorted(first.values["imported"])


def test_what_is_there_under_its_own_id_is_left_alone(path: Path) -> None:
    fake = project()
    exported(fake, path)
    del fake.secrets["key-backup-1"]
    done = run(fake, "imported", path)
    assert (done.values["imported"], done.values["ids"]["key-backup-0"]) == (["key-backup-1"], "key-backup-0")
    # The backup names a key that is gone, and nobody can tell it another.
    (stuck,) = done.values["unlinked"]
    assert (stuck["kind"], stuck["id"], stuck["key"]) == ("backup", "b1", "key-backup-1")
    assert "volume_backup_record" in stuck["reason"]


def test_a_copy_or_a_fake_with_our_mark_is_not_taken_for_ours(path: Path) -> None:
    exported(project(1), path, volumes=["v0"])
    new = FakeProject("b")
    label = "scs-landscape key-volume-0"
    new.add_secret("clone", key(0), name=label)  # by Cinder, for a volume that takes it along when it goes
    new.add_secret("forged", key(9), name=label, _metadata={model.MARK: "key-volume-0"})
    new.add_secret("foreign", b"", name=label, content_types=None, creator_id="u2")
    done = run(new, "imported", path)
    assert done.values["ids"]["key-volume-0"] not in ("clone", "forged", "foreign")
    assert payloads(new)[done.values["ids"]["key-volume-0"]] == key(0)


@pytest.mark.parametrize("moment", range(4))
@pytest.mark.parametrize("how", ["lose", "before"])
def test_a_broken_import_is_gone_on_with(how: str, moment: int, path: Path) -> None:
    source = project(1)
    source.secrets["key-volume-0"]["_read"] = {"project-access": False, "users": ["u9"]}
    exported(source, path, secrets=["key-volume-0"])
    new, writes = FakeProject("b"), []

    def hook(method: str, _path: str) -> str | None:
        if method == "GET":
            return None
        writes.append(method)
        if len(writes) != moment + 1:
            return None
        if how == "lose":
            return "lose"
        raise KeyboardInterrupt

    new.hook = hook
    with contextlib.suppress(KeyboardInterrupt):
        run(new, "imported", path)
    new.hook = lambda _method, _path: None
    done = run(new, "imported", path)
    assert (done.failed, len(new.secrets)) == ("", 1)
    one = next(iter(new.secrets.values()))
    assert (one["_payload"], one["_read"]["users"], one["_metadata"]) == (
        key(0),
        ["u9"],
        {model.MARK: "key-volume-0"},
    )


def test_a_busy_barbican_is_waited_for(path: Path) -> None:
    source, lost = project(1), []

    def hook(method: str, path: str) -> None:
        if ("payload" in path or method == "PUT") and path not in lost:
            lost.append(path)
            raise cloud_model.CloudError("busy", status=503)

    source.hook, source.short = hook, [True]  # and a payload that broke off is asked for again
    assert exported(source, path, secrets=["key-volume-0"]).failed == ""
    new = FakeProject("b")
    assert (run(new, "imported", path).failed, source.short, len(lost)) == ("", [], 1)
    assert list(payloads(new).values()) == [key(0)]


def test_a_cloud_without_volumes_and_images_has_secrets_too(path: Path) -> None:
    exported(project(1), path)
    new = FakeProject("b")
    new.without = ("block-storage", "image")
    assert len(run(new, "imported", path).values["ids"]) == 2
    assert exported(new, path, everything=True, allow_less=True).values["count"] == 0


def test_everything_of_a_secret_comes_back(path: Path) -> None:
    source = FakeProject()
    source.add_secret(
        "s1",
        b"correct horse",
        name="db",
        secret_type="passphrase",
        algorithm=None,
        bit_length=None,
        content_types={"default": "text/plain"},
        _metadata={"team": "a"},
        _read={"project-access": False, "users": ["u9", "u1"]},
    )
    source.groups["g1"] = {
        "name": "pair",
        "type": "generic",
        "secret_refs": [{"name": "one", "secret_ref": "http://x/v1/secrets/s1"}],
        "container_ref": "http://x/v1/containers/g1",
    }
    source.orders["o1"] = {"container_ref": "http://x/v1/containers/g1"}
    exported(source, path, orders=["http://x/v1/orders/o1"])
    new = FakeProject("b")
    done = run(new, "imported", path)
    one = new.secrets[done.values["ids"]["s1"]]
    assert (one["name"], one["secret_type"], one["_payload"]) == ("db", "passphrase", b"correct horse")
    assert one["_metadata"] == {"team": "a", model.MARK: "s1"}
    assert one["_read"] == {"project-access": False, "users": ["u1", "u9"]}
    group = next(iter(new.groups.values()))
    assert (group["name"], group["secret_refs"]) == ("pair", [{"name": "one", "secret_ref": one["secret_ref"]}])
    assert done.values["containers"] == {"g1": model.id_of(group["container_ref"])}
    assert not run(new, "imported", path).changed


def test_quota_and_roles_are_said_before_anything_is_made(path: Path) -> None:
    exported(project(), path)
    new = FakeProject("b")
    new.most_secrets = 3
    with pytest.raises(InputError, match="4 are needed, 3 may be and 0 are there"):
        run(new, "imported", path)
    assert new.writes == []
    new.most_secrets, new.creator = -1, False
    said = run(new, "imported", path)
    assert (said.changed, new.secrets) == (False, {})
    assert "role creator" in said.failed
    assert "enforce_new_defaults" in said.failed


def test_another_key_and_a_changed_file_touch_nothing(path: Path) -> None:
    exported(project(1), path)
    new = FakeProject("b")
    with pytest.raises(LandscapeError, match="cannot be opened: the vault password is another one"):
        run(new, "imported", path, passphrase="a guess")
    good = json.loads(path.read_text(encoding="utf-8"))
    sealed = bytearray(base64.b64decode(good["sealed"]))
    sealed[200] ^= 1
    damages: dict[str, Any] = {
        "is damaged": {"sealed": base64.b64encode(sealed).decode()},
        "its head is not the one": {"recipients": ["somebody"]},
        "or a damaged one": {"sealed": "!"},
        "in the format": {"format": "other"},
    }
    for said, damage in damages.items():
        path.write_text(json.dumps({**good, **damage}), encoding="utf-8")
        with pytest.raises(InputError, match=said):
            run(new, "imported", path)
    assert new.requests == []
    path.write_text("notes", encoding="utf-8")
    for state in ("imported", "exported"):
        with pytest.raises(InputError, match="holds no bundle"):
            run(project(1), state, path, everything=True)
    assert path.read_text(encoding="utf-8") == "notes"


def test_errors_of_others_lose_the_payload_in_them(path: Path) -> None:
    exported(project(1), path, secrets=["key-volume-0"])
    new = FakeProject("b")

    def hook(method: str, path: str) -> None:
        if method == "PUT" and "metadata" not in path:
            raise cloud_model.CloudError(f"what is {base64.b64encode(key(0)).decode()}?", status=400)

    new.hook = hook
    said = run(new, "imported", path)
    assert "what is ***?" in said.failed
    assert_unseen(key(0), json.dumps(returned(said)))


# Ways to seal.


def test_vault_takes_the_passwords_of_the_play_by_their_label(path: Path) -> None:
    from ansible.parsing.vault import VaultSecret

    loader = DataLoader()
    loader.set_vault_secrets([("dev", VaultSecret(b"one")), ("ops", VaultSecret(b"two"))])
    with seal.vault_by(vault_of(loader)):
        exported(project(1), path, everything=True, passphrase=None, vault_id="ops")
        assert run(FakeProject("b"), "imported", path, passphrase="two", vault_id="ops").changed
        assert run(FakeProject("b"), "imported", path, passphrase=None).changed
        with pytest.raises(InputError, match="no vault password with the id none"):
            run(FakeProject("b"), "imported", path, passphrase=None, vault_id="none")
    with seal.vault_by(vault_of(DataLoader())), pytest.raises(InputError, match="The play has no vault password"):
        exported(project(1), path, everything=True, passphrase=None)


def test_vault_outside_of_ansibles_own_process_is_refused(path: Path) -> None:
    seal._offered.set(None)
    with pytest.raises(InputError, match="only when the task runs in Ansible's own process"):
        exported(project(1), path)


AGE = """#!/usr/bin/env python3
import hashlib, os, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    print(words, file=log)
given = sys.stdin.buffer.read()
def key(text):
    return hashlib.sha256(text.encode()).digest()
def change(content, pad):
    return bytes(one ^ pad[place % 32] for place, one in enumerate(content))
if words[0] == "--encrypt":
    recipients = words[2::2]
    sys.stdout.buffer.write(b"sealed " + change(given, key(recipients[0])))
else:
    with open(words[2]) as file:
        found = change(given[7:], key(file.read().strip()))
    if not found.startswith(b"{{"):
        sys.exit("age: error: no identity matched any of the recipients")
    sys.stdout.buffer.write(found)
"""


def test_age_gets_everything_by_pipes(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, log, identity = tmp_path / "bin" / "age", tmp_path / "log", tmp_path / "identity"
    program.parent.mkdir()
    program.write_text(AGE.format(log=str(log)), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(InputError, match="sealed by age needs recipients"):
        exported(project(1), path, everything=True, method="age")
    exported(project(1), path, everything=True, method="age", recipients=["age1xyz"])
    assert json.loads(path.read_text(encoding="utf-8"))["recipients"] == ["age1xyz"]
    identity.write_text("another", encoding="utf-8")
    with pytest.raises(LandscapeError, match=r"no identity matched .* It is sealed for age age1xyz; nothing was"):
        run(FakeProject("b"), "imported", path, identity=str(identity))
    identity.write_text("age1xyz", encoding="utf-8")
    assert run(FakeProject("b"), "imported", path, identity=str(identity)).changed
    with pytest.raises(InputError, match="needs identity"):
        run(FakeProject("b"), "imported", path)
    assert_unseen(key(0), log.read_text(encoding="utf-8"), path.read_text(encoding="utf-8"))


@pytest.fixture
def gnupg(tmp_path: Path) -> Iterator[Path]:
    with keyring(tmp_path / "gnupg", PASSWORD) as home:
        yield home


@pytest.mark.full
@pytest.mark.skipif(not client.has("gpg"), reason="gpg is not installed here")
def test_gpg_seals_for_a_file_with_a_key(path: Path, tmp_path: Path, gnupg: Path) -> None:
    public = tmp_path / "public.asc"
    show = ["gpg", "--homedir", str(gnupg), "--batch", "--armor", "--export"]
    public.write_bytes(subprocess.run(show, check=True, capture_output=True).stdout)
    recipients = {"everything": True, "method": "gpg", "recipients": [str(public)]}
    assert exported(project(1), path, **recipients).changed
    assert not exported(project(1), path, **recipients).changed
    home = {"gnupg_home": str(gnupg)}
    assert run(FakeProject("b"), "imported", path, **home).changed
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o700)
    with pytest.raises(LandscapeError, match="cannot be opened: gpg"):
        run(FakeProject("b"), "imported", path, gnupg_home=str(empty))
    assert_unseen(key(0), path.read_text(encoding="utf-8"))
