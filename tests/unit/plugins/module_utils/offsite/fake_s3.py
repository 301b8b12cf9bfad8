# SPDX-License-Identifier: Apache-2.0
"""A bucket in memory that answers as boto3 does: small pages, parts, refusals and cuts."""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

PAGE = 3


class Refused(Exception):
    """What botocore calls ClientError."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"An error occurred ({code})")
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class Cut(Exception):
    """The line broke."""


class FakeS3:
    """One bucket.

    :ivar asked: how often each method was called.
    :ivar before: is called with the method's name before it does something, and may raise.
    :ivar after: the same after it was done: an answer that is lost.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        self._numbers, self._counting = itertools.count(1), threading.Lock()
        self.before: Callable[[str], None] = lambda _method: None
        self.after: Callable[[str], None] = lambda _method: None

    @property
    def writes(self) -> int:
        """Requests that are no reading ones."""
        return sum(n for name, n in self.asked.items() if not name.startswith(("get", "list", "head")))

    def __getattr__(self, method: str) -> Callable[..., Any]:
        handler = object.__getattribute__(self, f"_{method}")

        def call(Bucket: str, **options: Any) -> Any:  # noqa: N803 - boto3's own name
            assert Bucket == "bucket"
            with self._counting:
                self.asked[method] += 1
            self.before(method)
            answer = handler(**options)
            self.after(method)
            return answer

        return call

    def _list_objects_v2(self, Prefix: str, ContinuationToken: str = "") -> Any:  # noqa: N803
        names = sorted(name for name in self.objects if name.startswith(Prefix) and name > ContinuationToken)
        page = [{"Key": name, "Size": len(self.objects[name])} for name in names[:PAGE]]
        more = len(names) > PAGE
        return {"Contents": page, "IsTruncated": more, "NextContinuationToken": names[PAGE - 1] if more else None}

    def _get_object(self, Key: str, Range: str = "") -> Any:  # noqa: N803
        if Key not in self.objects:
            raise Refused("NoSuchKey", 404)
        begin = int(Range[6:-1]) if Range else 0
        status = 206 if Range else 200
        return {
            "Body": io.BytesIO(self.objects[Key][begin:]),
            "ResponseMetadata": {"HTTPStatusCode": status},
        }

    def _head_object(self, Key: str) -> Any:  # noqa: N803
        if Key not in self.objects:
            raise Refused("404", 404)
        return {"ContentLength": len(self.objects[Key])}

    def _put_object(self, Key: str, Body: bytes, ContentMD5: str) -> None:  # noqa: N803
        assert base64.b64decode(ContentMD5) == hashlib.md5(Body).digest()
        self.objects[Key] = Body

    def _delete_object(self, Key: str) -> None:  # noqa: N803
        self.objects.pop(Key, None)

    def _create_multipart_upload(self, Key: str) -> Any:  # noqa: N803
        name = f"upload-{next(self._numbers)}"
        self.uploads[name] = {"Key": Key, "parts": {}, "Initiated": datetime.datetime.now(datetime.timezone.utc)}
        return {"UploadId": name}

    def _upload(self, UploadId: str) -> dict[str, Any]:  # noqa: N803
        if UploadId not in self.uploads:
            raise Refused("NoSuchUpload", 404)
        return self.uploads[UploadId]

    def _upload_part(self, Key: str, UploadId: str, PartNumber: int, Body: Any, **proof: Any) -> Any:  # noqa: N803
        body = b"".join(iter(lambda: Body.read(8192), b""))
        Body.seek(0)
        assert len(body) == len(Body) == proof["ContentLength"]
        if base64.b64decode(proof["ContentMD5"]) != hashlib.md5(body).digest():
            raise Refused("BadDigest", 400)
        self._upload(UploadId)["parts"][PartNumber] = body
        return {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}

    def _list_multipart_uploads(self, Prefix: str, KeyMarker: str = "", **_more: Any) -> Any:  # noqa: N803
        found = [{"UploadId": name, **one} for name, one in self.uploads.items() if one["Key"].startswith(Prefix)]
        return {"Uploads": found, "IsTruncated": False}

    def _list_parts(self, Key: str, UploadId: str, PartNumberMarker: int = 0) -> Any:  # noqa: N803
        parts = sorted(item for item in self._upload(UploadId)["parts"].items() if item[0] > PartNumberMarker)
        page = [
            {"PartNumber": number, "Size": len(body), "ETag": f'"{hashlib.md5(body).hexdigest()}"'}
            for number, body in parts[:PAGE]
        ]
        more = len(parts) > PAGE
        return {"Parts": page, "IsTruncated": more, "NextPartNumberMarker": parts[PAGE - 1][0] if more else 0}

    def _complete_multipart_upload(self, Key: str, UploadId: str, MultipartUpload: Any) -> None:  # noqa: N803
        parts = self._upload(UploadId)["parts"]
        named = [(one["PartNumber"], one["ETag"].strip('"')) for one in MultipartUpload["Parts"]]
        assert named == [(number, hashlib.md5(body).hexdigest()) for number, body in sorted(parts.items())]
        self.objects[Key] = b"".join(body for _number, body in sorted(parts.items()))
        del self.uploads[UploadId]

    def _abort_multipart_upload(self, Key: str, UploadId: str) -> None:  # noqa: N803
        self._upload(UploadId)
        del self.uploads[UploadId]
