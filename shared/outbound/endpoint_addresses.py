"""Tell which URLs and addresses an endpoint may have: those of the public web."""

import ipaddress
from typing import Final

from shared import config

LONGEST_URL: Final = 2048
HIGHEST_PORT: Final = 65_535
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]", "::1")

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_TUNNELS = tuple(map(ipaddress.ip_network, ("2002::/16", "2001::/32")))
"""6to4 and Teredo: addresses that carry an IPv4 address, which may be any."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def explain_refusal(url: str) -> str | None:
    """Return why a URL can't be an endpoint's, in a few words for its owner; None if it can.

    The name isn't resolved here: that is checked whenever a connection is made.
    """
    import httpx  # takes 30 ms at the start of a function

    try:
        parts = httpx.URL(url)
        host, port = parts.host, parts.port
    except (httpx.InvalidURL, ValueError):
        return "It is no URL"
    if port is not None and not 0 < port <= HIGHEST_PORT:
        return "It has no such port"
    if len(url) > LONGEST_URL:
        return f"It has more than {LONGEST_URL} characters"
    if parts.userinfo or parts.fragment:
        return "It must not hold a user, a password or a fragment"
    if _is_local(host) and config.settings().endpoints_on_loopback:
        return None if parts.scheme in ("http", "https") else "It must be http or https"
    if parts.scheme != "https":
        return "It must be https"
    if not _may_be_public(host):
        return "It must be on the public web"
    return None


def is_public(address: Address) -> bool:
    """Tell whether an address is on the public web, and none that leads to another one.

    Not those that embed an IPv4 address (mapped, NAT64, 6to4, Teredo): they may lead anywhere.
    """
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not address.is_reserved
    is_tunnel = any(address in network for network in _TUNNELS)
    return address in _GLOBAL_UNICAST and not is_tunnel


def _is_local(host: str) -> bool:
    return host.lower() in LOCAL_HOSTS


def _may_be_public(host: str) -> bool:
    """Tell whether a host may be on the public web: a name with a dot, or a public address."""
    try:
        return is_public(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return "." in host.strip(".") and not host.lower().rstrip(".").endswith(_PRIVATE_NAMES)


_PRIVATE_NAMES = (".local", ".internal", ".localhost", ".home.arpa", ".lan")
