# SPDX-License-Identifier: Apache-2.0
"""What runs on a switch of the lab in place of SONiC's own daemons. Standard library only; nothing here is SONiC's code."""
