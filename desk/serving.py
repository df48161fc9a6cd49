"""The web server of the desk, in this process and this event loop, until told to stop."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Callable

from granian.constants import Interfaces
from granian.server.embed import Server

from core.errors import ConfigurationError
from desk.supervisor import Child, frontdesk_command


def check_address(host: str, port: int) -> None:
    """Raise ConfigurationError when nobody may listen there, or somebody does already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except (OSError, OverflowError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            foreign = isinstance(error, socket.gaierror | UnicodeError)
            if foreign or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
                raise ConfigurationError(
                    f"desk.host: {host} is no address of this machine ({reason}).",
                    cure='Example: host = "127.0.0.1", or "0.0.0.0" for all its addresses',
                ) from error
            raise ConfigurationError(
                f"desk.port: nothing can listen on {host}:{port} ({reason}).",
                cure="Stop what listens there, or choose another. Example: port = 8081",
            ) from error


def side_by_side(processes: int, host: str, port: int) -> list[Child]:
    """Processes that draw pages at one address; the system shares the visitors out among them.

    Only Linux does (socket(7), SO_REUSEPORT); elsewhere it is one.
    """
    count = processes if sys.platform == "linux" else 1
    arguments = frontdesk_command("desk", "--host", host, "--port", str(port))
    return [Child(f"desk {number}" if count > 1 else "desk", arguments) for number in range(1, count + 1)]


def serve(application: object, host: str, port: int, ready: Callable[[Callable[[], None]], None]) -> None:
    """Serve an ASGI application at an address that has been checked; `ready` is given the function that stops
    it, callable from any thread."""
    logging.getLogger("_granian").setLevel(logging.ERROR)
    asyncio.run(_serve(application, host, port, ready))


async def _serve(
    application: object, host: str, port: int, ready: Callable[[Callable[[], None]], None]
) -> None:
    server = Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.call_soon_threadsafe(server.stop)

    ready(stop)
    await server.serve()
