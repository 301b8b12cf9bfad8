# SPDX-License-Identifier: Apache-2.0
"""Starts nova-compute with the lab's driver: Nova takes drivers from its own package alone, so this folder joins it."""

import os
import sys

# the first of both decides which kind of threads everything has
import nova.cmd.compute
import nova.virt

nova.virt.__path__.append(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__":
    sys.exit(nova.cmd.compute.main())
