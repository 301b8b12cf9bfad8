# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Releases and dialects: what is written for another image than the one it runs on."""

from __future__ import annotations

from collections.abc import Iterator

from ..tables import MODELLED, TABLES
from .index import Switch
from .registry import Found, rule

#: Tables that only frrcfgd reads.
_FRRCFGD = ("BGP_GLOBALS", "BGP_GLOBALS_AF", "BGP_PEER_GROUP", "BGP_NEIGHBOR_AF", "ROUTE_REDISTRIBUTE", "ROUTE_MAP")


@rule(
    "SL701",
    "error",
    "A table that the release does not have",
    why="No daemon of that image reads it, and config reload refuses the file from 202505 on.",
    source="YANG models of 202411 and 202605",
    hint="take it out, or install a release that has it",
)
def tables(switch: Switch) -> Iterator[Found]:
    if switch.release not in MODELLED:
        return
    for name in switch.config:
        known = TABLES.get(name)
        if known and known.modelled and switch.release not in known.modelled:
            yield name, "", "", f"{name} is in the models of {', '.join(known.modelled)}, not of {switch.release}"


@rule(
    "SL702",
    "warning",
    "MCLAG needs an image of your own",
    why="Community images are built without iccpd: the tables are accepted, and nothing happens.",
    source="INCLUDE_ICCPD ?= n, rules/config of sonic-buildimage",
    hint="build the image with INCLUDE_ICCPD=y, or use EVPN or two links with BGP instead",
    dialects=("unified", "bgpcfgd", "split"),
)
def mclag(switch: Switch) -> Iterator[Found]:
    for key in switch.rows("MCLAG_DOMAIN"):
        yield "MCLAG_DOMAIN", key, "", "community images have no iccpd"


@rule(
    "SL703",
    "error",
    "Two dialects in one configuration",
    why="Half of the file was copied from an image of another vendor: those rows and fields are read by nobody here.",
    source="Backups of the SCS lab: Edgecore Enterprise 202211 beside community 202411",
    hint="convert the configuration as a whole",
)
def mixed(switch: Switch) -> Iterator[Found]:
    version = switch.text("VERSIONS", "DATABASE", "VERSION")
    if not version.startswith("version_20"):  # community branches count by year, 202305 and later
        return
    for port in switch.rows("PORT"):
        if "parent_port" in switch.row("PORT", port):
            yield "PORT", port, "parent_port", f"a field of Edgecore's image in a database of {version}"
            break
    for feature in switch.rows("FEATURE"):
        if "has_timer" in switch.row("FEATURE", feature):
            yield "FEATURE", feature, "has_timer", f"a field of images up to 202211 in a database of {version}"
            break
    for name in ("REST_SERVER", "DOT1X_INITIAL"):
        if name in switch.config:
            yield name, "", "", f"a table of Edgecore's image in a database of {version}"


@rule(
    "SL704",
    "warning",
    "BGP tables that nobody reads in this mode",
    why="In split mode FRR runs an operator's file, and bgpcfgd knows its own tables only: these rows are not in effect.",
    source="docker_init.sh of docker-fpm-frr: docker_routing_config_mode, frr_mgmt_framework_config",
    hint='set docker_routing_config_mode "unified" and frr_mgmt_framework_config "true", or remove the rows',
    dialects=("split", "bgpcfgd"),
)
def unread(switch: Switch) -> Iterator[Found]:
    for name in _FRRCFGD:
        if switch.rows(name):
            yield name, "", "", f"the mode of this switch is {switch.dialect}, {name} belongs to unified"


@rule(
    "SL705",
    "info",
    "The release is not one this project was proven with",
    why="Rules and tables are those of the proven releases; this one may differ.",
    source="YANG models and golden data of 202411 and 202605",
    hint="give the release of the image, and read the findings with care",
)
def proven(switch: Switch) -> Iterator[Found]:
    if switch.config and switch.release not in MODELLED:
        version = switch.text("VERSIONS", "DATABASE", "VERSION") or "no version"
        shown = f"release {switch.release}" if switch.release else f"a database of {version}"
        yield "VERSIONS", "DATABASE", "VERSION", f"{shown}, proven are {', '.join(MODELLED)}"


@rule(
    "SL706",
    "warning",
    "frr-mgmt-framework in a mode that goes away",
    why="Without docker_routing_config_mode it runs in separated mode: files per daemon, a path that 202611 no longer has.",
    source="sonic-net/sonic-buildimage#27547; docker_init.sh of docker-fpm-frr",
    hint='set docker_routing_config_mode to "unified"',
    dialects=("unified",),
)
def separated(switch: Switch) -> Iterator[Found]:
    mode = switch.text("DEVICE_METADATA", "localhost", "docker_routing_config_mode")
    if mode != "unified":
        yield "DEVICE_METADATA", "localhost", "docker_routing_config_mode", f"the mode is {mode or 'not set'}"
