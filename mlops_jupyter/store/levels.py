"""The points of jobs, and levels of fewer: each keeps what tells of runs twice as long as the level below.

A run is so many points measured one after the other, whatever their steps. What tells of it are its lowest
and its highest point and the first that is not finite. Of a run that is not full yet no level knows: what
tells of it is found in shorter runs and in the points themselves. So a run is written once and never changed.
"""

from __future__ import annotations

import sqlite3
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from mlops_jupyter.core.series import Nonfinite, Point, Series

#: Points of a run of the lowest level: a power of two. Shorter runs are found in the points.
SHORTEST = 16
#: Points taken over at once from a database that knew no levels, or let go at once.
STRIDE = 10_000

#: A point that tells of a run: step, value, what kind of number that is, seconds.
_PACKED = struct.Struct("<qdBd")
#: The first stands for all that are finite.
_KINDS: tuple[Nonfinite | None, ...] = (None, "nan", "+inf", "-inf", None)
_UNKNOWN = 4


class _Extent(NamedTuple):
    """How many points a series has, those of its lowest and its highest step by their place in the order they
    were measured, and whether that is the order of their steps."""

    points: int
    first: int
    first_step: int
    last: int
    last_step: int
    rising: bool

    @classmethod
    def of(cls, points: Sequence[Point]) -> _Extent:
        steps = [point.step for point in points]
        end = len(steps) - 1
        if steps == sorted(steps):
            return cls(len(steps), 0, steps[0], end, steps[-1], rising=True)
        low, high = min(steps), max(steps)
        return cls(len(steps), steps.index(low), low, end - steps[::-1].index(high), high, rising=False)

    def followed(self, by: _Extent, step: int) -> _Extent:
        """With points that came later, the first of them at ``step``."""
        lower, higher = by.first_step < self.first_step, by.last_step >= self.last_step
        return _Extent(
            self.points + by.points,
            self.points + by.first if lower else self.first,
            by.first_step if lower else self.first_step,
            self.points + by.last if higher else self.last,
            by.last_step if higher else self.last_step,
            rising=self.rising and by.rising and step >= self.last_step,
        )


def add(db: sqlite3.Connection, job_id: str, points: Iterable[Point]) -> None:
    """Keep ``points``, in the order they were measured, and what tells of the runs they fill."""
    by_name: defaultdict[str, list[Point]] = defaultdict(list)
    for point in points:
        by_name[point.name].append(point)
    measured: list[tuple[Any, ...]] = []
    grown: list[tuple[Any, ...]] = []
    runs: list[tuple[Any, ...]] = []
    # Each table once, however many metrics there are: a job may have thousands.
    for name, fresh in by_name.items():
        extent = _Extent.of(fresh)
        row = db.execute(
            "SELECT number, count, first, first_step, last, last_step, rising "
            "FROM series WHERE job_id=? AND name=?",
            (job_id, name),
        ).fetchone()
        if row is None:
            count = 0
            number = db.execute(
                "INSERT INTO series VALUES (NULL,?,?,?,?,?,?,?,?)", (job_id, name, *extent)
            ).lastrowid
            assert number is not None
        else:
            number, count = row[:2]
            grown.append((*_Extent(*row[1:]).followed(extent, fresh[0].step), number))
        measured += [(number, n, p.step, p.value, p.nf, p.elapsed) for n, p in enumerate(fresh, count)]
        runs += _filled(db, number, name, count, fresh)
    db.executemany(
        "UPDATE series SET count=?, first=?, first_step=?, last=?, last_step=?, rising=? WHERE number=?",
        grown,
    )
    db.executemany("INSERT INTO measured VALUES (?,?,?,?,?,?)", measured)
    db.executemany("INSERT INTO levels VALUES (?,?,?,?)", runs)


def _filled(
    db: sqlite3.Connection, number: int, name: str, count: int, fresh: list[Point]
) -> list[tuple[int, int, int, bytes]]:
    """The rows of the runs that are full with the ``fresh`` points, which came after ``count``."""
    run, begun = divmod(count, SHORTEST)
    full = (begun + len(fresh)) // SHORTEST
    if not full:
        return []
    points = [*_points(db, number, name, count - begun, count), *fresh]
    runs = [telling(points[n * SHORTEST : (n + 1) * SHORTEST]) for n in range(full)]
    level, rows = 0, []
    while runs:
        rows += [(number, level, n, _packed(told)) for n, told in enumerate(runs, run)]
        if run % 2:
            # The other half of the first run of the next level was kept before.
            run -= 1
            runs.insert(0, kept(db, number, name, level, run, run + 1))
        runs = [telling([*one, *other]) for one, other in zip(runs[::2], runs[1::2], strict=False)]
        level, run = level + 1, run // 2
    return rows


def telling(points: Sequence[Point]) -> list[Point]:
    """The lowest, the highest and the first not finite of ``points``, in their order; of equals the first."""
    values = [point.value for point in points]
    finite = [value for value in values if value is not None]
    telling = {values.index(min(finite)), values.index(max(finite))} if finite else set()
    if len(finite) < len(values):
        telling.add(values.index(None))
    return [points[index] for index in sorted(telling)]


class Measured(NamedTuple):
    """One metric of a job, as long as it is now; ``rising``: measured in the order of its steps."""

    name: str
    number: int
    length: int
    rising: bool


def measured(db: sqlite3.Connection, job_id: str) -> list[Measured]:
    """All metrics of a job."""
    rows = db.execute(
        "SELECT name, number, count, rising FROM series WHERE job_id=? ORDER BY name", (job_id,)
    )
    return [Measured(name, number, count, bool(rising)) for name, number, count, rising in rows]


def stretch(db: sqlite3.Connection, of: Measured, start: int, end: int) -> list[Point]:
    """Points of a metric by their place in the order they were measured: these never change."""
    return list(_points(db, of.number, of.name, start, end))


def forget_some(db: sqlite3.Connection, job_id: str) -> None:
    """Let a stride of a job's points go, or a series that has none any more.

    What a series is called by goes last: the next one to get its number must find nothing under it."""
    (number,) = db.execute("SELECT min(number) FROM series WHERE job_id=?", (job_id,)).fetchone()
    for table, place in (("measured", "n"), ("levels", "level, run")):
        gone = db.execute(
            f"DELETE FROM {table} WHERE series=?1 AND ({place}) IN "  # noqa: S608 - both of them ours
            f"(SELECT {place} FROM {table} WHERE series=?1 LIMIT ?2)",
            (number, STRIDE),
        )
        if gone.rowcount:
            return
    db.execute("DELETE FROM series WHERE number=?", (number,))


def ownerless(db: sqlite3.Connection) -> list[str]:
    """Jobs that are gone, of which there are points."""
    rows = db.execute("SELECT DISTINCT job_id FROM series WHERE job_id NOT IN (SELECT job_id FROM jobs)")
    return [job_id for (job_id,) in rows]


def forget(db: sqlite3.Connection, job_id: str) -> None:
    """Let all points of a job go."""
    for table in ("measured", "levels"):
        db.execute(
            f"DELETE FROM {table} WHERE series IN (SELECT number FROM series WHERE job_id=?)",  # noqa: S608
            (job_id,),
        )
    db.execute("DELETE FROM series WHERE job_id=?", (job_id,))


def series(db: sqlite3.Connection, job_id: str, buckets: int | None) -> dict[str, Series]:
    """Every metric of a job, by rising step. With ``buckets``, a series longer than twice that is reduced to
    what tells of runs of equally many points, at least ``buckets`` of them and at most twice as many, and the
    points of the lowest and the highest step: no spike is lost."""
    found = db.execute(
        "SELECT name, number, count, first, last, rising FROM series WHERE job_id=? ORDER BY name", (job_id,)
    ).fetchall()
    return {
        name: Series(
            count=count,
            points=tuple(
                _points(db, number, name, 0, count, "n" if rising else "step, n")
                if buckets is None or count <= 2 * buckets
                else _reduced(db, number, name, count, buckets, (first, last))
            ),
        )
        for name, number, count, first, last, rising in found
    }


def _reduced(
    db: sqlite3.Connection, number: int, name: str, count: int, buckets: int, ends: tuple[int, int]
) -> list[Point]:
    length = longest(count, buckets)
    points = sorted(_all_telling(db, number, name, count, length), key=attrgetter("step"))
    first, last = (next(_points(db, number, name, n, n + 1)) for n in ends)
    return with_ends(points, first, last)


def longest(count: int, buckets: int) -> int:
    """How long runs are: the highest power of two of which enough are full."""
    return 1 << (count // buckets).bit_length() - 1


def with_ends(points: list[Point], first: Point, last: Point) -> list[Point]:
    """``points`` by rising step, and those of the lowest and the highest."""
    # Where they are among these, they are at the ends: of equal steps the order is that of measuring.
    return [
        *([] if points[0] == first else [first]),
        *points,
        *([] if points[-1] == last else [last]),
    ]


def _all_telling(db: sqlite3.Connection, number: int, name: str, count: int, length: int) -> Iterator[Point]:
    """What tells of each run of ``length`` points, in the order they were measured."""
    if length < SHORTEST:
        points = list(_points(db, number, name, 0, count))
        for start in range(0, count, length):
            yield from telling(points[start : start + length])
        return
    level = (length // SHORTEST).bit_length() - 1
    yield from kept(db, number, name, level, 0, count // length)
    rest: list[Point] = []
    for below in range(level - 1, -1, -1):
        run = count // (SHORTEST << below)
        if run % 2:
            rest += kept(db, number, name, below, run - 1, run)
    rest += _points(db, number, name, count - count % SHORTEST, count)
    yield from telling(rest)


def kept(db: sqlite3.Connection, number: int, name: str, level: int, start: int, end: int) -> list[Point]:
    """What tells of some runs of a level, all of them full."""
    rows = db.execute(
        "SELECT telling FROM levels WHERE series=? AND level=? AND run>=? AND run<? ORDER BY run",
        (number, level, start, end),
    )
    return [
        Point(name=name, step=step, value=None if kind else value, nf=_KINDS[kind], elapsed=elapsed)
        for step, value, kind, elapsed in _PACKED.iter_unpack(b"".join([telling for (telling,) in rows]))
    ]


def _packed(points: Sequence[Point]) -> bytes:
    return b"".join(
        [
            _PACKED.pack(p.step, p.value, 0, p.elapsed)
            if p.value is not None
            else _PACKED.pack(p.step, 0.0, _KINDS.index(p.nf) or _UNKNOWN, p.elapsed)
            for p in points
        ]
    )


def _points(
    db: sqlite3.Connection, number: int, name: str, start: int, end: int, order: str = "n"
) -> Iterator[Point]:
    rows = db.execute(
        f"SELECT step, value, nf, elapsed FROM measured "  # noqa: S608 - constant
        f"WHERE series=? AND n>=? AND n<? ORDER BY {order}",
        (number, start, end),
    )
    return (Point(name=name, step=s, value=v, nf=nf, elapsed=e) for s, v, nf, e in rows)


def take_over(db: sqlite3.Connection) -> None:
    """Bring the points of a database that knew no levels here, as they were measured."""
    rows = db.execute("SELECT job_id, name, step, value, nf, elapsed FROM points ORDER BY rowid")
    while stride := rows.fetchmany(STRIDE):
        by_job: defaultdict[str, list[Point]] = defaultdict(list)
        for job_id, name, step, value, nf, elapsed in stride:
            by_job[job_id].append(Point(name=name, step=step, value=value, nf=nf, elapsed=elapsed))
        for job_id, points in by_job.items():
            add(db, job_id, points)
    db.execute("DROP TABLE points")
