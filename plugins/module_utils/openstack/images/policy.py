# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""By which way an image gets into the service, and why.

Server-side ways go first where they lose nothing: web-download never checks a digest, so it is only taken where the
service's own hash can be compared with the vendor's digest before anything is visible.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...core.errors import InputError
from ..model import has_secret
from .model import Digest, Service, Wanted

#: The algorithm of ``os_hash_value`` where an operator changed nothing (glance-api.conf, hashing_algorithm).
DEFAULT_HASH = "sha512"


@dataclass(frozen=True)
class Way:
    """A method and the reason for it, in one sentence."""

    method: str
    reason: str


def ways(
    wanted: Wanted, digest: Digest | None, service: Service, hash_algorithm: str = DEFAULT_HASH
) -> tuple[Way, ...]:
    """The ways to try, the best first; later ones are taken when the service refuses an earlier one.

    :param hash_algorithm: the algorithm of the service's own hashes.
    :raises InputError: the method that was asked for is not there.
    """
    if wanted.method not in ("auto", "upload"):
        return (_asked(wanted, service),)
    if wanted.method == "upload":
        if len(wanted.stores) > 1 and "copy-image" not in service.methods:
            raise InputError(f"image {wanted.name}: upload fills one store, and copy-image is not switched on")
        return (Way("upload", "as asked for"),)
    if wanted.remote:
        if "glance-download" not in service.methods:
            raise InputError(f"image {wanted.name}: glance-download is not switched on in this cloud")
        return (Way("glance-download", "the image is in another region of the same Keystone"),)
    found = []
    if wanted.urls and _web_is_provable(wanted, digest, service, hash_algorithm):
        found.append(
            Way("web-download", f"the service's own {hash_algorithm} can be compared before anything is visible")
        )
    found.append(_through_us(wanted, service))
    return tuple(found)


def _asked(wanted: Wanted, service: Service) -> Way:
    if wanted.method not in service.methods:
        known = ", ".join(service.methods) or "none"
        raise InputError(
            f"image {wanted.name}: {wanted.method} is not switched on in this cloud", hint=f"Import methods: {known}"
        )
    return Way(wanted.method, "as asked for")


def _web_is_provable(wanted: Wanted, digest: Digest | None, service: Service, hash_algorithm: str) -> bool:
    """Whether bytes that never pass us can be proven (no conversion, a hash of the vendor's kind), and nothing is told."""
    return (
        "web-download" in service.methods
        # The service keeps the address of its download, in tasks that others read and in its log.
        and not any(has_secret(url) for url in wanted.urls)
        and not wanted.convert
        and digest is not None
        and digest.algorithm == hash_algorithm
    )


def _through_us(wanted: Wanted, service: Service) -> Way:
    kind = "a local file" if wanted.file else "a download that is verified here first"
    direct = "glance-direct" in service.methods
    if wanted.convert and direct:
        return Way("glance-direct", f"{kind}; the service converts what it imports")
    if wanted.convert:
        raise InputError(f"image {wanted.name}: convert needs glance-direct, which is not switched on in this cloud")
    if len(wanted.stores) > 1 and direct:
        return Way("glance-direct", f"{kind}, sent once for {len(wanted.stores)} stores")
    return Way("upload", f"{kind}, into one store: written once, without a staging area")
