"""Ids of what people name, read aloud and type: a letter for the kind, and twelve of an alphabet."""

from __future__ import annotations

import secrets

#: Without vowels and look-alikes.
ALPHABET = "23456789bcdfghjkmnpqrstvwxz"


def new_id(kind: str) -> str:
    """``j-…`` of a job; ``d`` of a dataset, ``u`` an upload, ``p`` a pipeline, ``e`` an endpoint."""
    return f"{kind}-" + "".join(secrets.choice(ALPHABET) for _ in range(12))
