"""The app's styles, parsed once for a theme."""

from textual.css.stylesheet import Stylesheet


class ParsedOnce(Stylesheet):
    """Textual's own parses everything anew whenever a screen or a theme comes, five times in a
    start; what it has parsed with the same variables still holds.
    """

    def set_variables(self, variables: dict[str, str]) -> None:
        """Forget what was parsed, if that used others."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse what was not, or with other variables.

        Raises what :meth:`parse` raises.
        """
        self.parse()
