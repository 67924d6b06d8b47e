from __future__ import annotations

from mlops_jupyter.client.answers import MadeOf, UsedBy
from mlops_jupyter.core.datasets import ColumnProfile, SuggestedTarget, Top
from mlops_jupyter.core.jobs import Finding
from mlops_jupyter.notebook.preview import DatasetLineage, DatasetPreview

HOSTILE = "<img src=x onerror=alert(1)>"


def a_preview(name: str) -> DatasetPreview:
    column = ColumnProfile(
        name=name,
        kind="category",
        dtype="str",
        missing=1,
        distinct=2,
        histogram=None,
        top=(Top(value=name, count=3),),
        warnings=(),
    )
    return DatasetPreview(
        title="customers@1 · 4 rows × 1 columns",
        columns=(column,),
        rows=((name,), (None,)),
        problems=(Finding(code="blanks", severity="warning", message=f'"{name}" has blanks.', column=name),),
        suggested_target=SuggestedTarget(name=name, reason="it comes last"),
        profiled_rows=4,
    )


def test_a_preview_says_first_what_is_suspicious_then_column_by_column() -> None:
    shown = a_preview("churn")._repr_mimebundle_()
    assert shown["text/plain"].splitlines() == [
        "customers@1 · 4 rows × 1 columns",
        '⚠ "churn" has blanks.',
        'target? "churn": it comes last',
        "column  kind      missing  distinct  most frequent",
        "churn   category  25 %     2         churn ×3",
    ]


def test_what_a_table_holds_is_no_markup_of_a_notebook() -> None:
    html = a_preview(HOSTILE)._repr_mimebundle_()["text/html"]
    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") == 6


def a_lineage(name: str) -> DatasetLineage:
    job = UsedBy(job_id="j-7f3a2b4c5d6e", name=name, status="completed", dataset_version=2, used_as="test")
    model = MadeOf(
        model_id="m-7f3a2b4c5d6e",
        name=name,
        version=4,
        status="deployed",
        job_id=job.job_id,
        dataset_version=None,
        used_as="training",
    )
    return DatasetLineage(title=name, jobs=(job,), models=(model,))


def test_a_lineage_tells_which_jobs_and_models_came_of_which_version() -> None:
    shown = a_lineage("churn")._repr_mimebundle_()
    assert shown["text/plain"].splitlines() == [
        "churn: jobs that used it, and models they made",
        "       name     id              data         status",
        "job    churn    j-7f3a2b4c5d6e  v2, as test  completed",
        "model  churn@4  m-7f3a2b4c5d6e  —            deployed",
    ]
    assert shown["text/html"].count("<tr>") == 3
    assert "<img" not in a_lineage(HOSTILE)._repr_mimebundle_()["text/html"]


def test_a_dataset_nobody_used_says_so() -> None:
    shown = DatasetLineage(title="churn", jobs=(), models=())._repr_mimebundle_()
    assert shown == {
        "text/plain": "churn: nothing uses it",
        "text/html": "<p><b>churn: nothing uses it</b></p>",
    }
