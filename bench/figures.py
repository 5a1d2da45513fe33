"""Percentiles and CPU per operation, and how they are printed."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil


@dataclass(slots=True)
class Figures:
    """What one measurement showed: times in ms, and the CPU seconds of the server alone."""

    name: str
    samples: list[float] = field(default_factory=list)
    operations: int = 0
    server_cpu_s: float = 0.0
    database_cpu_s: float = 0.0
    note: str = ""

    @property
    def server_cpu_ms(self) -> float:
        """CPU of the server in ms an operation."""
        return self.server_cpu_s * 1000 / self._count

    @property
    def database_cpu_ms(self) -> float:
        """CPU of the database server in ms an operation."""
        return self.database_cpu_s * 1000 / self._count

    @property
    def _count(self) -> int:
        return self.operations or len(self.samples) or 1

    def percentile(self, percent: float) -> float:
        """The value that `percent` of the samples do not exceed."""
        return percentile(self.samples, percent)


def percentile(samples: Sequence[float], percent: float) -> float:
    """The value that `percent` of the samples do not exceed; no number if there are none."""
    ordered = sorted(samples)
    return ordered[round(percent / 100 * (len(ordered) - 1))] if ordered else float("nan")


@dataclass(frozen=True, slots=True)
class Watched:
    """The processes whose CPU counts: the servers' and, where there is one, the database's."""

    servers: tuple[int, ...]
    database: int | None

    def server_cpu_s(self) -> float:
        """CPU seconds of the servers and their children so far."""
        return sum(map(tree_cpu_s, self.servers))

    def database_cpu_s(self) -> float:
        """CPU seconds of the database server so far; 0 for SQLite, which is in the server."""
        return tree_cpu_s(self.database) if self.database is not None else 0.0


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


@contextmanager
def measured(name: str, watched: Watched) -> Iterator[Figures]:
    """Count the CPU of the watched processes over the block."""
    figures = Figures(name)
    with counted(figures, watched):
        yield figures


@contextmanager
def counted(figures: Figures, watched: Watched) -> Iterator[None]:
    """Add the CPU of the watched processes over the block: a part of a measurement."""
    server, database = watched.server_cpu_s(), watched.database_cpu_s()
    yield
    figures.server_cpu_s += watched.server_cpu_s() - server
    figures.database_cpu_s += watched.database_cpu_s() - database


@contextmanager
def timed(figures: Figures) -> Iterator[None]:
    """Add the wall time of the block as a sample."""
    started = time.perf_counter()
    yield
    figures.samples.append((time.perf_counter() - started) * 1000)


HEADER = (
    "| measured | p50 ms | p95 ms | p99 ms | server CPU ms | database CPU ms | |",
    "|---|---:|---:|---:|---:|---:|---|",
)


def row(figures: Figures) -> str:
    """One line of the table."""
    cells = [_number(figures.percentile(percent)) for percent in (50, 95, 99)]
    cpu = [_number(figures.server_cpu_ms), _number(figures.database_cpu_ms)]
    return f"| {figures.name} | {' | '.join(cells)} | {' | '.join(cpu)} | {figures.note} |"


def _number(value: float) -> str:
    if value != value or value == 0.0:
        return ""
    return f"{value:.3f}" if abs(value) < 0.1 else f"{value:.2f}"
