# SPDX-License-Identifier: Apache-2.0
"""The provider ``switches``: switches of the lab that behave like SONiC as far as CONFIG_DB, FRR and the kernel go."""

from .fabric import Fabric

__all__ = ["Fabric"]
