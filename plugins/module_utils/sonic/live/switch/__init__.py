# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What runs on the switch: reads and writes rows, keeps lock and checkpoint, brings itself back.

This folder travels as part of a module, and is written to the switch as a program for the timer: it imports the
standard library and itself, nothing else.
"""
