"""A TCP proxy in front of PostgreSQL that counts round trips and breaks the network on request.

A round trip is a change of direction: the client sends after it has received (or as the first). It
can delay every byte, with jitter; pass on a few bytes at a time, slowly or split at odd places; fall
silent like a router that drops packets; cut all connections, on both sides or only on the server's
(half open); or refuse.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Traffic:
    """What passed the proxy."""

    round_trips: int = 0
    connections: int = 0
    to_server: int = 0
    to_client: int = 0


@dataclass(eq=False, slots=True)
class _Wire:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    client_spoke_last: bool = False
    loses_answer: bool = False
    half_open: bool = False
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class WireProxy:
    """Listens on loopback and passes everything on to ``target``."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.delay = 0.0
        """Seconds that every byte takes, each way."""
        self.jitter = 0.0
        """Up to so many seconds more; the order stays."""
        self.piece = 0
        """At most so many bytes at a time, a random number of them; 0: as they come."""
        self.pause = 0.0
        """Seconds between two pieces."""
        self.answers_lost = 0
        """Requests that the server got and whose answer the client did not."""
        self.traffic = Traffic()
        self.port = 0
        self._marker: bytes | None = None
        self._then_refuse = False
        self._passing = asyncio.Event()
        self._passing.set()
        self._server: asyncio.Server | None = None
        self._wires: set[_Wire] = set()
        self._handlers: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> tuple[str, int]:
        """Where clients connect to."""
        return ("127.0.0.1", self.port)

    @property
    def open_connections(self) -> int:
        return len(self._wires)

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut everything."""
        await self.refuse()
        self.speak()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    def fall_silent(self) -> None:
        """From now on nothing arrives, in either direction; connections stay open (a black hole)."""
        self._passing.clear()

    def speak(self) -> None:
        """Pass on again, what was held back first."""
        self._passing.set()

    def cut(self) -> None:
        """Close all connections at once, with a reset."""
        for wire in tuple(self._wires):
            for writer in (wire.client, wire.server):
                if writer is not None:
                    writer.transport.abort()

    def half_open(self) -> None:
        """The server's side of every connection ends; the client hears of it when it sends something."""
        for wire in tuple(self._wires):
            if wire.server is not None:
                wire.half_open = True
                wire.server.transport.abort()

    def reset_half_open(self) -> None:
        """Tell the clients of half-open connections that these are closed."""
        for wire in tuple(self._wires):
            if wire.half_open:
                wire.client.transport.abort()

    def lose_answer_to(self, marker: bytes, *, then_refuse: bool = False) -> None:
        """Pass on the next request that contains ``marker``, then cut its connection instead of answering.

        ``then_refuse``: from that moment on until ``accept`` nobody gets through, no second try either.
        """
        self._marker = marker
        self._then_refuse = then_refuse

    async def refuse(self) -> None:
        """Cut everything and refuse new connections until ``accept``."""
        self._stop_listening()
        self.cut()
        await asyncio.sleep(0)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def accept(self) -> None:
        """Take connections again, on the same port."""
        await self.start()

    def reset(self) -> None:
        """Count from zero."""
        self.traffic = Traffic(connections=self.traffic.connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        wire = _Wire(writer)
        self._wires.add(wire)
        self.traffic.connections += 1
        try:
            from_server, wire.server = await asyncio.open_connection(*self.target)
            wire.tasks = [
                asyncio.create_task(self._pass(reader, wire.server, wire, from_client=True)),
                asyncio.create_task(self._pass(from_server, writer, wire, from_client=False)),
            ]
            await asyncio.wait(wire.tasks, return_when=asyncio.FIRST_COMPLETED)
            if wire.half_open:
                await wire.tasks[0]
        except OSError:
            # The server is away: the client sees a closed connection.
            pass
        finally:
            for pump in wire.tasks:
                pump.cancel()
            await asyncio.gather(*wire.tasks, return_exceptions=True)
            self._wires.discard(wire)
            for end in (wire.client, wire.server):
                if end is not None:
                    end.transport.abort()
            self._handlers.discard(task)

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, wire: _Wire, *, from_client: bool
    ) -> None:
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        pending = [0]  # not written yet, the one that is being sent too
        loop = asyncio.get_running_loop()
        sender = asyncio.create_task(self._send(due, sink, pending))
        try:
            while data := await source.read(65536):
                self._count(wire, len(data), from_client=from_client)
                if from_client and wire.half_open:
                    return
                if from_client and self._marker is not None and self._marker in data:
                    self._marker, wire.loses_answer = None, True
                elif not from_client and wire.loses_answer:
                    self.answers_lost += 1
                    if self._then_refuse:
                        self._stop_listening()
                        self.cut()
                    return
                await self._passing.wait()
                if self.delay or self.piece or pending[0]:
                    pending[0] += 1
                    due.put_nowait((loop.time() + self.delay + random.uniform(0, self.jitter), data))
                else:
                    sink.write(data)
        except OSError:
            # Cut: the other direction ends with it.
            pass
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(
        self, due: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter, pending: list[int]
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            when, data = await due.get()
            while (rest := when - loop.time()) > 0 and self.delay:  # noqa: ASYNC110 - may be set anew
                await asyncio.sleep(min(rest, 0.05))
            while data:
                await self._passing.wait()
                size = random.randint(1, self.piece) if self.piece else len(data)
                sink.write(data[:size])
                data = data[size:]
                if data:
                    await asyncio.sleep(self.pause)
            pending[0] -= 1

    def _count(self, wire: _Wire, size: int, *, from_client: bool) -> None:
        if from_client:
            self.traffic.to_server += size
            if not wire.client_spoke_last:
                self.traffic.round_trips += 1
        else:
            self.traffic.to_client += size
        wire.client_spoke_last = from_client


@asynccontextmanager
async def wire_proxy(target: tuple[str, int]) -> AsyncIterator[WireProxy]:
    """``async with wire_proxy(("127.0.0.1", 5433)) as proxy: …``"""
    proxy = WireProxy(target)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
