# SPDX-License-Identifier: Apache-2.0
"""See :mod:`tests.lab.cli`."""

import sys

from .cli import main

sys.exit(main())
