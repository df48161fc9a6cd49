"""The web server of the desk, in this process and this event loop, until told to stop."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from granian.constants import Interfaces
from granian.server.embed import Server

from core.errors import ConfigurationError


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


def serve(application: object, host: str, port: int, ready: Callable[[Callable[[], None]], None]) -> None:
    """Serve an ASGI application; `ready` is given the function that stops it, callable from any thread."""
    check_address(host, port)
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
