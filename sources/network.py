"""Connections with a guard: only addresses that were checked, and never past the deadline."""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import httpcore

from sources.base import SourceError, Stopped

if TYPE_CHECKING:
    import ssl

Resolve = Callable[..., list[Any]]
"""Shaped like `socket.getaddrinfo`."""

SLICE = 0.25  # seconds between two looks at the stop signal while waiting for bytes
MAX_ADDRESSES = 4  # of one name, tried in turn
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")  # RFC 8215: never public


class Transient(SourceError):  # noqa: N818 (an attribute of the fault)
    """A fault that the next try may not meet."""


class Budget:
    """The time one request may take, whatever the server does: so many seconds from now."""

    def __init__(self, seconds: float, stopping: Callable[[], bool]) -> None:
        self.stopping = stopping
        self._ends = time.monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """Time that we took for ourselves is not the server's."""
        self._ends += seconds

    def clip(self, wanted: float) -> float:
        """At most `wanted` seconds of what is left; raises once nothing is, or on a stop."""
        if self.stopping():
            raise Stopped
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return max(min(wanted, left), 0.001)


def is_public(address: str) -> bool:
    """Whether an address is one that anybody on the internet can reach.

    Addresses that carry an IPv4 address inside (mapped, 6to4, Teredo, NAT64) are as public as
    that one is.
    """
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.is_site_local or ip in NAT64_LOCAL:
            return False
        inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in NAT64:
            inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        carried = [str(each) for each in inner if each is not None]
        if carried:
            return all(is_public(each) for each in carried)
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def look_up(host: str, port: int, resolve: Resolve, budget: Budget, timeout: float) -> list[str]:
    """The addresses of a name, in the order to try them.

    In a thread of its own, because the system's look-up cannot be interrupted.
    """
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    ends = time.monotonic() + timeout
    while time.monotonic() < ends:
        with contextlib.suppress(queue.Empty):
            found = answers.get(timeout=budget.clip(SLICE))
            if isinstance(found, Exception) or not found:
                raise Transient(
                    f"{host} has no address: check the spelling, or this machine's name service"
                )
            return list(dict.fromkeys(str(each[4][0]) for each in found))
    raise Transient(f"the address of {host} could not be looked up within {timeout:g} s")


def refuse_private(host: str, addresses: list[str]) -> None:
    """Raise when one of a name's addresses is not public; a mixed answer is a trick."""
    private = [address for address in addresses if not is_public(address)]
    if private:
        raise SourceError(
            f"{host} is at {private[0]}, which is not a public address; if that is meant, "
            "set allow_private_addresses = true for this source",
            permanent=private == [host],
        )


class GuardedStream(httpcore.NetworkStream):
    """A connection whose reads end at the deadline and notice the stop signal."""

    def __init__(self, stream: httpcore.NetworkStream, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes; ReadTimeout after `timeout` seconds of silence."""
        ends = time.monotonic() + (timeout or 0)
        while True:
            wait = self._budget.clip(min(SLICE, max(ends - time.monotonic(), 0)))
            try:
                return self._stream.read(max_bytes, wait)
            except httpcore.ReadTimeout:
                if time.monotonic() >= ends:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        self._stream.write(buffer, self._budget.clip(timeout or 0))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        wait = self._budget.clip(timeout or 0)
        stream = self._stream.start_tls(ssl_context, server_hostname, wait)
        return GuardedStream(stream, self._budget)

    def get_extra_info(self, info: str) -> Any:
        """Whatever the connection below knows."""
        return self._stream.get_extra_info(info)


class GuardedBackend(httpcore.NetworkBackend):
    """Looks a name up once, checks every address, and connects to an address it has checked.

    The name is not looked up again to connect, so a name server that changes its answer between
    the check and the connection gains nothing.
    """

    def __init__(self, budget: Budget, resolve: Resolve, *, allow_private: bool) -> None:
        self._budget = budget
        self._resolve = resolve
        self._allow_private = allow_private
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect within `timeout` seconds, shared by all addresses of the name."""
        ends = time.monotonic() + (timeout or 0)
        addresses = look_up(host, port, self._resolve, self._budget, timeout or 0)
        if not self._allow_private:
            refuse_private(host, addresses)
        addresses = addresses[:MAX_ADDRESSES]
        for left in range(len(addresses), 0, -1):
            share = self._budget.clip(max(ends - time.monotonic(), 0) / left)
            try:
                stream = self._plain.connect_tcp(
                    addresses[-left], port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
            else:
                return GuardedStream(stream, self._budget)
        raise AssertionError
