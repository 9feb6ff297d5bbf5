"""The address that a server listens on."""

import asyncio
import socket

import pytest

from seesay.errors import ResourceError
from seesay.server.run import address_of, listen
from seesay.settings import ServeSettings


def test_replies_are_not_held_back() -> None:
    """A reply is a head and a body, one after the other: the second must not wait for the client to acknowledge the first."""

    async def accepted() -> int:
        nodelay: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            taken = writer.get_extra_info("socket")
            nodelay.set_result(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listening = listen(ServeSettings(port=0))
        server = await asyncio.start_server(connected, sock=listening)
        _, writer = await asyncio.open_connection(*listening.getsockname())
        found = await nodelay
        writer.close()
        server.close()
        return found

    assert asyncio.run(accepted())


def test_an_address_that_is_taken_is_said() -> None:
    with listen(ServeSettings(port=0)) as taken:
        port = taken.getsockname()[1]
        assert address_of(taken) == f"http://127.0.0.1:{port}"
        with pytest.raises(ResourceError, match="in use") as refused:
            listen(ServeSettings(port=port))
        assert refused.value.where == f"127.0.0.1:{port}"
