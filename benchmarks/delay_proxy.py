"""A proxy between browser and server that hands everything on a fixed time later, in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CHUNK = 1 << 16


@contextmanager
def delaying_proxy(port: int, seconds: float) -> Iterator[int]:
    """Listen on a free port and hand everything on to `port` and back, each chunk `seconds` after it came.

    Yields the port that it listens on.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_serve(port, seconds), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        asyncio.run_coroutine_threadsafe(_cancel_connections(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _serve(port: int, seconds: float) -> asyncio.Server:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(asyncio.CancelledError):  # when the proxy ends
            await asyncio.gather(_pass_on(reader, there_writer, seconds), _pass_on(there_reader, writer, seconds))

    return await asyncio.start_server(connect, "127.0.0.1", 0)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Write what is read, each chunk when its time has come and in order."""
    loop = asyncio.get_running_loop()

    def write(chunk: bytes) -> None:
        if not writer.is_closing():
            writer.write(chunk) if chunk else writer.close()

    try:
        while chunk := await reader.read(CHUNK):
            loop.call_later(seconds, write, chunk)
    except ConnectionError:
        pass
    loop.call_later(seconds, write, b"")


async def _cancel_connections() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
