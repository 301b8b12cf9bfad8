# SPDX-License-Identifier: Apache-2.0
"""The provider ``vsphere``: an ESXi or a vCenter on loopback, with machines, leases and real bytes."""

from .endpoint import Vsphere

__all__ = ["Vsphere"]
