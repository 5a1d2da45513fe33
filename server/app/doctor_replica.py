"""Whether the replica is one of this database, and near enough to be asked."""

import asyncio
import time

from server.app.findings import Finding, bad, good
from server.platform.database_state import identity
from server.platform.failures import DATABASE_FAILURES
from server.platform.replica import Replica

_ANSWERS_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.1
_NAME_ANOTHER = "let PICKY_DATABASE_REPLICA_URL name a streaming replica of PICKY_DATABASE_URL"


async def examine_replica(replica: Replica, most_behind_s: float) -> Finding:
    """Whose copy it is, and how long it takes to have what the primary has now."""
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN_S):
            wrong = await _is_another(replica)
        return wrong or await _how_far(replica, most_behind_s)
    except TimeoutError:
        reason = f"nothing is answered within {_ANSWERS_WITHIN_S:.0f} s"
    except DATABASE_FAILURES as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
    mend = "start it, or correct PICKY_DATABASE_REPLICA_URL; the primary does its work meanwhile"
    return bad("replica", f"it cannot be reached: {reason}", mend)


async def _is_another(replica: Replica) -> Finding | None:
    primary, copy = [
        await identity(engine) for engine in (replica.probes.primary, replica.probes.replica)
    ]
    if not copy.replica:
        return bad("replica", "it is not in recovery: it copies nobody", _NAME_ANOTHER)
    if None not in (primary.system, copy.system) and primary.system != copy.system:
        return bad("replica", "it is a copy of another server than the primary", _NAME_ANOTHER)
    if primary.database != copy.database:
        state = f"it shows the database {copy.database}, and the primary {primary.database}"
        return bad("replica", state, "name the same database in both addresses")
    return None


async def _how_far(replica: Replica, most_behind_s: float) -> Finding:
    written, began = await replica.written(), time.monotonic()
    while True:
        missing, took = written - await replica.replayed(), time.monotonic() - began
        if missing <= 0:
            return good("replica", f"reachable, with all of the primary after {took:.1f} s")
        if took > most_behind_s:
            break
        await asyncio.sleep(_LOOK_EVERY_S)
    return bad(
        "replica",
        f"it is more than {most_behind_s:g} s behind: {missing} bytes of the log are to come",
        "see in its log whether it hears the primary, or raise PICKY_DATABASE_REPLICA_LAG_S",
    )
