"""How alerts change a job: each is told once, and what is muted not at all. Not here: the rules."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_jupyter.core import events, facts
from mlops_jupyter.core.alerts import is_settled
from mlops_jupyter.core.consequences import Publish, Step
from mlops_jupyter.core.jobs import Alert, Job


def found(job: Job, fact: facts.AlertFound) -> Step:
    """Told once, however often it is found: by two servers, or after a restart."""
    if is_settled(job, fact.rule, fact.metric):
        return job, []
    alert = Alert(
        rule=fact.rule,
        metric=fact.metric,
        message=fact.message,
        evidence=fact.evidence,
        time=facts.moment(fact),
    )
    job = replace(job, alerts=(*job.alerts, alert))
    event = events.AlertRaised(
        time=alert.time,
        job_id=job.job_id,
        rule=alert.rule,
        metric=alert.metric,
        message=alert.message,
        evidence=alert.evidence,
        job=job,
    )
    return job, [Publish(event)]


def muted(job: Job, fact: facts.RuleMuted) -> Step:
    if (fact.rule in job.muted_rules) == fact.muted:
        return job, []
    others = tuple(rule for rule in job.muted_rules if rule != fact.rule)
    job = replace(job, muted_rules=(*others, fact.rule) if fact.muted else others)
    event = events.AlertMuted(
        time=facts.moment(fact), job_id=job.job_id, rule=fact.rule, muted=fact.muted, by=fact.by, job=job
    )
    return job, [Publish(event)]
