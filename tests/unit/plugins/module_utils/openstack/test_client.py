# SPDX-License-Identifier: Apache-2.0
"""The client repeats what is safe to repeat, and nothing else."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client, model


class Reply:
    def __init__(self, status: int, body: Any = None, headers: dict[str, str] | None = None, text: str = "") -> None:
        self.status_code = status
        self.text = text or (json.dumps(body) if body is not None else "")
        self.content = self.text.encode()
        kind = "text/html" if text else "application/json"
        self.headers = {"Content-Type": kind, **(headers or {})}

    def json(self) -> Any:
        return json.loads(self.text)


class Proxy:
    """A service that answers what the test says, one after the other."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.seen: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, path: str, method: str, **options: Any) -> Any:
        self.seen.append((method, path, options))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def get_endpoint(self) -> str:
        return "http://cloud/image/v2"

    def get_endpoint_data(self) -> Any:
        return type("Data", (), {"max_microversion": (2, 79)})()


class Catalog:
    """The services of a token, by type and region; like keystoneauth's, it knows names of services without endpoints."""

    def __init__(self, **regions: str) -> None:
        self.regions = regions

    def get_endpoints_data(self, service_type: str, region_name: str | None = None) -> dict[str, list[str]]:
        where = self.regions.get(service_type.replace("-", "_"))
        return {} if where is None else {service_type: ["here"] if region_name in (None, where) else []}


class Session:
    tokens = 0
    service_catalog = Catalog(compute="one", block_storage="two")

    @property
    def auth(self) -> Session:
        return self

    def get_access(self, _session: Any) -> Session:
        return self

    def get_token(self) -> str:
        self.tokens += 1
        return "token"


class Config:
    def __init__(self, proxy: Proxy) -> None:
        self.proxy, self.addresses = proxy, {}

    def get_region_name(self) -> str:
        return "one"

    def get_endpoint(self, service: str) -> str | None:
        return self.addresses.get(service)

    def get_session_client(self, _service: str) -> Proxy:
        return self.proxy


class Connection:
    def __init__(self, proxy: Proxy) -> None:
        self.image = self.compute = self.block_storage = proxy
        self.session = Session()
        self.config = Config(proxy)


class Time:
    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def cloud_of(*replies: Any, patience: float = 60.0) -> tuple[client.Cloud, Proxy, Time]:
    proxy, time = Proxy(*replies), Time()
    cloud = client.Cloud("lab", Connection(proxy), patience=patience, clock=time, sleep=time.sleep, chance=lambda: 0.5)
    return cloud, proxy, time


BROKEN = client.BrokenAnswerError("half an answer")


@pytest.mark.parametrize("first", [Reply(503), Reply(502), Reply(429), BROKEN], ids=["503", "502", "429", "broken"])
def test_reading_is_repeated(first):
    cloud, proxy, _time = cloud_of(first, Reply(200, {"id": "1"}))
    answer = cloud.call("image", "GET", "/images/1")
    assert (answer.body, answer.attempts, len(proxy.seen)) == ({"id": "1"}, 2, 2)


@pytest.mark.parametrize("first", [Reply(503), Reply(500)], ids=["503", "500"])
def test_creating_is_not_repeated_when_nobody_knows_what_was_done(first):
    cloud, proxy, _time = cloud_of(first, Reply(201, {}))
    with pytest.raises(model.CloudError, match="answered 50"):
        cloud.call("image", "POST", "/images", json={})
    assert len(proxy.seen) == 1


def test_creating_is_not_repeated_when_the_answer_was_lost():
    cloud, proxy, _time = cloud_of(BROKEN, Reply(201, {}))
    with pytest.raises(model.UnreachableError):
        cloud.call("image", "POST", "/images", json={})
    assert len(proxy.seen) == 1


def test_creating_is_repeated_when_the_service_says_it_did_nothing():
    cloud, proxy, _time = cloud_of(Reply(429), Reply(413, headers={"Retry-After": "3"}), Reply(201, {}))
    assert cloud.call("image", "POST", "/images", json={}).attempts == len(proxy.seen) == 3


def test_creating_with_an_id_of_our_own_is_repeated():
    cloud, _proxy, _time = cloud_of(Reply(503), BROKEN, Reply(201, {}))
    assert cloud.call("image", "POST", "/images", json={"id": "x"}, repeat=True).attempts == 3


def test_too_large_is_a_refusal():
    cloud, proxy, _time = cloud_of(Reply(413, text="<html><body>Image exceeds the quota</body></html>"))
    with pytest.raises(model.CloudError, match="Image exceeds the quota"):
        cloud.call("image", "PUT", "/images/1/tags/a")
    assert len(proxy.seen) == 1


QUOTA = {"overLimit": {"code": 413, "message": "Maximum number of backups allowed (10) exceeded", "retryAfter": "0"}}
RATE = {"overLimitFault": {"code": 413, "message": "This request was rate-limited.", "details": "1 POST a minute"}}


def test_a_quota_that_is_used_up_is_refused_at_once_though_cinder_says_retry_after():
    cloud, proxy, time = cloud_of(Reply(413, QUOTA, headers={"Retry-After": "0"}), Reply(202, {}))
    with pytest.raises(model.CloudError, match=r"backups allowed \(10\) exceeded") as refused:
        cloud.call("block-storage", "POST", "/backups", json={})
    assert (refused.value.status, len(proxy.seen), time.slept) == (413, 1, [])


@pytest.mark.parametrize(("said", "wait"), [(RATE, "3"), (RATE, "0"), (QUOTA, "3"), (None, "0")])
def test_a_limit_of_rate_is_waited_for(said, wait):
    cloud, proxy, time = cloud_of(Reply(413, said, headers={"Retry-After": wait}), Reply(202, {}))
    assert cloud.call("block-storage", "POST", "/backups", json={}).attempts == len(proxy.seen) == 2
    assert time.slept[0] >= float(wait)


def test_a_stream_is_sent_once_and_never_by_a_renewed_login():
    cloud, proxy, _time = cloud_of(Reply(503))
    with pytest.raises(model.CloudError):
        cloud.call("image", "PUT", "/images/1/file", data=b"bytes")
    ((_method, _path, options),) = proxy.seen
    assert options["allow_reauth"] is False
    # Nor by keystoneauth, which the SDK tells to send an image five times more after a 503.
    assert (options["status_code_retries"], options["connect_retries"]) == (0, 0)


@pytest.mark.parametrize("busy", [429, 413])
def test_a_stream_is_sent_once_when_the_service_is_busy(busy):
    """It was read already: sent again it would be empty, and Glance would take that for the image."""
    cloud, proxy, time = cloud_of(Reply(busy, headers={"Retry-After": "7"}), Reply(204))
    with pytest.raises(model.CloudError) as refused:
        cloud.call("image", "PUT", "/images/1/file", data=b"bytes")
    assert (refused.value.status, refused.value.wait, len(proxy.seen), time.slept) == (busy, 7.0, 1, [])


class Body(Reply):
    """An answer whose body comes in pieces."""

    def __init__(self, status: int, *pieces: Any, **headers: str) -> None:
        super().__init__(status, headers={key.replace("_", "-"): value for key, value in headers.items()})
        self.pieces, self.raw, self.closed = [*pieces, b""], self, False

    def read1(self, _size: int, decode_content: bool) -> bytes:
        assert decode_content, "a compressed body would be taken for the object"
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self) -> None:
        self.closed = True


def test_bytes_come_piece_by_piece_and_the_answer_before_them():
    body = Body(206, b"ab", b"c", Content_Range="bytes 2-4/5")
    cloud, proxy, _time = cloud_of(body)
    said = []
    pieces = cloud.stream("image", "/images/1/file", timeout=9, headers={"Range": "bytes=2-"}, begin=said.append)
    assert (next(pieces), len(said), said[0].status) == (b"ab", 1, 206)
    assert said[0].headers["content-range"] == "bytes 2-4/5"
    assert (list(pieces), body.closed) == ([b"c"], True)
    ((method, path, options),) = proxy.seen
    assert (method, path, options["headers"], options["timeout"]) == ("GET", "/images/1/file", {"Range": "bytes=2-"}, 9)
    # What only reads may be asked for once more by the SDK, as long as no byte came.
    assert "status_code_retries" not in options


#: What a line that breaks raises; without the SDK only what the client itself finds broken.
LOST = [getattr(client, name, client.BrokenAnswerError)("reset") for name in ("HTTPError", "RequestException")]


@pytest.mark.parametrize("lost", LOST)
def test_bytes_that_break_off_are_said_to(lost):
    body = Body(200, b"ab", lost)
    cloud, _proxy, _time = cloud_of(body)
    pieces = cloud.stream("image", "/images/1/file", timeout=9)
    assert next(pieces) == b"ab"
    with pytest.raises(model.UnreachableError):
        next(pieces)
    assert body.closed


def test_bytes_that_are_refused():
    body = Body(503, Retry_After="3")
    cloud, _proxy, _time = cloud_of(body)
    with pytest.raises(model.CloudError) as refused:
        next(cloud.stream("image", "/images/1/file", timeout=9))
    assert (refused.value.status, refused.value.wait, body.closed) == (503, 3.0, True)


def test_the_wish_to_wait_is_kept():
    cloud, _proxy, time = cloud_of(Reply(429, headers={"Retry-After": "7"}), Reply(200, {}))
    cloud.call("image", "GET", "/images")
    assert time.slept == [7.0]


def test_the_time_is_bounded():
    cloud, proxy, time = cloud_of(*[Reply(503)] * 100, patience=30)
    with pytest.raises(model.CloudError, match="503"):
        cloud.call("image", "GET", "/images")
    assert time.now <= 30
    assert len(proxy.seen) < 12


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, model.ForbiddenError), (404, model.NotFoundError), (409, model.ConflictError), (400, model.CloudError)],
)
def test_refusals_have_kinds(status, kind):
    cloud, _proxy, _time = cloud_of(Reply(status, {"badRequest": {"message": "no such thing"}}))
    with pytest.raises(kind, match="no such thing") as refused:
        cloud.call("compute", "POST", "/servers", json={})
    assert refused.value.status == status


def test_a_refusal_may_be_wanted():
    cloud, _proxy, _time = cloud_of(Reply(409))
    assert cloud.call("image", "POST", "/images", json={}, accept=(409,)).status == 409


PAGES = {
    "glance": [{"images": [{"id": 1}], "next": "/v2/images?marker=1"}, {"images": [{"id": 2}]}],
    "nova": [
        {"images": [{"id": 1}], "images_links": [{"rel": "next", "href": "http://other/image/v2/images?marker=1"}]},
        {"images": [{"id": 2}]},
    ],
    "keystone": [
        {"images": [{"id": 1}], "links": {"next": "http://cloud/image/v2/images?marker=1"}},
        {"images": [{"id": 2}], "links": {"next": None}},
    ],
}


@pytest.mark.parametrize("style", PAGES)
def test_pages_are_joined(style):
    cloud, proxy, _time = cloud_of(*[Reply(200, page) for page in PAGES[style]])
    assert [one["id"] for one in cloud.pages("image", "/images", "images", limit=1)] == [1, 2]
    assert [path for _method, path, _options in proxy.seen] == ["/images", "/images?marker=1"]


@pytest.mark.parametrize("address", ["http://own:9", "http://own:9/v2/"])
def test_an_address_that_the_operator_wrote_down_is_taken(address):
    cloud, proxy, _time = cloud_of(Reply(200, {}))
    cloud.connection.config.addresses["image"] = address
    cloud.get("image", "/images/1")
    assert proxy.endpoint_override == "http://own:9/v2"


def test_the_catalog_says_which_services_there_are():
    cloud, proxy, _time = cloud_of()
    assert [cloud.has(one) for one in ("compute", "block-storage", "network")] == [True, False, False]
    cloud.connection.config.addresses["network"] = "http://own:9"
    assert cloud.has("network")
    assert proxy.seen == []


def test_a_service_that_is_down_is_there(monkeypatch):
    def down(_self: Any) -> Any:
        raise client.BrokenAnswerError("no answer")

    monkeypatch.setattr(Connection, "compute", property(down, lambda _self, _value: None), raising=False)
    cloud, _proxy, _time = cloud_of(patience=1)
    assert cloud.has("compute")
    with pytest.raises(model.UnreachableError):
        list(cloud.pages("compute", "/servers", "servers"))


def test_nobody_knows_the_services_without_a_token(monkeypatch):
    def refused(_self: Any, _session: Any) -> Any:
        raise client.BrokenAnswerError("no answer")

    monkeypatch.setattr(Session, "get_access", refused)
    cloud, _proxy, _time = cloud_of(patience=1)
    with pytest.raises(model.CloudError, match="reading the catalog"):
        cloud.has("compute")


def test_a_list_that_points_back_is_no_whole_list():
    page = {"images": [{"id": 1}], "next": "/v2/images?marker=1"}
    cloud, _proxy, _time = cloud_of(*[Reply(200, page)] * 5)
    with pytest.raises(model.CloudError, match="in a circle"):
        list(cloud.pages("image", "/images", "images"))


def test_a_service_that_does_not_answer_does_not_hold_up_the_others(monkeypatch):
    cloud, _proxy, _time = cloud_of(Reply(200, {"id": 1}))
    inside, over, real = threading.Event(), threading.Event(), cloud._safely

    def safely(service, doing, operation):
        if service == "compute" and doing == "looking for it":
            inside.set()
            assert over.wait(60)
        return real(service, doing, operation)

    monkeypatch.setattr(cloud, "_safely", safely)
    silent = threading.Thread(target=lambda: cloud._proxy("compute"), daemon=True)
    silent.start()
    assert inside.wait(60)
    done = threading.Event()
    other = threading.Thread(target=lambda: (cloud.get("image", "/images/1"), done.set()), daemon=True)
    other.start()
    answered = done.wait(20)
    over.set()
    silent.join()
    other.join()
    assert answered


def test_microversions():
    cloud, _proxy, _time = cloud_of()
    assert [cloud.microversion("compute", wanted) for wanted in ("2.8", "2.79", "2.80")] == ["2.8", "2.79", None]


@pytest.mark.parametrize(
    ("told", "version"),
    [(Reply(200, {"version": {"version": "2.90"}}), "2.61"), (Reply(200, {"version": {}}), None), (Reply(404), None)],
    ids=["asked again", "has none", "not there"],
)
def test_a_page_of_versions_that_was_damaged_is_no_old_service(monkeypatch, told, version):
    monkeypatch.setattr(Proxy, "get_endpoint_data", lambda _self: None)
    cloud, proxy, _time = cloud_of(Reply(503), told)
    assert cloud.microversion("compute", "2.61") == version
    assert [(method, path) for method, path, _options in proxy.seen] == [("GET", "/")] * 2


def test_damaged_json_is_no_success():
    cloud, _proxy, _time = cloud_of(Reply(200, text=""), Reply(200, {}))
    damaged = Reply(200)
    damaged.text, damaged.content = '{"id', b'{"id'
    cloud, _proxy, _time = cloud_of(damaged, Reply(200, {"id": 1}))
    assert cloud.get("image", "/images/1") == {"id": 1}


@pytest.mark.parametrize(
    ("said", "seconds"), [("", 0.0), ("5", 5.0), ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0), ("soon", 0.0)]
)
def test_retry_after(said, seconds):
    assert client.retry_after({"retry-after": said} if said else {}, now=lambda: 100.0) == seconds


def test_login_options():
    assert model.login_of({"cloud": "a", "validate_certs": False, "ca_cert": "/x"}) == {
        "cloud": "a",
        "verify": False,
        "cacert": "/x",
        "interface": "public",
        "api_timeout": 60,
    }
    whole = {"auth": {"username": "u"}, "region_name": "r"}
    assert model.login_of({"cloud": whole, "interface": "public"}) == {**whole, "api_timeout": 60}
    with pytest.raises(InputError, match="region_name is given beside it"):
        model.login_of({"cloud": whole, "region_name": "other"})
    with pytest.raises(InputError, match="list"):
        model.login_of({"cloud": []})


def test_a_missing_sdk_is_one_sentence(monkeypatch):
    monkeypatch.setattr(client, "openstack", None)
    with pytest.raises(LandscapeError, match="openstacksdk is needed for talking to OpenStack"):
        client.connect({})


def test_versions_compare_as_numbers():
    assert model.version_of("2.8") < model.version_of("2.79")


def test_what_is_secret_in_addresses_is_found_at_any_depth():
    url = "https://robot:pw@host/x?sig=abcdefgh&raw=true"
    data = {"images": [{"url": [url], "name": "https is no address", "size": 5}], "none": None}
    assert set(model.secrets_in(data)) == {
        "robot:pw",
        "pw",
        "sig=abcdefgh&raw=true",
        "sig=abcdefgh&amp;raw=true",
        "abcdefgh",
    }
    assert list(model.secrets_in(["http://host/x", "host/x?y", 3])) == []
    assert model.without_secrets(f"{url}: true pw abcdefgh", [url]) == "https://***@host/x?***: *** *** ***"
