"""What a machine can check of how this house is built; the rest is for the eye."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from babel.messages.extract import extract_from_file
from msgspec import inspect
from prometheus_client.metrics import MetricWrapperBase

import mlops_jupyter
from mlops_jupyter.core import limits, stream
from mlops_jupyter.core.alerts import TITLES
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.core.protocol import typescript
from mlops_jupyter.inputs import KEPT_SECONDS
from mlops_jupyter.news import LINE_LENGTH
from mlops_jupyter.server import (
    bus,
    counters,
    datasets,
    endpoints,
    feed,
    inputs,
    jobs,
    metrics,
    models,
    notify,
    page,
    pipelines,
    status,
    system,
)
from mlops_jupyter.server import events as event_routes
from mlops_jupyter.server import uploads as upload_routes
from mlops_jupyter.server.extension import MlopsExtension
from mlops_jupyter.server.subscription import SubscribeHandler
from mlops_jupyter.training import output

ROOT = Path(__file__).parents[1]
API = (ROOT / "docs" / "API.md").read_text("utf-8")

#: A word of the front end that no language can replace; the views' own are found by test/views/words.test.ts.
WORDLESS = re.compile(
    r"""(?:\b(?:label|caption|placeholder|title|message|"aria-label")\ *:
    |\.(?:title|caption|label|textContent)\ =)\s*(?:[^,;\n]*\?\ *)?["`][^"`$]*[A-Za-z]""",
    re.VERBOSE,
)
NAMELESS = "utils?|helpers?|common|misc|base|managers?|services?|engines?"
DOORS = re.compile(
    r"""innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|srcdoc
    |\beval\(|new\ Function\(|\bpickle\.loads?\b|joblib\.load|allow_pickle=True|yaml\.load\(|shell=True
    |createContextualFragment|setHTMLUnsafe|DOMParser|\bHTML\(|_repr_html_|javascript:|Markup\(
    |crypto\.(randomUUID|subtle)|navigator\.locks  # pages that come by plain http have none
    |(?<!menu\.commands\.)addCommand\((?!OPEN_|asking\b)  # F41: a notebook's HTML may run these: show, or ask
    |(?<![.\w])exec\(|os\.system\(|os\.popen\(|marshal\.loads?\(|read_pickle\(|np\.load\(|torch\.load\(
    |reason=f["']  # the reason of an HTTP error is parsed by Tornado: no text of a user's
    |@authorized\s*$""",
    re.VERBOSE | re.MULTILINE,
)
FOREIGN = re.compile(r"(pypi|npmjs|pythonhosted|debian)\.(org|com)|/(tmp|work|root)/[a-zA-Z]")


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository, those not yet added included, ignored ones not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return sorted(ROOT / name for name in set(answer.split("\0")) if name and (ROOT / name).is_file())


def places(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """Where ``pattern`` occurs: ``path:line: text``."""
    found = []
    for file in files:
        text = file.read_bytes().decode("utf-8", "replace")
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{file.relative_to(ROOT)}:{line}: {match[0].strip()}")
    return found


def run(tool: str, *arguments: str) -> None:
    """Run a tool of this environment; its output is the message when it fails."""
    command = [str(Path(sys.executable).with_name(tool)), *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", ".")


def test_python_is_formatted() -> None:
    run("ruff", "format", "--check", ".")


@pytest.mark.timeout(300)
def test_types_hold() -> None:
    run("mypy")


def test_imports_point_down_only() -> None:
    run("lint-imports", "--no-logo")


def test_modules_and_classes_have_names_of_their_own() -> None:
    files = tracked("*.py", "*.ts", "*.tsx", "*.mjs")
    modules = [file.name for file in files if re.fullmatch(NAMELESS, file.stem.strip("_"))]
    classes = places(re.compile(rf"^\s*(export )?class \w*(?i:{NAMELESS})\b", re.MULTILINE), files)
    assert modules + classes == []


def test_doors_that_must_not_open_stay_shut() -> None:
    sources = [
        file
        for file in tracked("mlops_jupyter/*", "labextension/src/*")
        if file.suffix in {".py", ".ts", ".tsx"} and ".test." not in file.name
    ]
    assert places(DOORS, sources) == []


def test_only_the_worker_unpickles() -> None:
    loading = places(re.compile(r"\bcloudpickle\.loads?\("), tracked("mlops_jupyter/*.py"))
    assert {place.partition(":")[0] for place in loading} <= {"mlops_jupyter/training/worker.py"}


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    assert places(FOREIGN, tracked()) == []


def test_protocol_is_generated_from_the_events() -> None:
    assert (ROOT / "labextension" / "src" / "protocol.ts").read_text("utf-8") == typescript()


def test_every_word_of_the_front_end_can_be_translated() -> None:
    """Named things go through ``trans``, and the tool of CONTRIBUTING.md finds all that does."""
    sources = tracked("labextension/src/*.ts")
    assert places(WORDLESS, sources) == []
    lost = []
    for file in sources:
        called = len(re.findall(r"\btrans\._[_n]\(", file.read_text("utf-8")))
        options = {"parse_template_string": True}
        keywords: dict[str, tuple[int, ...] | None] = {"trans.__": None, "trans._n": (1, 2)}
        found = list(extract_from_file("javascript", file, keywords, options=options))
        if len(found) != called:
            lost.append(f"{file.relative_to(ROOT)}: {called} calls, {len(found)} found")
    assert lost == []


def test_python_and_lab_extension_have_one_version() -> None:
    package = json.loads((ROOT / "labextension" / "package.json").read_text("utf-8"))
    assert package["version"] == mlops_jupyter.__version__


def test_every_event_is_documented_with_its_class_and_priority() -> None:
    missing = []
    for kind in (*stream.SEVENTEEN, *stream.EXTENSIONS):
        info = inspect.type_info(kind)
        assert isinstance(info, inspect.StructType)
        priority = next(field.default for field in info.fields if field.name == "priority")
        row = f"| `{info.tag}` | {kind.delivery} | {priority} |"
        if row not in API:
            missing.append(row)
    assert missing == []


def spelled(kind: inspect.Type) -> str:
    """A type as docs/API.md calls it; null goes without saying where it is the default."""
    plain = {
        inspect.StrType: "string",
        inspect.FloatType: "number",
        inspect.IntType: "integer",
        inspect.BoolType: "boolean",
    }
    match kind:
        case inspect.UnionType(types=kinds):
            return " or ".join(spelled(each) for each in kinds if not isinstance(each, inspect.NoneType))
        case inspect.LiteralType(values=values):
            return " or ".join(json.dumps(value) for value in values)
        case inspect.DictType(value_type=value):
            return "object of lists" if isinstance(value, inspect.ListType) else "object"
        case inspect.VarTupleType(item_type=item):
            return f"list of {spelled(item)}s"
        case inspect.StructType(cls=cls):
            return cls.__name__
    return plain[type(kind)]


def default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    made = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return f"`{json.dumps(made)}`"


def test_the_body_of_a_submission_is_documented_field_by_field() -> None:
    info = inspect.type_info(JobSpec)
    assert isinstance(info, inspect.StructType)
    table = API.split("`JobSpec`, the body")[1].split("`Source` is")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| .+ \|$", table, re.MULTILINE)
    assert rows == [(field.name, spelled(field.type), default(field)) for field in info.fields]


def test_every_rule_of_alerts_is_documented() -> None:
    table = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").split("## Alerts")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(TITLES)


def test_events_that_nothing_makes_are_documented_as_not_sent() -> None:
    sources = "".join(file.read_text("utf-8") for file in tracked("mlops_jupyter/*.py"))
    kinds = {kind.__struct_config__.tag: kind.__name__ for kind in (*stream.SEVENTEEN, *stream.EXTENSIONS)}
    unmade = {tag for tag, name in kinds.items() if not re.search(rf"(?<!class )\b{name}\(", sources)}
    sent, not_sent = API.split("not sent by this version")
    rows = [set(re.findall(r"^\| `(\w+)` \| [ABC] \|", table, re.MULTILINE)) for table in (sent, not_sent)]
    assert rows == [kinds.keys() - unmade, unmade]


def test_the_limits_are_documented_as_they_are_enforced() -> None:
    """Each limit of the code is in the table, and nothing is in the table that is not the code's."""
    of, gib, day = limits, 1 << 30, {86_400: "a day"}[KEPT_SECONDS]
    assert {name for name in vars(of) if name.isupper()} == {
        *("PREDICT_BODY", "PREDICT_ROWS"),
        *("BODY", "NAME", "PATH", "PARAMETERS", "DEPTH", "COMBINATIONS", "LEAST_TIMEOUT"),
        *(
            "INPUT_BYTES",
            "INPUTS",
            "INPUTS_BYTES",
            "FREE_BYTES",
            "UPLOAD_BYTES",
            "DATASETS_BYTES",
            "UPLOADS",
            "CHUNK",
            "LEAST_CHUNK",
            "MOST_CHUNK",
            "COLUMNS",
            "CELL",
            "DECODED_RATIO",
            "DECODED_BYTES",
            "READING_BYTES",
            "READING_CPU",
            "READING_SECONDS",
            "QUEUED",
            "METRICS",
            "POINTS",
            "JOURNAL_BYTES",
            "FINDINGS",
            "PIPELINES",
            "VERSIONS",
        ),
    }
    table = API.partition("### Limits")[2].partition("\n\n507 ")[0]
    assert [line.split(" | ")[1] for line in table.strip().splitlines()[2:]] == [
        f"{of.BODY >> 20} MiB; 64 KiB; {SubscribeHandler.max_message_size >> 10} KiB",
        f"{of.PREDICT_BODY >> 20} MiB; {of.PREDICT_ROWS:,}",
        f"{of.NAME} characters; {of.PATH:,} bytes",
        f"{of.PARAMETERS:,}; {of.DEPTH}; {of.COMBINATIONS:,}",
        f"at least {of.LEAST_TIMEOUT:g} s",
        f"{of.INPUT_BYTES // gib} GiB; {of.INPUTS}; {of.INPUTS_BYTES // gib} GiB ({day}, then they are gone)",
        f"{of.FREE_BYTES // gib} GiB stays free",
        (
            f"{of.UPLOAD_BYTES // gib} GiB; {of.DATASETS_BYTES // gib} GiB; {of.UPLOADS}; "
            f"{of.MOST_CHUNK >> 20} MiB ({day}, then what is not finished is gone)"
        ),
        (
            f"{of.COLUMNS:,}; {of.CELL >> 20} MiB; {of.DECODED_RATIO} times the file, "
            f"at least {of.DECODED_BYTES // gib} GiB"
        ),
        f"{of.READING_BYTES // gib} GiB; {of.READING_CPU} s; {of.READING_SECONDS} s",
        f"{of.QUEUED:,}",
        f"{of.PIPELINES:,}; {of.VERSIONS:,}",
        f"{of.METRICS:,}; {of.POINTS // 10**6} million; {of.JOURNAL_BYTES // gib} GiB; {of.FINDINGS:,}",
        f"{LINE_LENGTH >> 10} KiB; {output.KEPT >> 20} MiB and its last {output.END >> 10} KiB",
        f"{MlopsExtension.max_sockets.default_value} (`max_sockets`)",
    ]


def test_the_documented_routes_are_those_that_are_served() -> None:
    verbs = ("get", "post", "put", "patch", "delete")
    served = {
        f"{verb.upper()} {re.sub(r'[(].*?[)]', '{id}', path)}"
        for module in (
            *(status, system, jobs, metrics, models, endpoints, inputs, event_routes, feed, notify),
            *(datasets, upload_routes, pipelines),
        )
        for path, handler in module.handlers
        for verb in verbs
        if verb in vars(handler)
    }
    served |= {f"GET {re.sub(r'[(].*?[)]', '{file}', path)}" for path, _ in page.handlers}
    documented = {
        f"{verb} {path}" for verb, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) ([\w/{}]+)", API)
    }
    documented |= {f"GET {path}" for path in re.findall(r"\*\*Websocket\*\* `([\w/]+)", API)}
    assert documented == served


def test_the_documented_metrics_are_those_that_prometheus_gets() -> None:
    rows = re.findall(r"^\| `(mlops_\w+)(?:\{([\w,]+)\})?` \| (\w+) \|", API, re.MULTILINE)
    asked = [each for each in vars(counters).values() if isinstance(each, MetricWrapperBase)]
    # The library adds a counter's ending when it is asked.
    assert sorted(rows) == sorted(
        (f"{each._name}{'_total' if each._type == 'counter' else ''}", ",".join(each._labelnames), each._type)
        for each in asked
    )


def test_the_documented_schemas_are_those_of_the_event_bus() -> None:
    table = API.split("## Jupyter's event bus")[1].split("\n## ")[0]
    rows = {}
    for name, kinds, fields in re.findall(r"^\| `(https://\S+)` \| (.+?) \| (.+) \|$", table, re.MULTILINE):
        first, *others = re.findall(r"`(\w+)`", kinds)
        noun = first.partition("_")[0]
        rows[name] = (
            [first, *(f"{noun}{each}" if each[0] == "_" else each for each in others)],
            re.findall(r"`(\w+)`", fields),
        )
    schemas = [msgspec.yaml.decode(path.read_bytes()) for path in bus._SCHEMAS.glob("*.yaml")]
    assert rows == {
        schema["$id"]: (schema["properties"]["type"]["enum"], [*schema["properties"]][1:])
        for schema in schemas
    }


def test_notebooks_are_committed_as_they_ran() -> None:
    """nbval compares nothing in a cell that has not run; widget state is what makes a notebook heavy."""
    for path in tracked("notebooks/*.ipynb"):
        notebook = json.loads(path.read_text("utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        counts = [cell["execution_count"] for cell in code]
        assert (path.name, counts) == (path.name, list(range(1, len(code) + 1)))
        assert "widgets" not in notebook["metadata"]


def test_tests_that_the_table_of_faults_names_are_there() -> None:
    """A row whose test was renamed or removed would promise what nobody holds."""
    table = (ROOT / "tests" / "faults" / "README.md").read_text("utf-8")
    written = "".join(file.read_text("utf-8") for file in tracked("tests/*.py", "labextension/test/*.ts"))
    names = set(re.findall(r"::(test_\w+)", table))
    files = {name.rpartition("/")[2] for name in re.findall(r"`([\w/]+\.(?:test\.ts|py))", table)}
    there = {file.name for file in tracked("tests/*.py", "benchmarks/*.py", "labextension/test/*.ts")}
    assert sorted(name for name in names if f"def {name}(" not in written) == []
    assert sorted(files - there) == []
