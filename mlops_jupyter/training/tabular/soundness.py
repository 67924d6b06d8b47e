"""Whether what was read from a model file hangs together: indices and shapes that compiled code follows
without looking. A forged one ends the process, or reads and writes what is not its own.

Not here: which types a file may hold (``trusted``). What is not looked at here fails in Python, or ends
the process a model is used in, which is never the server's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from scipy.interpolate import BSpline
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors import BallTree, KDTree
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm._base import BaseLibSVM
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import Tree

from mlops_jupyter.core.errors import ModelNotPortable

_LEAF = -1


def check(model: Any) -> None:
    """Raises ``ModelNotPortable`` for what no fit has made."""
    for part in _parts(model):
        for kind, sound in _CHECKS:
            if isinstance(part, kind):
                try:
                    well = sound(part)
                except (AttributeError, TypeError, ValueError, IndexError, KeyError):
                    # A shape or an attribute is missing altogether.
                    well = False
                if not well:
                    raise ModelNotPortable(
                        f"The model file holds a {type(part).__name__} that no training has made: "
                        "it is damaged or forged."
                    )


def _parts(model: Any) -> Iterator[Any]:
    """The model and all that is in it, once each."""
    seen: set[int] = set()
    left = [model]
    while left:
        part = left.pop()
        if isinstance(part, str | bytes | int | float | bool | type(None)) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        left += _inside(part)


def _inside(part: Any) -> Iterable[Any]:
    if isinstance(part, dict):
        return [*part, *part.values()]
    if isinstance(part, list | tuple | set | frozenset):
        return part
    if isinstance(part, np.ndarray):
        return part.ravel().tolist() if part.dtype == object else ()
    return getattr(part, "__dict__", {}).values()


def _tree(tree: Tree) -> bool:
    if not 0 < tree.node_count <= tree.capacity:
        return False
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    return _branches(left, right, left == _LEAF, tree.node_count) and _within(
        feature[left != _LEAF], tree.n_features
    )


def _branches(left: Any, right: Any, leaf: Any, count: int) -> bool:
    """Children come after their parent: there is an end, and it is inside."""
    own = np.arange(count)[~leaf]
    children = np.stack([left[~leaf], right[~leaf]]).astype(np.int64)
    return bool((children > own).all() and (children < count).all())


def _within(numbers: Any, count: int) -> bool:
    numbers = np.asarray(numbers).astype(np.int64)
    return bool(((numbers >= 0) & (numbers < count)).all())


def _decision_tree(model: BaseDecisionTree) -> bool:
    return not hasattr(model, "tree_") or model.tree_.n_features == model.n_features_in_


def _trees(model: BaseForest | BaseGradientBoosting) -> bool:
    """They are handed rows that were checked for the whole."""
    fitted = np.ravel(np.array(getattr(model, "estimators_", ()), dtype=object))
    return all(tree.tree_.n_features == model.n_features_in_ for tree in fitted)


def _histograms(model: BaseHistGradientBoosting) -> bool:
    predictors = [each for round_ in getattr(model, "_predictors", ()) for each in round_]
    if not predictors:
        return True
    known = np.asarray(model._bin_mapper.is_categorical_, dtype=bool)  # noqa: SLF001 - what prediction reads
    count = model._n_features  # noqa: SLF001
    return len(known) == count and all(_histogram_tree(each, known) for each in predictors)


def _histogram_tree(predictor: Any, known: Any) -> bool:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    inner = nodes[~leaf]
    if not len(nodes) or not _within(inner["feature_idx"], len(known)):
        return False
    sorting = inner[inner["is_categorical"].astype(bool)]
    bitsets = predictor.raw_left_cat_bitsets
    return (
        _branches(nodes["left"], nodes["right"], leaf, len(nodes))
        and bool(known[sorting["feature_idx"].astype(np.int64)].all())
        and _within(sorting["bitset_idx"], len(bitsets))
        and bitsets.ndim == 2
        and bitsets.shape[1] == 8
    )


def _neighbours(tree: KDTree | BallTree) -> bool:
    state = tree.__getstate__()
    data, index, nodes, bounds = (np.asarray(part) for part in state[:4])
    _, levels, count = state[4:7]
    # A leaf has no children; the others have those of a heap.
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    start, end = nodes["idx_start"], nodes["idx_end"]
    return bool(
        data.ndim == 2
        and count == len(nodes) == 2**levels - 1
        and index.shape == (len(data),)
        and _within(index, len(data))
        and (start >= 0).all()
        and (start <= end).all()
        and (end <= len(data)).all()
        and _within(2 * inner + 2, len(nodes))
        and bounds.shape == (2 if isinstance(tree, KDTree) else 1, len(nodes), data.shape[1])
    )


def _vectors(model: BaseLibSVM) -> bool:
    if not hasattr(model, "support_vectors_"):
        return True
    # Private, since the public ones have another sign where there are two classes.
    of_class, coefficients = model._n_support, model._dual_coef_  # noqa: SLF001
    count = model.support_vectors_.shape[0]
    classes = len(of_class) if model._impl in ("c_svc", "nu_svc") else 2  # noqa: SLF001
    pairs = classes * (classes - 1) // 2
    probabilities = (model._probA, model._probB)  # noqa: SLF001
    return bool(
        (model._impl not in ("c_svc", "nu_svc") or (of_class.sum() == count and (of_class >= 0).all()))  # noqa: SLF001
        and len(of_class) >= 2
        and coefficients.size == (classes - 1) * count
        and model._intercept_.size == pairs
        and all(each.size in (0, pairs) for each in probabilities)
        and model.support_.shape == (count,)
        and _within(model.support_, model.shape_fit_[0])
        and (model.kernel == "precomputed" or model.support_vectors_.shape[1] == model.n_features_in_)
    )


def _spline(spline: Any) -> bool:
    knots, coefficients, degree = spline.t, spline.c, spline.k
    return bool(
        degree >= 0
        and knots.ndim == 1
        and len(knots) >= 2 * degree + 2
        and len(coefficients) >= len(knots) - degree - 1
        and (np.diff(knots) >= 0).all()
    )


def _words(model: CountVectorizer) -> bool:
    words = getattr(model, "vocabulary_", {})
    return _within(list(words.values()), len(words))


def _categories(model: OneHotEncoder) -> bool:
    if not hasattr(model, "categories_"):
        return True
    return list(model._compute_n_features_outs()) == list(model._n_features_outs) and _rare(model)  # noqa: SLF001


def _rare(model: OneHotEncoder) -> bool:
    """Where rare categories share a column, each is mapped into the columns there are."""
    mappings = getattr(model, "_default_to_infrequent_mappings", None) or []
    rare = getattr(model, "_infrequent_indices", None) or []
    return all(
        mapping is None or (len(mapping) == len(known) and _within(mapping, len(known) - len(indices) + 1))
        for mapping, indices, known in zip(mappings, rare, model.categories_, strict=False)
    )


_CHECKS: tuple[tuple[Any, Callable[[Any], bool]], ...] = (
    (Tree, _tree),
    (BaseDecisionTree, _decision_tree),
    ((BaseForest, BaseGradientBoosting), _trees),
    (BaseHistGradientBoosting, _histograms),
    ((KDTree, BallTree), _neighbours),
    (BaseLibSVM, _vectors),
    (BSpline, _spline),
    (CountVectorizer, _words),
    (OneHotEncoder, _categories),
)
