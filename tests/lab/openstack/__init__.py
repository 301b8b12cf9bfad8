# SPDX-License-Identifier: Apache-2.0
"""The provider ``openstack``: a real OpenStack on one machine, in a network namespace of its own."""

from .cloud import Cloud

__all__ = ["Cloud"]
