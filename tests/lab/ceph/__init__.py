# SPDX-License-Identifier: Apache-2.0
"""The provider ``ceph``: a real Ceph on hosts of the embedded lab."""

from .cluster import CephCluster
from .layout import Layout

__all__ = ["CephCluster", "Layout"]
