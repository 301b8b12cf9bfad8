# SPDX-License-Identifier: Apache-2.0
"""Barbican's application with a configuration that is not in /etc."""

import os

from paste.deploy import loadapp

application = loadapp(f"config:{os.environ['LAB_ETC']}/barbican/barbican-api-paste.ini")
