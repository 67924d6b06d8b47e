"""What follows from a fact: orders, in the imperative. Not here: performing them (``supervisor``)."""

from __future__ import annotations

from typing import Literal

import msgspec

from mlops_jupyter.core import events
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.models import Model


class Publish(msgspec.Struct, frozen=True):
    """Store this event and send it to everybody. A ``tick`` may be left out for a later one."""

    event: events.Event
    tick: bool = False


Order = Literal["stop", "pause", "resume"]


class Signal(msgspec.Struct, frozen=True):
    """Give the job's keeper an order."""

    job_id: str
    order: Order = "stop"


class Register(msgspec.Struct, frozen=True):
    """The job is complete and its model file whole: keep the model's record, under the next version of its
    name."""

    model: Model


Consequence = Publish | Signal | Register
Step = tuple[Job, list[Consequence]]
