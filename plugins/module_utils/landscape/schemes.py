# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Address and ASN schemes: pure arithmetic from an index to numbers.

Sources: the SCS lab derives loopbacks, management addresses and AS numbers from one index per server (prefix 4210);
OSISM uses the same formula with prefix 4200 (python-osism, conductor/sonic/bgp.py).
"""

from __future__ import annotations

import ipaddress

#: Private AS numbers, RFC 6996 section 5. The last one of each block is reserved (RFC 7300).
PRIVATE_ASNS = (range(64512, 65535), range(4200000000, 4294967295))
#: Largest number that fits a four-octet AS number (RFC 6793).
MAX_ASN = 4294967295

OCTET_PREFIXES = {"scs": 4210, "osism": 4200}


class SchemeError(ValueError):
    """The index or the address does not fit the scheme."""


def address_v4(network: str, index: int) -> str:
    """The index-th address of an IPv4 network; the network and broadcast addresses are not given out.

    :raises SchemeError: the index lies outside the network.
    """
    prefix = ipaddress.IPv4Network(network)
    last = prefix.num_addresses - 1 if prefix.prefixlen >= 31 else prefix.num_addresses - 2
    if index > last:
        raise SchemeError(f"index {index} does not fit {network}, whose last usable index is {last}")
    return str(prefix[index])


def address_v6(network: str, scheme: str, index: int, v4: str) -> str:
    """An IPv6 address of ``network`` by ``scheme`` (``embed-v4``: the decimal octets of ``v4`` as the last four groups).

    :raises SchemeError: the scheme or the index does not fit the network.
    """
    prefix = ipaddress.IPv6Network(network)
    if scheme == "embed-v4":
        if prefix.prefixlen > 64:
            raise SchemeError(f"{network} is longer than /64, the octets of {v4} do not fit")
        suffix = 0
        for octet in v4.split("."):
            suffix = suffix << 16 | int(octet, 16)
        return str(ipaddress.IPv6Address(int(prefix.network_address) | suffix))
    if index >= prefix.num_addresses:
        raise SchemeError(f"index {index} does not fit {network}")
    return str(prefix[index])


def asn_of(kind: str, prefix: int | None, loopback_v4: str) -> int:
    """The AS number that a scheme gives to a loopback address.

    :raises SchemeError: the number does not fit four octets.
    """
    number = OCTET_PREFIXES.get(kind, prefix or 0)
    _first, _second, third, fourth = (int(octet) for octet in loopback_v4.split("."))
    asn = int(f"{number}{third:03d}{fourth:03d}")
    if not 0 < asn <= MAX_ASN:
        raise SchemeError(f"prefix {number} and {loopback_v4} make {asn}, more than {MAX_ASN}")
    return asn


def is_private(asn: int) -> bool:
    """Whether the AS number is for private use (RFC 6996)."""
    return any(asn in block for block in PRIVATE_ASNS)
