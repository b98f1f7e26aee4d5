"""Calls a function within a named asyncio task; needs CPython 3.8."""
import asyncio


def run(name, function, *arguments):
    """Returns when the task has ended."""

    async def call():
        function(*arguments)

    async def tasks():
        await asyncio.create_task(call(), name=name)

    asyncio.run(tasks())
