"""A registered model below a cell."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import cast

from mlops_jupyter.client.session import Session
from mlops_jupyter.core.jobs import Dataset, Origin
from mlops_jupyter.core.models import Model as Record
from mlops_jupyter.core.models import Provenance, Split
from mlops_jupyter.notebook import listing
from mlops_jupyter.notebook.cards import ModelCard
from tests.core.test_models import a_model

HOSTILE = "<img src=x onerror=__pwn()> \u202eevil\n\x1b[31m'\""


def card(record: Record) -> ModelCard:
    return ModelCard(record, cast(Session, None))


def a_full_model(name: str = "churn") -> Record:
    return a_model(
        3,
        "champion",
        name=name,
        metric="accuracy",
        score=0.97412,
        metrics={"test_accuracy": 0.97412, "val_f1": None},
        parameters={"max_depth": 5},
        split=Split(rule="random", test_size=0.2, test=None, cv=5, refit=False, seed=0),
        signature={
            "inputs": [{"name": f"{name}{n}", "kind": "number"} for n in range(9)],
            "output": {"name": name, "kind": "class", "classes": ["no", name]},
        },
        environment={"python": "3.11"},
        provenance=Provenance(
            job_id="j-7f3a00000000",
            submitted_by=name,
            dataset=Dataset(name=name, hash="9c1d2e3f4a", rows=344, columns=8),
            pipeline=Origin(id="p-7f3a00000000", name=name, version=2),
        ),
        size=1536,
    )


def test_a_card_says_what_a_model_is_and_where_it_comes_from() -> None:
    text = card(a_full_model())._repr_mimebundle_()["text/plain"].splitlines()
    assert text[0] == "churn v3"
    assert dict(line.split(maxsplit=1) for line in text[1:]) == {
        "model": "m-000000000003",
        "status": "○ registered",
        "aliases": "champion",
        "score": "accuracy 0.9741",
        "measured": "on    20 % of the rows, held out by random, seed 0",
        "data": "churn, 344 rows × 8 columns, sha 9c1d2e3f",
        "pipeline": "churn@2",
        "estimator": "rf",
        "parameters": "max_depth=5",
        "takes": ", ".join(f"churn{n} (number)" for n in range(8)) + ", … of 9 columns",
        "gives": "churn: no, churn",
        "environment": "python 3.11",
        "size": "1.5 KiB",
        "made": text[-3].split(maxsplit=1)[1],
        "test_accuracy": "0.9741",
        "val_f1": "—",
    }
    assert text[-3].endswith("in j-7f3a by churn")


def test_what_is_not_known_of_a_model_is_left_out() -> None:
    record = a_model(1, estimator=None)
    names = [line.split()[0] for line in card(record)._repr_mimebundle_()["text/plain"].splitlines()[1:]]
    assert names == ["model", "status", "size", "made"]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        assert attrs in ([], [("style", "text-align:left")])


def test_nothing_a_model_is_called_is_html_or_moves_a_terminal() -> None:
    """P25, F39."""
    bundle = card(a_full_model(HOSTILE))._repr_mimebundle_()
    tags = _Tags()
    tags.feed(bundle["text/html"])
    assert tags.found == {"table", "caption", "b", "tr", "th", "td"}
    assert not {"\x1b", "\u202e"} & set(bundle["text/html"] + bundle["text/plain"])


def test_models_are_listed_by_what_gets_them() -> None:
    frame = listing.models([a_full_model(), a_model(1)])
    assert list(frame.index) == ["churn@3", "churn@1"]
    assert list(frame.columns) == [
        *("name", "version", "aliases", "status", "estimator", "target", "metric", "score", "data", "bytes"),
        *("created", "model_id", "job_id"),
    ]
    assert list(frame["aliases"]) == ["champion", ""]
    assert list(listing.models([]).columns) == list(frame.columns)
