"""Time that passes in a run of faults: always until something happens, or is over."""

import asyncio


async def came(event: asyncio.Event, within_s: float) -> bool:
    """Wait for the event, but no longer than that; tell whether it came."""
    try:
        await asyncio.wait_for(event.wait(), within_s)
    except TimeoutError:
        return False
    return True
