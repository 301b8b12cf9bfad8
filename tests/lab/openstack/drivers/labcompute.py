# SPDX-License-Identifier: Apache-2.0
"""Starts nova-compute with the lab's driver: Nova takes drivers from its own package alone, so this folder joins it."""

import os
import sys

# the first of these decides which kind of threads everything has
import nova.cmd.compute
import nova.conductor.api
import nova.servicegroup.api
import nova.virt

nova.virt.__path__.append(os.path.dirname(os.path.abspath(__file__)))
# seconds and times: a question that comes before the conductor is lost, and Nova waits ten seconds until it asks again
nova.conductor.api.API.wait_until_ready.__defaults__ = (2, 60)
# seconds until it says for the first time that it is up; by then it is
nova.servicegroup.api.INITIAL_REPORTING_DELAY = 1

if __name__ == "__main__":
    sys.exit(nova.cmd.compute.main())
