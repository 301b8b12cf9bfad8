# SPDX-License-Identifier: Apache-2.0
"""One family of errors, each a sentence and what to do next."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import errors


def test_message_and_hint() -> None:
    assert str(errors.LandscapeError("The disk is full")) == "The disk is full"
    error = errors.InputError("The file is empty", hint="Fill it", details={"file": "x"})
    assert str(error) == "The file is empty. Fill it"
    assert error.details == {"file": "x"}
    assert errors.LandscapeError("x").details == {}


def test_a_missing_package_is_one_sentence_with_package_and_place() -> None:
    error = errors.MissingDependencyError("PyYAML", "reading a landscape")
    assert error.package == "PyYAML"
    assert "PyYAML is needed for reading a landscape" in str(error)
    assert "Install PyYAML where this task runs" in str(error)


@pytest.mark.parametrize("kind", [errors.InputError, errors.LockedError, errors.MissingDependencyError])
def test_all_are_of_one_family(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.LandscapeError)
