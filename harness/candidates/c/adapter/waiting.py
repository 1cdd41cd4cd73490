"""Waiting for something to become true, in one thread of asyncio."""

import asyncio


class Changes:
    """`changed` wakes everybody who waits in `until`, and each looks again."""

    def __init__(self):
        self.waiters = set()

    def changed(self):
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, holds, seconds):
        """Whether it came to hold within the time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not holds():
            left = end - loop.time()
            if left <= 0:
                return False
            waiter = loop.create_future()
            self.waiters.add(waiter)
            try:
                await asyncio.wait_for(waiter, left)
            except asyncio.TimeoutError:
                return holds()
            finally:
                self.waiters.discard(waiter)
        return True
