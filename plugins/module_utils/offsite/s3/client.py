# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A bucket as a store: Ceph's object gateway and whatever else speaks S3."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable

from ...core.errors import LandscapeError, MissingDependencyError
from ...core.stream import CHUNK
from ..store import AbsentError, BusyError, ChangedError, Outgoing
from .parts import PART, Part, Slice, md5, parts_of

try:
    import boto3
    from botocore import exceptions as boto
    from botocore.config import Config
    from urllib3.exceptions import HTTPError
except ImportError:
    boto3 = None

_BUSY = (408, 425, 429, 500, 502, 503, 504)
_BUSY_CODES = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "BadDigest")
_ABSENT = ("NoSuchKey", "NotFound", "404")
_GONE = "NoSuchUpload"
_HINTS = {
    "AccessDenied": "The login may not do that: look at its policy and at that of the bucket",
    "InvalidAccessKeyId": "Look at access_key, the profile or the environment",
    "SignatureDoesNotMatch": "Look at secret_key, region and endpoint",
    "NoSuchBucket": "Make the bucket first",
    "RequestTimeTooSkewed": "Set the clock of this host",
}


class GoneError(BusyError):
    """An upload in parts was ended or given up by somebody else."""


def connect(options: Mapping[str, Any], parallel: int = 8) -> Any:
    """A client of ``boto3``.

    :raises MissingDependencyError: there is no ``boto3``.
    """
    if boto3 is None:
        raise MissingDependencyError("boto3", "stores that speak S3")
    settings: dict[str, Any] = {
        "connect_timeout": 15,
        "read_timeout": 120,
        "max_pool_connections": parallel + 4,
        "retries": {"total_max_attempts": 3, "mode": "standard"},
        "s3": {"addressing_style": "path" if options.get("endpoint") else "auto"},
    }
    # Newer versions add checksums that many services other than Amazon's refuse.
    for name in ("request_checksum_calculation", "response_checksum_validation"):
        if name in Config.OPTION_DEFAULTS:
            settings[name] = "when_required"
    verify = options.get("ca_cert") or options.get("validate_certs", True) is not False
    try:
        session = boto3.session.Session(
            profile_name=options.get("profile") or None,
            aws_access_key_id=options.get("access_key") or None,
            aws_secret_access_key=options.get("secret_key") or None,
            aws_session_token=options.get("session_token") or None,
            region_name=options.get("region") or None,
        )
        region = session.region_name or "us-east-1"
        endpoint = options.get("endpoint") or None
        config = Config(**settings)
        return session.client("s3", region_name=region, endpoint_url=endpoint, verify=verify, config=config)
    except (boto.BotoCoreError, ValueError) as error:
        raise LandscapeError(f"There is no way to S3: {error}") from error


class Bucket:
    """A store below a prefix of a bucket.

    :param options: those of the module's ``store``.
    :param client: a client of ``boto3``.
    """

    def __init__(self, options: Mapping[str, Any], client: Any) -> None:
        self._client, self._bucket = client, str(options["bucket"])
        prefix = str(options.get("prefix") or "").strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self.label = f"s3://{self._bucket}/{self._prefix}".rstrip("/")
        self._secrets = [str(options[name]) for name in ("secret_key", "session_token") if options.get(name)]

    def listing(self, prefix: str) -> dict[str, int]:
        """See :class:`..store.Store`."""
        found: dict[str, int] = {}
        for page in self._pages("list_objects_v2", prefix, "ContinuationToken", "NextContinuationToken"):
            for one in page.get("Contents", []):
                found[one["Key"][len(self._prefix) :]] = int(one["Size"])
        return found

    def get(self, name: str, offset: int = 0) -> Iterator[bytes]:
        """See :class:`..store.Store`."""
        span = {"Range": f"bytes={offset}-"} if offset else {}
        answer = self._call(f"read: {name}", "get_object", name, **span)
        skip = offset if offset and answer["ResponseMetadata"]["HTTPStatusCode"] != 206 else 0
        with contextlib.closing(answer["Body"]) as body:
            while True:
                chunk = self._safely(f"read: {name}", lambda: body.read(CHUNK))
                if not chunk:
                    return
                yield chunk[skip:]
                skip = max(0, skip - len(chunk))

    def put(self, name: str, content: bytes) -> None:
        """See :class:`..store.Store`."""
        digest = md5()
        digest.update(content)
        proof = Part(1, 0, len(content), digest.digest()).header
        self._call(f"written: {name}", "put_object", name, Body=content, ContentMD5=proof)

    def send(self, name: str, outgoing: Outgoing) -> None:
        """See :class:`..store.Store`. Large files go in parts; those that a killed run has sent are not sent again."""
        if outgoing.size <= PART:
            self.put(name, b"".join(outgoing.chunks()))
            return
        try:
            self._send_parts(name, outgoing)
        except GoneError:
            if self._size(name) != outgoing.size:
                raise

    def _send_parts(self, name: str, outgoing: Outgoing) -> None:
        upload, there = self._begun(name)
        if not upload:
            upload = str(self._call(f"written: {name}", "create_multipart_upload", name)["UploadId"])
        done = []
        try:
            for part in parts_of(outgoing):
                etag = there.get((part.number, part.size), "")
                if etag.strip('"') != part.md5.hex():
                    etag = self._send_part(name, upload, outgoing, part)
                done.append({"PartNumber": part.number, "ETag": etag})
        except ChangedError:
            # These parts are of no use to anybody.
            with contextlib.suppress(LandscapeError):
                self._call("given up", "abort_multipart_upload", name, UploadId=upload)
            raise
        self._call(
            f"written: {name}", "complete_multipart_upload", name, UploadId=upload, MultipartUpload={"Parts": done}
        )
        if self._size(name) != outgoing.size:
            raise LandscapeError(f"{self.label}: {name} has another size than what was sent")

    def _send_part(self, name: str, upload: str, outgoing: Outgoing, part: Part) -> str:
        try:
            with Slice(outgoing.path, part.offset, part.size) as body:
                answer = self._call(
                    f"written: {name}",
                    "upload_part",
                    name,
                    UploadId=upload,
                    PartNumber=part.number,
                    Body=body,
                    ContentLength=part.size,
                    ContentMD5=part.header,
                )
        except OSError as error:
            raise LandscapeError(f"{outgoing.path} cannot be read: {error.strerror or error}") from error
        return str(answer["ETag"])

    def _begun(self, name: str) -> tuple[str, dict[tuple[int, int], str]]:
        """An upload of this object that was not ended, and the ETags of its parts by number and size."""
        begun = [one for one in self._uploads(name) if one["Key"] == self._prefix + name]
        if not begun:
            return "", {}
        upload = str(max(begun, key=lambda one: one["Initiated"])["UploadId"])
        there: dict[tuple[int, int], str] = {}
        more: dict[str, Any] = {}
        while True:
            page = self._call(f"listed: parts of {name}", "list_parts", name, UploadId=upload, **more)
            for one in page.get("Parts", []):
                there[int(one["PartNumber"]), int(one["Size"])] = str(one["ETag"])
            following = page.get("NextPartNumberMarker")
            if not page.get("IsTruncated") or following == more.get("PartNumberMarker"):
                return upload, there
            more = {"PartNumberMarker": following}

    def _uploads(self, prefix: str) -> Iterator[dict[str, Any]]:
        more: dict[str, Any] = {}
        while True:
            page = self._ask("listed", "list_multipart_uploads", Prefix=self._prefix + prefix, **more)
            yield from page.get("Uploads", [])
            following = {
                "KeyMarker": page.get("NextKeyMarker", ""),
                "UploadIdMarker": page.get("NextUploadIdMarker", ""),
            }
            if not page.get("IsTruncated") or following == more:
                return
            more = following

    def _size(self, name: str) -> int:
        try:
            return int(self._call(f"read: {name}", "head_object", name)["ContentLength"])
        except AbsentError:
            return -1

    def delete(self, names: Iterable[str]) -> None:
        """See :class:`..store.Store`. One by one: services differ in what they want of a request for many."""
        for name in names:
            with contextlib.suppress(AbsentError):
                self._call(f"removed: {name}", "delete_object", name)

    def sweep(self, seconds: float) -> int:
        """See :class:`..store.Store`."""
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
        old = [one for one in self._uploads("") if one["Initiated"] < before]
        for one in old:
            with contextlib.suppress(AbsentError, GoneError):
                name = one["Key"][len(self._prefix) :]
                self._call("given up", "abort_multipart_upload", name, UploadId=one["UploadId"])
        return len(old)

    # Underneath.

    def _pages(self, method: str, prefix: str, token: str, following: str) -> Iterator[dict[str, Any]]:
        more: dict[str, Any] = {}
        while True:
            page = self._ask("listed", method, Prefix=self._prefix + prefix, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            if page.get(following) in (None, "", more.get(token)):
                # What was not listed would look as if it were not there.
                raise LandscapeError(f"{self.label} is listed in a circle")
            more = {token: page[following]}

    def _call(self, doing: str, method: str, name: str, **options: Any) -> Any:
        return self._ask(doing, method, Key=self._prefix + name, **options)

    def _ask(self, doing: str, method: str, **options: Any) -> Any:
        return self._safely(doing, lambda: getattr(self._client, method)(Bucket=self._bucket, **options))

    def _safely(self, doing: str, operation: Callable[[], Any]) -> Any:
        try:
            return operation()
        except _REFUSED as error:
            raise self._refusal(doing, error) from error
        except _BROKEN as error:
            kind = LandscapeError if isinstance(error, _FINAL) else BusyError
            raise kind(f"{self.label} cannot be {doing}: {self._said(error)}") from error
        except _OTHER as error:
            raise LandscapeError(f"{self.label} cannot be {doing}: {self._said(error)}") from error

    def _said(self, error: Exception) -> str:
        text = " ".join(str(error).split())[:400]
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _refusal(self, doing: str, error: Any) -> LandscapeError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        message = f"{self.label} cannot be {doing}: {self._said(error)}"
        if code == _GONE:
            return GoneError(message)
        if code in _ABSENT:
            return AbsentError(message)
        if status in _BUSY or code in _BUSY_CODES:
            return BusyError(message)
        return LandscapeError(message, hint=_HINTS.get(code))


_REFUSED: tuple[type[Exception], ...] = ()
_BROKEN: tuple[type[Exception], ...] = ()
_FINAL: tuple[type[Exception], ...] = ()
_OTHER: tuple[type[Exception], ...] = ()
if boto3 is not None:
    _REFUSED = (boto.ClientError,)
    _BROKEN = (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError, HTTPError, ConnectionError)
    _FINAL = (boto.SSLError, boto.ProxyConnectionError)
    _OTHER = (boto.BotoCoreError,)
