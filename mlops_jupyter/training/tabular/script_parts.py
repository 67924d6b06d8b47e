"""The parts a script of a recipe is put together from (``script``): code as text, and no user's word in it.

Each does what the module of its stage does; a test compares the models.
"""

from __future__ import annotations

READ = '''

def read(path):
    """A CSV or Parquet file; the separator is the one that splits the header most often."""
    with open(path, "rb") as file:
        head = file.read(64 * 1024)
        file.seek(0)
        if head.startswith(b"PAR1"):
            from pyarrow import parquet

            frame = parquet.ParquetFile(file).read().to_pandas()
            frame = frame.reset_index(drop=not any(name is not None for name in frame.index.names))
        else:
            header = head.split(b"\\n", 1)[0].decode("utf-8", "replace")
            separator = max(",;\\t|", key=header.count)
            how = {"sep": separator, "compression": None, "encoding": "utf-8-sig", "low_memory": False}
            # Fails where the first row is longer than the header: it would be read with its fields shifted.
            pd.read_csv(file, header=None, nrows=2, dtype=str, **how)
            file.seek(0)
            # 007 is no 7: a column with such a code is text.
            texts = pd.read_csv(file, dtype=str, **how)
            file.seek(0)
            codes = [name for name, cells in texts.items() if cells.str.fullmatch("0[0-9]+").eq(True).any()]
            frame = pd.read_csv(file, dtype=dict.fromkeys(codes, str), **how)
    frame.columns = frame.columns.map(str)
    return frame


def plain(column):
    """Files keep booleans with gaps, and decimals, as objects."""
    kinds = {type(value) for value in column.dropna()} if pd.api.types.is_object_dtype(column) else set()
    if kinds == {bool}:
        return column.astype("boolean")
    if kinds and kinds <= {int, float, Decimal}:
        return pd.to_numeric(column).astype(float)
    return column


def with_target(frame):
    """Rows without a target teach nothing."""
    missing = frame[TARGET].isna().to_numpy()
    if missing.any() and not DROP_ROWS_WITHOUT_TARGET:
        raise ValueError(f"{missing.sum()} rows have no target.")
    return frame[~missing].reset_index(drop=True)
'''

NATURAL_TASK = '''

def natural_task(target):
    """Text, categories, booleans and a few distinct whole numbers are classes; other numbers are not."""
    if not pd.api.types.is_numeric_dtype(target) or pd.api.types.is_bool_dtype(target):
        return "classification"
    known = target.dropna().to_numpy(dtype=float)
    known = known[np.isfinite(known)]
    if (known != np.floor(known)).any():
        return "regression"
    distinct = target.nunique()
    few = distinct <= 2 or (distinct <= 20 and target.count() >= 5 * distinct)
    return "classification" if few else "regression"


TASK = None
'''

LABELS = '''

def labels(target):
    """Numbers, or labels that can be sorted."""
    target = plain(target)
    if task == "regression":
        return target.to_numpy(dtype=float)
    if pd.api.types.is_bool_dtype(target):
        return target.to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(target):
        return target.to_numpy(dtype=np.int64)
    values = target.to_numpy(dtype=object)
    if len({type(value) for value in values}) > 1:
        return target.astype(str).to_numpy(dtype=object)
    return values


def finite(X):
    """Infinite values are read as missing."""
    numbers = X.select_dtypes("number")
    hit = [
        name
        for name, column in numbers.items()
        if np.isinf(column.to_numpy(dtype=float, na_value=np.nan)).any()
    ]
    return X.assign(**{name: X[name].replace([np.inf, -np.inf], np.nan) for name in hit}) if hit else X


table = read(DATA)
task = TASK or natural_task(plain(table[TARGET]))
table = with_target(table)
'''

COLUMNS = """
left_out = {TARGET, *DROP, *GROUP}
columns = [name for name in table.columns if name not in left_out]
X, y = finite(table[columns]), labels(table[TARGET])
"""

CUTS = {
    "random": '''
from sklearn.model_selection import train_test_split


def cut(rows):
    """The same rows in two: those to learn from, and those held out."""
    stratify = y[rows] if task == "classification" else None
    return train_test_split(rows, test_size=TEST_SIZE, random_state=SEED, stratify=stratify)
''',
    "group": '''
from sklearn.model_selection import GroupShuffleSplit

groups = pd.factorize(table[SPLIT_BY])[0]


def cut(rows):
    """The same rows in two, no group in both: those to learn from, and those held out."""
    splitter = GroupShuffleSplit(n_splits=1, test_size=TEST_SIZE, random_state=SEED)
    rest, held = next(splitter.split(rows, groups=groups[rows]))
    return rows[rest], rows[held]
''',
    "time": '''

def moments(values):
    """What can be put in the order of time."""
    values = plain(values)
    if isinstance(values.dtype, pd.PeriodDtype):
        return values.dt.start_time
    types = pd.api.types
    if types.is_numeric_dtype(values) or types.is_timedelta64_dtype(values):
        return values
    if types.is_datetime64_any_dtype(values):
        return values
    return pd.to_datetime(values.astype(str), errors="coerce", format="mixed", utc=True)


order = moments(table[SPLIT_BY]).argsort(kind="stable").to_numpy()
place = np.empty_like(order)
place[order] = np.arange(len(order))


def cut(rows):
    """The same rows in two: the older to learn from, and the newest held out."""
    ordered = rows[np.argsort(place[rows])]
    held = math.ceil(len(rows) * TEST_SIZE)
    return ordered[:-held], ordered[-held:]
''',
}

#: By whether the hold-out is a table of its own, which has the same columns.
SPLIT = {
    False: """
rest, held_out = cut(np.arange(len(y)))
train, validation = cut(rest)
X_train, y_train = X.iloc[train], y[train]
X_validation, y_validation = X.iloc[validation], y[validation]
X_test, y_test = X.iloc[held_out], y[held_out]
""",
    True: """
train, validation = cut(np.arange(len(y)))
X_train, y_train = X.iloc[train], y[train]
X_validation, y_validation = X.iloc[validation], y[validation]
test = with_target(read(TEST))
X_test, y_test = finite(test[columns]), labels(test[TARGET])
""",
}

PREPARE = '''

def pipeline_of(name, estimator):
    """skrub's preprocessing before the estimator, all that is random drawn with the seed."""
    own = estimator.get_params(deep=False)
    if "random_state" in own:
        estimator.set_params(random_state=SEED)
    if "n_jobs" in own and N_JOBS != 1 and name != "logistic":
        estimator.set_params(n_jobs=N_JOBS)
    pipeline = tabular_pipeline(estimator)
    for _, step in pipeline.steps[:-1]:
        unset = [n for n, value in step.get_params().items() if n.endswith("random_state") and value is None]
        step.set_params(**dict.fromkeys(unset, SEED))
    return pipeline


def with_parameters(pipeline, given):
    """Short names belong to the estimator, step__name to any step; classes have weights by their labels."""
    label = {str(value): value for value in np.unique(y_train).tolist()}
    steps = {name for name, _ in pipeline.steps}
    final = pipeline.steps[-1][0]
    for name, value in given.items():
        if name.endswith("class_weight") and isinstance(value, dict):
            value = {label.get(key, key): weight for key, weight in value.items()}
        whole = name if name.partition("__")[0] in steps else f"{final}__{name}"
        pipeline.set_params(**{whole: value})
    return pipeline


candidates = [pipeline_of(name, estimator) for name, estimator in MODELS[task].items()]
if len(candidates) == 1:
    with_parameters(candidates[0], PARAMS)
'''

SCORER = '''
import inspect

from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import GroupKFold, KFold, ParameterGrid, StratifiedKFold, TimeSeriesSplit


def scorer_of(name):
    """scikit-learn's; where it counts one class and the labels are no numbers, that is the last one."""
    scorer = get_scorer(name)
    if task == "regression":
        return scorer
    classes, kwargs = np.unique(y), scorer._kwargs
    counts_one = "pos_label" in inspect.signature(scorer._score_func).parameters
    counts_one = counts_one and kwargs.get("average", "binary") == "binary"
    if not counts_one or len(classes) != 2 or 1 in classes:
        return scorer
    return make_scorer(
        scorer._score_func,
        response_method=scorer._response_method,
        greater_is_better=scorer._sign > 0,
        pos_label=classes[1],
        **{key: value for key, value in kwargs.items() if key != "pos_label"},
    )
'''

FOLDS = {
    "random": '''

def folds_of(rows):
    """No more than the rows, or those of the rarest class, allow."""
    known = y[rows]
    if task == "classification":
        most = max(2, int(np.unique(known, return_counts=True)[1].min()))
        count = min(CV, most)
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            splitter = StratifiedKFold(count, shuffle=True, random_state=SEED) if count >= 2 else None
            return list(splitter.split(known, known)) if splitter else []
    count = min(CV, len(rows))
    return list(KFold(count, shuffle=True, random_state=SEED).split(known)) if count >= 2 else []
''',
    "group": '''

def folds_of(rows):
    """No more than there are groups."""
    known = y[rows]
    most = len(np.unique(groups[rows]))
    return list(GroupKFold(min(CV, most)).split(known, known, groups[rows])) if CV and most >= 2 else []
''',
    "time": '''

def folds_of(rows):
    """Rows are in the order of time already."""
    count = min(CV, len(rows) - 1)
    return list(TimeSeriesSplit(count).split(y[rows])) if CV and len(rows) - 1 >= 2 else []
''',
}

CHOOSE = '''

def score(pipeline, X, y, inside, outside, scorer):
    """None where the fit or the score failed."""
    try:
        with warnings.catch_warnings(action="ignore"):
            fitted = clone(pipeline).fit(X.iloc[inside], y[inside])
            value = float(scorer(fitted, X.iloc[outside], y[outside]))
    except Exception:
        return None
    return value if np.isfinite(value) else None


def chosen(candidates):
    """The best mean over the folds of the training rows; without folds the validation rows decide."""
    scorer = scorer_of(METRIC or {"classification": "accuracy", "regression": "r2"}[task])
    compared_X, compared_y, folds = X_train, y_train, folds_of(train)
    if not folds:
        compared_X = pd.concat([X_train, X_validation])
        compared_y = np.concatenate([y_train, y_validation])
        folds = [(np.arange(len(y_train)), np.arange(len(y_train), len(compared_y)))]
    found = [
        [score(each, compared_X, compared_y, inside, outside, scorer) for inside, outside in folds]
        for each in candidates
    ]
    known = [[value for value in scores if value is not None] for scores in found]
    most = max(len(values) for values in known)
    means = [float(np.mean(values)) if values and len(values) == most else -np.inf for values in known]
    return candidates[means.index(max(means))]


if GRID:
    candidates = [with_parameters(clone(candidates[0]), point) for point in ParameterGrid(GRID)]
'''

FIT = {
    False: """
with threadpool_limits(1, user_api="openmp") if len(table) <= ONE_THREAD else nullcontext():
    model = candidates[0].fit(X_train, y_train)
""",
    True: """
with threadpool_limits(1, user_api="openmp") if len(table) <= ONE_THREAD else nullcontext():
    model = chosen(candidates).fit(X_train, y_train)
""",
}

REFIT = """
with threadpool_limits(1, user_api="openmp") if len(table) <= ONE_THREAD else nullcontext():
    model = clone(model).fit(pd.concat([X_train, X_validation]), np.concatenate([y_train, y_validation]))
"""

FINISH = """
if __name__ == "__main__":
    kind, score_held_out = type(model.steps[-1][1]).__name__, model.score(X_test, y_test)
    print(f"{kind}: {score_held_out:.6g} on {len(y_test)} rows held out")
"""
