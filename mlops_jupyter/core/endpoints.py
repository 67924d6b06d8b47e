"""An endpoint: where the deployed version of a model of one name answers. Pure.

Not here: the process that answers (``serving``), and what is asked of it (``rows``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from mlops_jupyter.core.errors import ModelStateError

#: So many versions back can be gone.
HISTORY = 20


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The record: body of ``GET endpoints/{id}``. One a name that was ever deployed; unknown is null.

    ``model_id`` is the version that answers, ``next_model_id`` the one that is being started: until it
    answers, the one before does. ``status`` is about the newest wish; a new version that could not be started
    leaves it at ``deployed``, with the ``error``. ``quarantined``: the model's process crashed again and
    again, and is started no more until somebody deploys anew. ``history`` are the versions that answered
    before, the last of them is what a rollback brings back. ``owner`` is the server that keeps it ready."""

    endpoint_id: str
    name: str
    status: Literal["deploying", "deployed", "failed", "undeployed"]
    created: datetime
    changed: datetime
    model_id: str | None = None
    version: int | None = None
    next_model_id: str | None = None
    history: tuple[str, ...] = ()
    error: str | None = None
    quarantined: bool = False
    by: str | None = None
    owner: str | None = None

    @property
    def wanted(self) -> bool:
        """Whether a version is to answer here."""
        return self.model_id is not None or self.next_model_id is not None

    @property
    def url(self) -> str:
        """Where to ask, below the server's ``base_url``."""
        return f"mlops/api/endpoints/{self.endpoint_id}/predict"


def wished(endpoint: Endpoint, model_id: str, at: datetime, by: str, owner: str) -> Endpoint:
    """Somebody wants this version to answer."""
    return replace(
        endpoint,
        status="deploying",
        next_model_id=model_id,
        changed=at,
        error=None,
        quarantined=False,
        by=by,
        owner=owner,
    )


def answering(endpoint: Endpoint, version: int | None, at: datetime) -> Endpoint:
    """The wished version answers; the one before can be gone back to, unless this was the way back."""
    new, old = endpoint.next_model_id, endpoint.model_id
    assert new is not None
    if endpoint.history and endpoint.history[-1] == new:
        history = endpoint.history[:-1]
    elif old is None or old == new:
        history = endpoint.history
    else:
        history = (*endpoint.history, old)[-HISTORY:]
    return replace(
        endpoint,
        status="deployed",
        model_id=new,
        version=version,
        next_model_id=None,
        history=history,
        changed=at,
        error=None,
        quarantined=False,
    )


def not_started(endpoint: Endpoint, error: str, at: datetime) -> Endpoint:
    """The wished version cannot answer: what did before still does."""
    status: Literal["deployed", "failed"] = "failed" if endpoint.model_id is None else "deployed"
    return replace(endpoint, status=status, next_model_id=None, error=error, changed=at)


def given_up(endpoint: Endpoint, error: str, at: datetime) -> Endpoint:
    """The version that answered crashed too often."""
    return replace(endpoint, status="failed", error=error, quarantined=True, changed=at)


def withdrawn(endpoint: Endpoint, at: datetime, by: str) -> Endpoint:
    """Nobody wants an answer here any more; deployed again, the version can be rolled back to."""
    history = endpoint.history
    if endpoint.model_id is not None:
        history = (*history, endpoint.model_id)[-HISTORY:]
    return replace(
        endpoint,
        status="undeployed",
        model_id=None,
        version=None,
        next_model_id=None,
        history=history,
        changed=at,
        error=None,
        quarantined=False,
        by=by,
    )


def before(endpoint: Endpoint) -> str:
    """The version a rollback brings back."""
    if not endpoint.history:
        raise ModelStateError(
            f"{endpoint.name} has no version to roll back to: none was deployed before this one.",
            code="mlops.models()",
        )
    return endpoint.history[-1]
