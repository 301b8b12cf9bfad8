# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Regular expressions that somebody wrote into a file or an option."""

from __future__ import annotations

import re
import warnings


def compiled(text: str) -> re.Pattern[str]:
    """The expression in a text.

    :raises ValueError: it is none, or one whose meaning a later Python will change (``[[``, ``--``, ``&&`` and the like
        inside brackets: https://docs.python.org/3/library/re.html#regular-expression-syntax); says what is wrong in
        words that go on from "is no regular expression: ".
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            return re.compile(text)
    except FutureWarning as warning:
        ambiguous = f"{str(warning)[:1].lower()}{str(warning)[1:]}, write a backslash before it"
        raise ValueError(ambiguous) from warning
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error
