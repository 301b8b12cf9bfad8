# SPDX-License-Identifier: Apache-2.0
"""The pictures in the documentation of the collection are those the collection draws."""

from __future__ import annotations

from ansible_collections.scs.landscape.tests.tools import pictures


def test_shown_pictures_are_up_to_date(repo, lab_pages):
    for name, source in pictures.SHOWN.items():
        shown = (repo / "docs" / "images" / name).read_text(encoding="utf-8")
        assert shown == lab_pages[source], f"docs/images/{name} is out of date, run `make pictures`"
