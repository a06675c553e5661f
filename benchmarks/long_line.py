"""A proxy that is a long line: 50 ms of round trip, 11 Mbit/s for a connection, 200 Mbit/s in all.

`python benchmarks/long_line.py HOST PORT [RESET_AFTER]` prints its own port. After RESET_AFTER bytes have gone up,
every connection is reset once. What is modelled is a rate and a delay, no lost packets.
"""

from __future__ import annotations

import asyncio
import sys
import time

ROUND_TRIP = 0.05  # seconds
OF_ONE, OF_ALL = 11e6 / 8, 200e6 / 8  # bytes a second
BLOCK = 8192


class Bucket:
    """Bytes may pass at a rate; who takes some waits until they may."""

    def __init__(self, rate: float) -> None:
        self.rate, self.free_at = rate, 0.0

    async def take(self, size: int) -> None:
        now = time.monotonic()
        self.free_at = max(now, self.free_at) + size / self.rate
        await asyncio.sleep(max(0.0, self.free_at - now))


class Line:
    def __init__(self, host: str, port: int, reset_after: int) -> None:
        self.host, self.port, self.reset_after = host, port, reset_after
        self.whole = {"up": Bucket(OF_ALL), "down": Bucket(OF_ALL)}
        self.up = 0
        self.open: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        own: Bucket = Bucket(OF_ONE)
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)

        async def deliver() -> None:
            while True:
                due, data = await late.get()
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    writer.close()
                    return
                writer.write(data)
                await writer.drain()

        delivery = asyncio.create_task(deliver())
        try:
            while data := await reader.read(BLOCK):
                await own.take(len(data))
                await self.whole[way].take(len(data))
                if way == "up":
                    self.up += len(data)
                    if self.reset_after and self.up > self.reset_after:
                        self.reset_after = 0
                        for each in self.open:
                            each.transport.abort()
                await late.put((time.monotonic() + ROUND_TRIP / 2, data))
            await late.put((time.monotonic() + ROUND_TRIP / 2, b""))
            await delivery
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()  # reset or at the end: the other side is told
        finally:
            delivery.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(ROUND_TRIP)  # of the connection itself
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        self.open |= {writer}
        await asyncio.gather(
            self.carry(reader, far_writer, "up"), self.carry(far_reader, writer, "down"), return_exceptions=True
        )
        self.open -= {writer}


async def main() -> None:
    """Serve until the standard input ends."""
    line = Line(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0, limit=4 * BLOCK)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
