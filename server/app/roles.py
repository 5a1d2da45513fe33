"""What each role does, so that the same program is one process on a laptop or many in a fleet."""

from enum import StrEnum


class Role(StrEnum):
    """What this process does; ``all`` is the whole market in one process."""

    ALL = "all"
    API = "api"
    REALTIME = "realtime"
    WORKER = "worker"

    def serves(self, part: "Role") -> bool:
        """Whether a process of this role does the work of ``part``."""
        return self in (Role.ALL, part)
