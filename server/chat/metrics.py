"""What the chat counts: messages, by what became of them."""

from functools import cache

from prometheus_client import Counter

from server.chat.service import Sent
from server.platform.errors import Refusal

SENDS = Counter(
    "picky_sends",
    "Messages that people sent: acknowledged, duplicate, unavailable, or refused by this code.",
    ["outcome"],
)


def count_send(answer: Sent | Exception) -> str:
    """Count an answer, given after its commit; what it is counted as."""
    outcome = _outcome(answer)
    _sends(outcome).inc()
    return outcome


@cache
def _sends(outcome: str) -> Counter:
    """To find a counter by its labels costs six times what it does to count."""
    return SENDS.labels(outcome)


def _outcome(answer: Sent | Exception) -> str:
    if isinstance(answer, Sent):
        return "duplicate" if answer.duplicate else "acknowledged"
    return answer.code if isinstance(answer, Refusal) else "unavailable"
