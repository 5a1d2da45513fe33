"""One of a list, to be chosen in a form; or none yet."""

from collections.abc import Sequence

from textual.widgets import Select


def choice(
    options: Sequence[tuple[str, str]],
    chosen: str | None,
    *,
    prompt: str = "choose",
    id: str | None = None,
) -> Select[str]:
    """A field of (label, value); what is chosen and no longer among them is not chosen."""
    value = chosen if chosen in {value for _, value in options} else Select.NULL
    return Select(options, prompt=prompt, value=value, id=id, compact=True)


def chosen_in(select: Select[str]) -> str | None:
    """What is chosen; None for nothing."""
    return select.value if isinstance(select.value, str) else None
