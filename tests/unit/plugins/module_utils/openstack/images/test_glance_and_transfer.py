# SPDX-License-Identifier: Apache-2.0
"""Lost answers, killed runs and refusals, with a Glance in memory that keeps the rules of the real one."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any, Callable

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import pool, stream
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import cache as cached_files
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import glance as glances
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import hold, model, owner, run
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import (
    Answer,
    CloudError,
    UnreachableError,
    refusal,
)

CONTENT = b"content of an image" * 1000


class Memory:
    """An image service in memory. ``faults`` maps the n-th write to what happens: an error before or after it is done."""

    project_id = "p"

    def __init__(self) -> None:
        self.images: dict[str, dict[str, Any]] = {}
        self.bytes: dict[str, bytes] = {}
        self.taken: set[str] = set()
        self.tasks: dict[str, list[dict[str, Any]]] = {}
        self.log: list[str] = []
        self.faults: dict[str, list[str]] = {}
        self.seen_public: list[str] = []
        self.web: dict[str, bytes] = {}

    def call(self, _service: str, method: str, path: str, **options: Any) -> Answer:
        kind = f"{method} {'/'.join(path.split('/')[3:]) or path.split('/')[1]}"
        self.log.append(kind)
        planned = self.faults.get(kind) or [""]
        fault = planned.pop(0)
        if fault == "before":
            raise UnreachableError("lost on the way there")
        if fault.startswith("wait"):
            error = refusal("image", method, path, Answer(429))
            error.wait = float(fault.split()[1])
            raise error
        if fault.isdigit():
            answer = Answer(int(fault), text="planted")
        else:
            answer = getattr(self, method.lower())(path, options)
        if fault == "after":
            raise UnreachableError("lost on the way back")
        self.seen_public += [one["id"] for one in self.images.values() if one["visibility"] == "public"]
        if answer.status >= 400 and answer.status not in options.get("accept", ()):
            raise refusal("image", method, path, answer)
        return answer

    def pages(self, _service: str, _path: str, _key: str, **params: Any) -> list[dict[str, Any]]:
        return [dict(i) for i in self.images.values() if str(i["os_hidden"]).lower() == params["os_hidden"]]

    def stream(self, _service: str, path: str, **_options: Any) -> list[bytes]:
        return [self.bytes[path.split("/")[2]]]

    def get(self, path: str, _options: Any) -> Answer:
        if path == "/info/import":
            return Answer(200, body={"import-methods": {"value": ["glance-direct", "web-download", "copy-image"]}})
        if path == "/info/stores":
            return Answer(200, body={"stores": [{"id": "slow"}, {"id": "fast", "default": "true"}]})
        identifier = path.split("/")[2]
        if path.endswith("/tasks"):
            return Answer(200, body={"tasks": self.tasks.get(identifier, [])})
        found = self.images.get(identifier)
        return Answer(200, body=dict(found)) if found else Answer(404)

    def post(self, path: str, options: Any) -> Answer:
        if path.endswith("/import"):
            return self._import(path.split("/")[2], options["json"])
        body = options["json"]
        if body["id"] in self.taken:
            return Answer(409)
        self.taken.add(body["id"])
        self.images[body["id"]] = {"status": "queued", "os_hidden": False, "owner": "p", "stores": "", **body}
        return Answer(201, body=dict(self.images[body["id"]]))

    def _import(self, identifier: str, order: dict[str, Any]) -> Answer:
        name, image = order["method"]["name"], self.images[identifier]
        self.tasks.setdefault(identifier, []).append({"created_at": str(len(self.log)), "message": "told"})
        if name == "web-download":
            content = self.web.get(order["method"]["uri"])
            if content is None:
                return Answer(400, text="URI does not pass filtering")
            self._store(identifier, content, order.get("stores") or ["fast"])
        elif name == "glance-direct":
            self._store(identifier, self.bytes[identifier], order["stores"])
        else:
            image["stores"] += "," + ",".join(order["stores"])
        return Answer(202)

    def _store(self, identifier: str, content: bytes, stores: list[str]) -> None:
        self.bytes[identifier] = content
        self.images[identifier].update(
            status="active",
            size=len(content),
            stores=",".join(stores),
            os_hash_algo="sha512",
            os_hash_value=hashlib.sha512(content).hexdigest(),
        )

    def put(self, path: str, options: Any) -> Answer:
        _empty, _images, identifier, part = path.split("/")
        content = b"".join(iter(lambda: options["data"].read(100), b""))
        if part == "stage":
            self.bytes[identifier] = content
            self.images[identifier].update(status="uploading", size=len(content))
        else:
            self._store(identifier, content, [options["headers"].get("X-Image-Meta-Store") or "fast"])
        return Answer(204)

    def patch(self, path: str, options: Any) -> Answer:
        image = self.images[path.split("/")[2]]
        for operation in options["json"]:
            name = operation["path"][1:]
            if operation["op"] == "remove" and name not in image:
                return Answer(409)
            if operation["op"] == "remove":
                del image[name]
            else:
                image[name] = operation["value"]
        return Answer(200, body=dict(image))

    def delete(self, path: str, _options: Any) -> Answer:
        return Answer(204 if self.images.pop(path.split("/")[2], None) else 404)


@pytest.fixture
def cloud() -> Memory:
    return Memory()


@pytest.fixture
def go(cloud: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., run.Item]:
    monkeypatch.setattr(glances, "_LOOK", (0.0, 0.0))
    real = glances.Glance.rest
    monkeypatch.setattr(glances.Glance, "rest", lambda self, identifier, _patience=0.0: real(self, identifier, 0.05))
    path = tmp_path / "image"
    path.write_bytes(CONTENT)

    def import_one(check_mode: bool = False, readback: bool = False, **options: Any) -> run.Item:
        digest = hashlib.sha256(CONTENT).hexdigest()
        entry = {"name": "one", "file": str(path), "digest": digest, "visibility": "public", **options}
        settings = run.Options(str(tmp_path / "cache"), stall=1, service=1, readback=readback)
        (item,) = run.import_images(cloud, [entry], settings, check_mode)
        return item

    import_one.path = path  # type: ignore[attr-defined]
    return import_one


def whole(cloud: Memory, visibility: str = "public") -> None:
    (image,) = cloud.images.values()
    assert (image["status"], image["visibility"], cloud.bytes[image["id"]]) == ("active", visibility, CONTENT)
    assert model.STATE not in image
    assert image[model.SELF] == image["id"]


def test_an_upload(cloud, go):
    item = go(properties={"os_distro": "debian"}, tags=["b", "a"])
    assert item.error is None
    whole(cloud)
    assert [kind for kind in cloud.log if not kind.startswith("GET")] == ["POST images", "PUT file", "PATCH images"]
    assert run.result_of(item, False)["status"] == "done"
    before = len(cloud.log)
    assert go(properties={"os_distro": "debian"}, tags=["b", "a"]).steps == []
    assert not [kind for kind in cloud.log[before:] if not kind.startswith("GET")]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["PUT file", "PATCH images", "PUT stage", "POST import"])
def test_a_lost_answer_makes_nothing_twice(cloud, go, kind, when):
    cloud.faults[kind] = [when]
    stores = ["fast", "slow"] if kind in ("PUT stage", "POST import") else []
    assert go(stores=stores).error is None
    whole(cloud)


@pytest.mark.parametrize("part", ["file", "stage"])
def test_a_busy_service_gets_all_bytes_after_its_pause(cloud, go, monkeypatch, part):
    waited: list[float] = []
    monkeypatch.setattr(glances.Glance, "pause", lambda _self, asked, _attempt: waited.append(asked))
    cloud.faults[f"PUT {part}"] = ["wait 7", "wait 0"]
    assert go(stores=["fast", "slow"] if part == "stage" else []).error is None
    whole(cloud)
    assert waited == [7.0, 0.0]


def test_a_taken_id_is_told(cloud, go):
    identifier = "00000000-0000-4000-8000-000000000001"
    cloud.taken.add(identifier)
    assert "an image's id is used once" in str(go(id=identifier).error)


def test_a_creation_whose_answer_was_lost_is_ours(cloud):
    service = glances.Glance(cloud)
    body = {"id": "i", "name": "n", "visibility": "private", model.STATE: "me"}
    assert service.create(body) == service.create(body)


@pytest.mark.parametrize("kind", ["PUT file", "PATCH images"])
@pytest.mark.parametrize("status", ["400", "403"])
def test_what_fails_is_removed(cloud, go, kind, status):
    cloud.faults[kind] = [status]
    item = go()
    assert isinstance(item.error, CloudError)
    assert cloud.images == {}
    assert cloud.seen_public == []
    told = run.result_of(item, False)
    assert (told["status"], told["id"]) == ("failed", None)


def test_a_refusal_to_publish_says_why(cloud, go):
    cloud.faults["PATCH images"] = ["403"]
    assert "may not make images public" in str(go().error)


def test_other_bytes_in_the_service_are_removed(cloud, go, monkeypatch):
    store = Memory._store
    monkeypatch.setattr(Memory, "_store", lambda self, i, content, stores: store(self, i, content + b"x", stores))
    assert "holds other bytes" in str(go().error)
    assert (cloud.images, cloud.seen_public) == ({}, [])


def test_a_service_that_converts(cloud, go, monkeypatch):
    store = Memory._store
    monkeypatch.setattr(Memory, "_store", lambda self, i, content, stores: store(self, i, content + b"x", stores))
    item = go(convert=True, stores=["fast"])
    assert item.error is None
    assert item.told["verified"]["by"].startswith("the bytes while they were sent, and their number")
    assert "not proven: what the service made of them" in item.told["verified"]["by"]


def test_bytes_that_change_on_the_way_to_a_converting_service_are_not_imported(cloud, go, monkeypatch):
    real = cached_files.measure

    def changed(path, *args):
        found = real(path, *args)
        Path(path).write_bytes(CONTENT[:-1] + b"!")
        return found

    monkeypatch.setattr(
        "ansible_collections.scs.landscape.plugins.module_utils.openstack.images.transfer.measure", changed
    )
    assert "changed while it was sent" in str(go(convert=True).error)
    assert (cloud.images, cloud.seen_public) == ({}, [])
    assert "POST import" not in cloud.log


def test_a_staging_area_that_lost_bytes_is_not_imported(cloud, go, monkeypatch):
    put = Memory.put

    def short(self, path, options):
        answer = put(self, path, options)
        self.images[path.split("/")[2]]["size"] -= 1
        return answer

    monkeypatch.setattr(Memory, "put", short)
    assert "the staging area of the service holds" in str(go(convert=True).error)
    assert cloud.images == {}
    assert "POST import" not in cloud.log


@pytest.mark.parametrize("bent", [False, True])
def test_reading_back(cloud, go, monkeypatch, bent):
    if bent:
        monkeypatch.setattr(Memory, "stream", lambda *_args, **_options: [CONTENT, b"x"])
    item = go(readback=True)
    assert bool(item.error) is bent
    assert bool(cloud.images) is not bent


def test_the_service_downloads_itself_and_we_do_where_it_may_not(cloud, go):
    digest = "sha512:" + hashlib.sha512(CONTENT).hexdigest()
    cloud.web["https://x/one"] = CONTENT
    item = go(file=None, url=["https://y/one", "https://x/one"], digest=digest)
    assert (item.error, item.told["method"], item.told["bytes"]) == (None, "web-download", 0)
    whole(cloud)


def test_a_way_that_is_refused_is_told_with_the_next_one(cloud, go):
    digest = "sha512:" + hashlib.sha512(CONTENT).hexdigest()
    said: list[str] = []
    with stream.heard_by(said.append):
        item = go(file=None, url=["http://127.0.0.1:9/none"], digest=digest)
    assert "cannot be read" in str(item.error)
    assert any("not web-download" in line for line in said)
    assert cloud.images == {}


@pytest.mark.parametrize("place", ["refusal", "task"])
def test_secrets_of_an_address_are_not_repeated(cloud, go, monkeypatch, place):
    url = "https://me:sesame@x/one?Signature=opensesame&b=2"

    def refuse(self, identifier, _order):
        said = f"cannot read {url.replace('&', '&amp;')} of me:sesame with opensesame"
        if place == "refusal":
            return Answer(400, text=said)
        self.tasks[identifier] = [{"message": said}]
        return Answer(202)

    monkeypatch.setattr(Memory, "_import", refuse)
    said: list[str] = []
    with stream.heard_by(said.append):
        item = go(file=None, url=[url], method="web-download")
    told = str(item.error) + str(run.result_of(item, False)) + str(said)
    assert "cannot read https://" in told
    assert "sesame" not in told


@pytest.mark.parametrize("status", ["queued", "active", "saving"])
def test_what_a_killed_run_left_is_finished(cloud, go, status):
    digest = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
    left = {"id": "left", "name": "one", "visibility": "private", "disk_format": "qcow2", "container_format": "bare"}
    cloud.post(
        "/images", {"json": {**left, model.DIGEST: digest, model.STATE: "elsewhere 1 2 3", model.SELF: left["id"]}}
    )
    if status == "active":
        cloud._store("left", CONTENT, ["fast"])
    cloud.images["left"]["status"] = status
    item = go()
    assert item.error is None
    whole(cloud)
    assert ("left" in cloud.images) == (status != "saving")


def test_a_run_that_lives_is_not_disturbed(cloud, go):
    left = {"id": "left", "name": "one", "visibility": "private", model.STATE: f"{owner.mark()}", model.SELF: "left"}
    cloud.post("/images", {"json": left})
    cloud.images["left"][model.STATE] = owner.mark().split()[0] + " 1 " + owner.started(1)
    assert isinstance(go().error, LockedError)
    assert list(cloud.images) == ["left"]


def test_who_lives():
    mine = owner.mark().split()
    assert not owner.lives(" ".join(mine), "")
    assert not owner.lives(f"{mine[0]} 999999999 1 1", "2026-01-01T00:00:00Z")
    assert owner.lives("elsewhere 1 2 3", "2026-01-01T00:00:00Z", now=lambda: 1767225600.0 + 60)
    assert not owner.lives("elsewhere 1 2 3", "2026-01-01T00:00:00Z", now=lambda: 1767225600.0 + 7200)


def test_a_mark_that_is_written_anew_keeps_its_run_alive():
    old, now = "2026-01-01T00:00:00Z", 1767225600.0 + 7200
    assert owner.lives(f"elsewhere 1 2 {int(now) - 60}", old, now=lambda: now)
    assert not owner.lives(f"elsewhere 1 2 {int(now) - 3700}", old, now=lambda: now)


def test_a_number_of_a_process_means_something_on_one_machine_only():
    machine, pid, began, _time = owner.mark().split()
    assert len(machine.split("/")) == 3
    other = machine.rpartition("/")[0] + "/1"
    fresh = {"updated": "2026-01-01T00:00:00Z", "now": lambda: 1767225600.0 + 60}
    assert owner.lives(f"{other} {pid} {began} 1", **fresh)
    assert not owner.lives(owner.NOBODY, **fresh)
    assert owner.same(f"{machine} {pid} {began} 1", owner.mark())
    assert not owner.same(f"{other} {pid} {began} 1", owner.mark())
    assert not owner.same("", "")


def during(cloud: Memory, monkeypatch: pytest.MonkeyPatch, what: Callable[[str], None]) -> None:
    """Does something else while an image's bytes are on their way."""
    put = Memory.put

    def both(self, path, options):
        answer = put(self, path, options)
        what(path.split("/")[2])
        return answer

    monkeypatch.setattr(Memory, "put", both)


OTHER, NOW = "elsewhere 1 2 3", "2999-01-01T00:00:00Z"


@pytest.mark.parametrize("fault", [None, "502", "400"])
def test_an_image_that_somebody_took_is_neither_removed_nor_published(cloud, go, monkeypatch, fault):
    taken = {model.STATE: OTHER, "updated_at": NOW}
    during(cloud, monkeypatch, lambda identifier: cloud.images[identifier].update(taken))
    if fault:
        real = cloud.call

        def call(service, method, path, **options):
            answer = real(service, method, path, **options)
            if method == "PUT":
                raise refusal("image", method, path, Answer(int(fault)))
            return answer

        monkeypatch.setattr(cloud, "call", call)
    item = go()
    assert isinstance(item.error, LandscapeError)
    assert [one[model.STATE] for one in cloud.images.values()] == [OTHER]
    assert cloud.seen_public == []
    assert "DELETE images" not in cloud.log


AFTER, BEFORE = {"created_at": "2"}, {"created_at": "0"}


@pytest.mark.parametrize(
    ("fields", "withdraws"),
    [
        ({}, True),
        ({model.STATE: OTHER, "updated_at": NOW, **BEFORE}, True),
        ({model.STATE: OTHER, "updated_at": NOW, "status": "saving", **AFTER}, False),
        ({model.STATE: OTHER, "updated_at": "2000-01-01T00:00:00Z", **BEFORE}, False),
        ({"owner": "q"}, False),
        ({"name": "two"}, False),
    ],
    ids=["finished", "older", "younger", "dead", "other project", "other name"],
)
@pytest.mark.parametrize("by", ["name", "match"])
def test_of_two_runs_at_once_the_younger_image_goes(cloud, go, monkeypatch, fields, withdraws, by):
    def appear(identifier: str) -> None:
        cloud.images[identifier]["created_at"] = "1"
        there = {**cloud.images[identifier], "id": "other", "status": "active", model.SELF: "other"}
        del there[model.STATE]
        marked = {"mark": "n"} if by == "match" and "name" in fields else {}
        cloud.images["other"] = {**there, **fields, **marked}

    during(cloud, monkeypatch, appear)
    item = go(**({"match": {"mark": "m"}} if by == "match" else {}))
    # One that is finished is what was wanted; for one that somebody still makes, nobody waits.
    assert isinstance(item.error, LockedError) is (withdraws and model.STATE in fields)
    assert "other" in cloud.images
    assert len(cloud.images) == (1 if withdraws else 2)


@pytest.mark.parametrize("end", ["published", "withdrawn", "neither"])
def test_a_younger_image_with_all_its_bytes_may_have_been_looked_for_before_ours_was_made(cloud, go, monkeypatch, end):
    looks: list[int] = []
    real = glances.Glance.images

    def images(self, project, **properties):
        if "other" in cloud.images:
            looks.append(1)
            if len(looks) == 3 and end == "published":
                del cloud.images["other"][model.STATE]
            if len(looks) == 3 and end == "withdrawn":
                del cloud.images["other"]
        return real(self, project, **properties)

    def appear(identifier: str) -> None:
        cloud.images[identifier]["created_at"] = "1"
        there = {**cloud.images[identifier], "id": "other", "status": "active", model.SELF: "other"}
        cloud.images["other"] = {**there, model.STATE: OTHER, "updated_at": NOW, **AFTER}

    monkeypatch.setattr(glances.Glance, "images", images)
    monkeypatch.setattr(glances.Glance, "pause", lambda *_given: None)
    monkeypatch.setattr(hold, "DECIDED", 0.3)
    during(cloud, monkeypatch, appear)
    item = go()
    assert len(looks) >= 3
    assert isinstance(item.error, LockedError) is (end == "neither")
    assert (list(cloud.images) == ["other"]) is (end != "withdrawn")
    assert len(cloud.images) == 1


def test_an_image_that_is_continued_gets_our_mark(cloud, go, monkeypatch):
    digest = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
    left = {"id": "left", "name": "one", "visibility": "private", "disk_format": "qcow2", "container_format": "bare"}
    cloud.post("/images", {"json": {**left, model.DIGEST: digest, model.STATE: OTHER, model.SELF: "left"}})
    marks = []
    during(cloud, monkeypatch, lambda identifier: marks.append(cloud.images[identifier][model.STATE]))
    assert go().error is None
    assert [owner.same(one, owner.mark()) for one in marks] == [True]


def test_what_cannot_be_continued_is_begun_anew_the_same_way(cloud, go, monkeypatch):
    digest = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
    left = {"id": "left", "name": "one", "visibility": "private", "disk_format": "qcow2", "container_format": "bare"}
    cloud.post("/images", {"json": {**left, model.DIGEST: digest, model.STATE: OTHER, model.SELF: "left"}})
    real = glances.Glance.settle

    def settle(self: glances.Glance, identifier: str, **options: Any) -> Any:
        if identifier == "left":
            raise glances.ImportFailedError("the service does not say why")
        return real(self, identifier, **options)

    monkeypatch.setattr(glances.Glance, "settle", settle)
    assert go().error is None
    assert [one["status"] for one in cloud.images.values()] == ["active"]
    assert "left" not in cloud.images


def test_what_somebody_took_since_it_was_planned_is_not_removed(cloud):
    cloud.images["i"] = {"id": "i", "status": "queued", "visibility": "private", model.STATE: OTHER}
    holder = hold.Hold(glances.Glance(cloud))
    holder.remove_leftover({"id": "i", model.STATE: "dead 1 2 3"})
    assert list(cloud.images) == ["i"]
    holder.remove_leftover({"id": "i", model.STATE: OTHER})
    assert cloud.images == {}


def test_a_mark_is_renewed_while_it_is_ours(cloud):
    now = [0.0]
    holder = hold.Hold(glances.Glance(cloud), lambda: now[0])
    image = cloud.images["i"] = {"id": "i", "status": "saving", "visibility": "private", model.STATE: holder.mark + "0"}
    holder.keep("i")
    holder.renew()
    assert cloud.log == []
    now[0] = hold.RENEW
    holder.renew()
    assert cloud.log == ["GET images", "PATCH images"]
    assert owner.same(image[model.STATE], holder.mark)
    assert image[model.STATE] != holder.mark + "0"
    now[0], image[model.STATE] = 2 * hold.RENEW, OTHER
    holder.renew()
    assert image[model.STATE] == OTHER
    holder.release("i")
    now[0], before = 9 * hold.RENEW, len(cloud.log)
    holder.renew()
    assert len(cloud.log) == before


# Ids that the operator fixed

FIXED = "00000000-0000-4000-8000-000000000001"


def test_an_image_with_a_fixed_id_survives_a_failure(cloud, go):
    cloud.faults["PUT file"] = ["400"]
    assert isinstance(go(id=FIXED).error, CloudError)
    assert cloud.images[FIXED]["visibility"] == "private"
    assert not owner.lives(cloud.images[FIXED][model.STATE], NOW)
    assert go(id=FIXED, disk_format="raw").error is None
    whole(cloud)
    assert cloud.images[FIXED]["disk_format"] == "raw"


def test_another_way_goes_on_with_the_fixed_id(cloud, go, monkeypatch):
    digest = "sha512:" + hashlib.sha512(CONTENT).hexdigest()
    monkeypatch.setattr(
        run.transfer.Cache,
        "get",
        lambda _self, *_args: cached_files.Cached(str(go.path), len(CONTENT), {"sha512": digest[7:]}),
    )
    item = go(id=FIXED, file=None, url=["https://refused/one"], digest=digest)
    assert (item.error, item.told["method"]) == (None, "upload")
    whole(cloud)


def test_bytes_that_are_not_proven_are_hidden(cloud, go, monkeypatch):
    seen = []
    during(cloud, monkeypatch, lambda identifier: seen.append(cloud.images[identifier]["os_hidden"]))
    assert go(visibility="private").error is None
    assert seen == [True]
    (image,) = cloud.images.values()
    assert image["os_hidden"] is False


def test_a_file_that_goes_away_fails_its_image_only(cloud, go, monkeypatch):
    gone = cached_files.Cached("/no/such/file", len(CONTENT), {})
    monkeypatch.setattr(run.transfer, "measure", lambda *_args: gone)
    assert "/no/such/file cannot be read" in str(go().error)
    assert cloud.images == {}


def test_check_mode_writes_nothing(cloud, go):
    item = go(check_mode=True)
    assert [step.action for step in item.steps] == ["create", "publish"]
    assert not [kind for kind in cloud.log if not kind.startswith("GET")]
    told = run.result_of(item, True)
    assert (told["status"], told["id"], told["predicted"]) == ("planned", None, True)
    assert run.plan_of([item]).diff()[0]["before"] == ""


def test_a_copy_that_fails_leaves_what_is_there(cloud, go):
    go(stores=["fast"])
    cloud.faults["POST import"] = ["403"]
    item = go(stores=["fast", "slow"])
    told = run.result_of(item, False)
    assert (told["status"], told["stores"]["fast"]) == ("partial", "active")
    assert "not in every store: slow" in run.failure_of([told])
    assert run.result_of(go(stores=["fast", "slow"]), False)["stores"] == {"fast": "active", "slow": "active"}


def test_a_store_that_a_second_way_did_not_reach_is_told(cloud, go, monkeypatch):
    def forgetful(self, identifier, content, _stores):
        return real(self, identifier, content, ["fast"])

    real = Memory._store
    monkeypatch.setattr(Memory, "_store", forgetful)
    told = run.result_of(go(stores=["fast", "slow"]), False)
    assert (told["status"], told["stores"]["fast"]) == ("partial", "active")
    assert told["message"] == "not in every store: slow"


def test_an_import_without_progress_is_given_up(cloud, monkeypatch):
    monkeypatch.setattr(glances, "_LOOK", (0.01, 0.01))
    cloud.images["i"] = {"id": "i", "status": "importing", "os_glance_import_task": "t", "visibility": "private"}
    with pytest.raises(glances.ImportFailedError, match="no progress"):
        glances.Glance(cloud).settle("i", within=0.05)
    del cloud.images["i"]["os_glance_import_task"]
    cloud.tasks["i"] = [{"message": "no such host"}]
    with pytest.raises(glances.ImportFailedError, match="no such host"):
        glances.Glance(cloud).settle("i", within=1)
    with pytest.raises(glances.ImportFailedError, match="went away"):
        glances.Glance(cloud).settle("j", within=1)


def test_a_run_that_ends_stops_waiting(cloud):
    stop = threading.Event()
    stop.set()
    cloud.images["i"] = {"id": "i", "status": "importing", "os_glance_import_task": "t", "visibility": "private"}
    with pytest.raises(stream.Stopped):
        glances.Glance(cloud, stop=stop).settle("i", within=9)


# The pool


def test_one_failure_does_not_end_the_others():
    def work(number: int) -> int:
        if number == 2:
            raise LandscapeError("two")
        return number * 10

    outcomes = pool.each([1, 2, 3], work, 2)
    assert [(one.value, str(one.error or "")) for one in outcomes] == [(10, ""), (None, "two"), (30, "")]
    assert pool.each([], work, 4) == []


def test_no_more_than_the_limit_at_once():
    lock, now, most, gate = threading.Lock(), [0], [0], threading.Barrier(3, timeout=60)

    def work(_number: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        gate.wait()
        with lock:
            now[0] -= 1

    pool.each(range(9), work, 3)
    assert most[0] == 3


def test_a_defect_ends_everything():
    stop = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            raise RuntimeError("a defect")
        assert stop.wait(60)

    with pytest.raises(RuntimeError, match="a defect"):
        pool.each([0, 1], work, 2, stop=stop)


def test_somebody_is_told_while_it_takes_long():
    ticks, done = [], threading.Event()

    def tick() -> None:
        ticks.append(1)
        done.set()

    pool.each([1], lambda _one: done.wait(60), 1, tick=tick, every=0.01)
    assert ticks


# Lists of digests


def test_a_list_is_read_once_for_many_images_and_what_is_missing_is_told(tmp_path, monkeypatch):
    value = hashlib.sha256(CONTENT).hexdigest()
    (tmp_path / "SUMS").write_text(f"{value}  one.img\n{value}  two.img\n", encoding="utf-8")
    read: list[str] = []
    real = run.client.content
    monkeypatch.setattr(run.client, "content", lambda source, timeout: read.append(source) or real(source, timeout))
    listed = {"source": str(tmp_path / "SUMS")}
    entries = [{"name": name, "url": [f"https://x/{name}.img"], "digests": listed} for name in ("one", "two", "three")]
    entries.append({**entries[0], "name": "four", "digests": {"source": str(tmp_path / "none")}})
    items = run.items_of(entries)
    run.resolve(items, run.Options(str(tmp_path)))
    assert [str(item.wanted.digest or "").partition(":")[2] for item in items] == [value, value, "", ""]
    assert "no digest of three.img" in str(items[2].error)
    assert "cannot be read" in str(items[3].error)
    assert read == [str(tmp_path / "SUMS"), str(tmp_path / "none")]


def test_an_image_that_is_listed_twice_is_refused():
    entry = {"name": "one", "url": ["https://x/y"], "digest": "a" * 64}
    with pytest.raises(LandscapeError, match="listed twice"):
        run.items_of([entry, entry])
