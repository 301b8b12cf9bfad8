# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The documentation of a landscape: every page and picture as a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Callable

from ...core.errors import InputError
from ..derive import View
from ..finding import Finding
from .addresses import address_pages
from .cables import cable_pages
from .catalogue import environment_pages, model_pages
from .devices import device_pages
from .fabric import fabric_pages
from .index import index_page
from .model import Book, Options, book_of
from .power import power_pages
from .racks import rack_pages
from .tables import SECTIONS
from .topology import topology_pages

_MAKERS: dict[str, Callable[[Book], dict[str, str]]] = {
    "racks": rack_pages,
    "topology": topology_pages,
    "fabric": fabric_pages,
    "cables": cable_pages,
    "power": power_pages,
    "addresses": address_pages,
    "devices": device_pages,
    "environments": environment_pages,
    "models": model_pages,
}


def pages(view: View, findings: Iterable[Finding], options: Options) -> dict[str, str]:
    """All files by their place below the destination folder.

    The same landscape gives the same bytes, in whatever order its objects are written.

    :raises InputError: a section or a key of the front matter is not allowed.
    """
    unknown = [name for name in options.include if name not in SECTIONS]
    if unknown:
        raise InputError(f"There is no section {unknown[0]!r} to include", hint="Allowed are " + ", ".join(SECTIONS))
    wrong = [key for key in options.front_matter or {} if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", str(key))]
    if wrong:
        raise InputError(f"front_matter has the key {wrong[0]!r}", hint="Use letters, digits, dashes and underscores")
    book = book_of(view, findings, options)
    files = dict(index_page(book))
    for section in SECTIONS:
        if book.has(section) and section in _MAKERS:
            files.update(_MAKERS[section](book))
    return files
