"""Small tables with what real ones have: gaps, dates, text, categories, constants."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine


def flowers() -> pd.DataFrame:
    """150 rows, four numbers, three classes by name."""
    iris = load_iris(as_frame=True)
    return iris.data.assign(species=iris.target_names[iris.target])


def wines() -> pd.DataFrame:
    """178 rows, thirteen numbers, three classes."""
    return load_wine(as_frame=True).frame


def tumours() -> pd.DataFrame:
    """200 rows, six numbers, two classes."""
    frame = load_breast_cancer(as_frame=True).frame.head(200)
    return frame[[*frame.columns[:6], "target"]]


def patients() -> pd.DataFrame:
    """442 rows, ten numbers, a number to predict."""
    return load_diabetes(as_frame=True).frame


def messy(rows: int = 120) -> pd.DataFrame:
    """Every kind of column there is, and two targets: ``bought`` (yes or no) and ``spent``."""
    random = np.random.default_rng(0)
    age = random.integers(18, 80, rows).astype(float)
    town = random.choice(["Oslo", "Bergen", "Tromsø"], rows)
    spent = 3 * age + 40 * (town == "Oslo") + random.normal(0, 5, rows)
    gaps = random.random(rows) < 0.1
    table = pd.DataFrame(
        {
            "age": np.where(gaps, np.nan, age),
            "visits": random.integers(0, 50, rows),
            "member": random.random(rows) < 0.5,
            "opted": pd.Series(np.where(gaps, None, random.random(rows) < 0.5), dtype=object),
            "children": pd.array(np.where(gaps, None, random.integers(0, 4, rows)), dtype="Int64"),
            "joined": pd.date_range("2020-01-01", periods=rows, freq="17h"),
            "seen": pd.date_range("2022-01-01", periods=rows, tz="Europe/Oslo"),
            "ordered": pd.date_range("2021-05-01", periods=rows).strftime("%Y-%m-%d"),
            "stay": pd.to_timedelta(random.integers(0, 10_000, rows), unit="s"),
            "town": np.where(gaps, None, town),
            "note": [f"order {n % 37} of {t} shop {n * 7919 % 101}" for n, t in enumerate(town)],
            "street": random.choice([f"street {n}" for n in range(60)], rows),
            "level": pd.Categorical(random.choice(["low", "high"], rows), ["low", "high"], ordered=True),
            "code": pd.Categorical(random.integers(0, 3, rows)),
            "currency": "NOK",
            "empty": np.nan,
        }
    )
    table = table.assign(bought=np.where(spent > np.median(spent), "yes", "no"), spent=spent)
    # As jobs get it: files know fewer kinds of columns than memory does.
    file = io.BytesIO()
    table.to_parquet(file)
    return pd.read_parquet(file)
