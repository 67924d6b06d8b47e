"""The keeper: starts a job's worker, waits for it, and writes down how it ended, server or no server.

Standing by, it ends when the server does. Assigned, it belongs to the job: it outlives the server,
passes a stop on in three steps, enforces the limits and leaves no process behind.
Standard library only: it lives as long as the job and costs about 10 MB.
Not here: the job's own work (``worker``) and what its end means (``core``).
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from resource import struct_rusage
from typing import Any

from mlops_jupyter.training import container, processes
from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.output import trim
from mlops_jupyter.training.processes import Identity
from mlops_jupyter.training.silence import Silence, sign_of_life
from mlops_jupyter.training.standby import Assignment, Worker, libc, say, stand_by, start_worker, tail
from mlops_jupyter.training.tree import resume, suspend, sweep

#: Seconds after a stop was asked: a request the worker's code can answer, an order, the end.
STEPS = ((0.0, signal.SIGINT), (2.0, signal.SIGTERM), (10.0, signal.SIGKILL))
#: A server that adopts the job says so with this signal; nothing happens to what is no keeper.
ADOPTED = signal.SIGURG
#: Orders of the server. Sent to a process without them, neither does harm: nobody waits for its stop in a
#: session of its own. The kernel drops the one of them when the other comes: the last word holds.
PAUSE, RESUME = signal.SIGTSTP, signal.SIGCONT
HEARD = {signal.SIGCHLD, signal.SIGTERM, ADOPTED, PAUSE, RESUME}

_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Run as ``python -I -S -c … root interpreter version recipe``: the server's socket is stdin, a file in
    memory takes the output until there is a job."""
    # A stop comes as SIGTERM only: Ctrl-C and a closed terminal are not meant for jobs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    owner = processes.identify(os.getppid())
    server = socket.socket(fileno=os.dup(0))
    _close_others(server.fileno())
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.chdir("/")
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    interpreter, version, recipe = sys.argv[2:5]
    worker = start_worker(interpreter, version, recipe)
    # The worker keeps the user's umask; what the keeper makes is the user's alone.
    os.umask(0o077)
    assignment = stand_by(server, worker)
    if assignment is None:
        sweep(grace=0)
    else:
        keep(server, owner, worker, assignment)


def keep(server: socket.socket, owner: Identity | None, worker: Worker, assignment: Assignment) -> None:
    """Claim the job, run it and write its end; or say why not."""
    folder = Path(assignment.folder)
    try:
        if not Path(assignment.cwd).is_dir():
            return _refuse(server, "cwd", assignment.cwd)
        claim = claim_journal(folder / "journal")
        output = os.open(folder / "output.log", os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except (FileExistsError, BlockingIOError) as error:
        return _refuse(server, "taken", str(error))
    except OSError as error:
        return _refuse(server, "folder", str(error))
    os.dup2(output, 1)
    os.dup2(output, 2)
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    job = Keeping(worker.pid, owner, assignment, output)
    job.tell("keeper_started", **job.identity)
    say(worker.channel, folder=str(folder), cwd=assignment.cwd, began=job.began)
    worker.channel.close()
    say(server, word="started", **job.identity)
    server.close()
    job.run()
    # Held to the very end: whoever can take it knows that nobody keeps this job.
    os.close(claim)
    return None


def claim_journal(path: Path) -> int:
    """Create the journal: only one keeper ever can, so a job is run at most once. Lock it, so that
    another machine or container that sees the folder but not our processes knows that we live."""
    claim = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        # Some network file systems have no locks. The claim stands all the same.
        sys.stderr.write(f"keeper: the journal could not be locked: {error}\n")
    return claim


class Keeping:
    """A keeper at work: one job, one worker."""

    def __init__(self, worker: int, owner: Identity | None, assignment: Assignment, output: int) -> None:
        self.began = time.monotonic()
        itself = processes.identify(os.getpid())
        self.identity: dict[str, Any] = itself._asdict() if itself else {}
        self._worker = worker
        self._owner = owner
        self._assignment = assignment
        self._output = output
        self._writer = Writer(Path(assignment.folder) / "journal")
        self._oom_kills = container.oom_kills()
        standby = processes.status(worker)
        # What the worker spent on standing by is not the job's.
        self._cpu_seconds = -standby.cpu_seconds if standby else 0.0
        self._peak = 0
        self._sample_due = self.began
        self._orphan_since: float | None = None
        self._timed_out = False
        self._orphaned = False
        self._stop_asked: float | None = None
        self._paused_at: float | None = None
        self._paused_for = 0.0
        self._silence = Silence()
        self._steps = list(STEPS)

    def tell(self, fact: str, **fields: Any) -> None:
        """Append a fact of ``core.facts``, which is not imported: its package is no standard library."""
        now = {"time": time.time(), "elapsed": time.monotonic() - self.began}
        self._writer.append(json.dumps({"fact": fact, **now, **fields}).encode())

    def run(self) -> None:
        """Until the worker has ended, nothing of it is left and the journal says so."""
        while (code := self._reap()) is None:
            now = time.monotonic()
            if now >= self._sample_due:
                self._sample(now)
            self._enforce_limits(now)
            self._escalate(now)
            heard = signal.sigtimedwait(HEARD, self._patience(time.monotonic()))
            if heard and heard.si_signo == signal.SIGTERM:
                self._stop()
            elif heard and heard.si_signo == PAUSE:
                self._pause()
            elif heard and heard.si_signo == RESUME:
                self._resume()
            elif heard and heard.si_signo == ADOPTED:
                self._owner = processes.identify(heard.si_pid)
        for usage in sweep():
            self._add(usage)
        self.tell(
            "worker_ended",
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            oom_kills=max(container.oom_kills() - self._oom_kills, 0),
            timed_out=self._timed_out,
            orphaned=self._orphaned,
            stopped=self._stop_asked is not None and not (self._timed_out or self._orphaned),
            cpu_seconds=round(max(self._cpu_seconds, 0.0), 3),
            peak_memory_bytes=self._peak or None,
            memory_limit_bytes=container.memory_limit(),
            log_tail=tail(self._output),
            paused_for=self._pause_so_far(time.monotonic()),
        )
        self._save()

    def _save(self) -> None:
        self._writer.write_out()
        try:
            self._writer.sync()
        except OSError as error:
            sys.stderr.write(f"keeper: the journal is not safe from a power loss: {error}\n")

    def _reap(self) -> int | None:
        """Exit code of the worker, negative for a signal; None while it runs."""
        while True:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return None
            self._add(usage)
            if pid == self._worker:
                return os.waitstatus_to_exitcode(status)

    def _add(self, usage: struct_rusage) -> None:
        self._cpu_seconds += usage.ru_utime + usage.ru_stime
        self._peak = max(self._peak, usage.ru_maxrss * 1024)

    def _sample(self, now: float) -> None:
        trim(self._output)
        tree = processes.descendants(os.getpid())
        self._peak = max(self._peak, processes.memory(tree))
        # What is paused keeps still because it was asked to.
        change = None if self._paused_at is not None else self._silence.look(now, sign_of_life(tree))
        if change is not None:
            self.tell(f"worker_{change}")
        if self._owner is not None and processes.lives(self._owner):
            self._orphan_since = None
        elif self._orphan_since is None:
            self._orphan_since = now
        # At most 1% of a core, however large the tree.
        self._sample_due = now + max(1.0, 100 * (time.monotonic() - now))

    def _enforce_limits(self, now: float) -> None:
        if self._stop_asked is not None:
            return
        timeout, orphan_ttl = self._assignment.timeout, self._assignment.orphan_ttl
        worked = now - self.began - self._paused_for - self._pause_so_far(now)
        self._timed_out = timeout is not None and worked >= timeout
        orphan_since = now if self._orphan_since is None else self._orphan_since
        alone = self._orphan_since is not None
        self._orphaned = alone and orphan_ttl is not None and now - orphan_since >= orphan_ttl
        if self._timed_out or self._orphaned:
            self._stop()

    def _stop(self) -> None:
        # What is suspended could not answer.
        self._resume()
        if self._stop_asked is None:
            self._stop_asked = time.monotonic()

    def _pause(self) -> None:
        """Told once nothing runs: whatever the worker tells afterwards was after the pause."""
        if self._paused_at is None and self._stop_asked is None:
            suspend()
            self._silence = Silence()
            self._paused_at = time.monotonic()
            self.tell("worker_paused")

    def _resume(self) -> None:
        if self._paused_at is not None:
            paused = self._pause_so_far(time.monotonic())
            self.tell("worker_resumed", paused_for=paused)
            self._paused_for += paused
            self._paused_at = None
            resume()

    def _pause_so_far(self, now: float) -> float:
        return 0.0 if self._paused_at is None else now - self._paused_at

    def _escalate(self, now: float) -> None:
        while self._stop_asked is not None and self._steps and now - self._stop_asked >= self._steps[0][0]:
            _, step = self._steps.pop(0)
            os.kill(self._worker, step)
            # A suspended worker could not answer.
            os.kill(self._worker, signal.SIGCONT)

    def _patience(self, now: float) -> float:
        """Seconds until there is something to do even if nothing happens."""
        due = [self._sample_due]
        if self._stop_asked is not None:
            due += [self._stop_asked + after for after, _ in self._steps[:1]]
        elif self._assignment.timeout is not None and self._paused_at is None:
            due.append(self.began + self._paused_for + self._assignment.timeout)
        return max(min(due) - now, 0.0)


def _refuse(server: socket.socket, why: str, detail: str) -> None:
    sweep(grace=0)
    say(server, word="refused", why=why, detail=detail)


def _close_others(kept: int) -> None:
    """Close what the server left open: a pipe held here would keep somebody waiting for its end."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - pathlib would open one more
        if int(name) > 2 and int(name) != kept:
            try:
                os.close(int(name))
            except OSError:
                continue
