# SPDX-License-Identifier: Apache-2.0
"""The embedded lab: machines with systemd and SSH on one Debian, cabled as a landscape says. See docs/lab.md."""
