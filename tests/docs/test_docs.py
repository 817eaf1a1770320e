"""What the documentation names exists, and what exists is documented."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main

from models import load_labels
from models.labels import DEFAULT_LABELS
from service.cli import app
from service.dead_letters import (
    MAX_KEY_BYTES,
    REPLAYS,
    DeadLetter,
    Origin,
    bury,
    smaller_letters,
    unbury,
)
from service.errors import Reason
from service.metrics import PREFIX, Metrics
from service.settings import CONFIG_FILE_VARIABLE, ENV_PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RECORDS = sorted((DOCS / "decisions").glob("*.md"))
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        *(ROOT / "chaos").rglob("*.md"),
        *(ROOT / "deploy").rglob("*.md"),
        *(ROOT / "models").rglob("*.md"),
        ROOT / "seeds" / "README.md",
    ]
)
SECTIONS = ["Context", "Decision", "Consequences", "Rejected alternatives"]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`|(?m:^ {4}.*$)", re.DOTALL)
# In a docker command the image's name may have a tag, and the entry point is the command.
COMMAND = re.compile(
    r"(?<![\w./-])stancewire(?::[\w.]+)?[ ]+([a-z][a-z-]*)(?:[ ]+([a-z][a-z-]*))?(?![\w=./-])"
)
VARIABLE = re.compile(rf"{ENV_PREFIX}[A-Z_]+[A-Z]")

# Named in the documentation as variables that are refused.
NOT_SETTINGS = {f"{ENV_PREFIX}SERVICE_HOST"}


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _code_of(page: Path) -> str:
    return "\n".join(CODE.findall(page.read_text(encoding="utf-8")))


def _commands() -> dict[str, set[str]]:
    """Names of the commands, each with the names of its own commands."""
    top = typer.main.get_command(app)
    return {
        name: set(getattr(command, "commands", {}))
        for name, command in getattr(top, "commands", {}).items()
    }


def _headings(page: Path) -> set[str]:
    """Anchors of a page, made from its headings the way code forges do."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.strip().replace(" ", "-") for title in kept}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _headings(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_named_in_a_page_exist(page: Path) -> None:
    known = _commands()
    unknown = []
    for command, part in COMMAND.findall(_code_of(page)):
        parts = known.get(command)
        if parts is None or (parts and part and part not in parts):
            unknown.append(f"{command} {part}".strip())
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_variables_named_in_a_page_are_settings(page: Path) -> None:
    known = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {CONFIG_FILE_VARIABLE} | NOT_SETTINGS
    assert set(VARIABLE.findall(page.read_text(encoding="utf-8"))) - known == set()


@pytest.mark.parametrize("record", RECORDS, ids=_name)
def test_a_decision_record_has_every_section(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    number = record.name.partition("-")[0]
    assert text.startswith(f"# {number}: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert re.search(r"^- Status: (accepted|superseded by \d{4})$", text, re.MULTILINE)
    assert re.search(r"^- Date: \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)


def test_every_record_that_code_or_pages_cite_exists() -> None:
    existing = {record.name.partition("-")[0] for record in RECORDS}
    sources = [*ROOT.glob("service/**/*.py"), *ROOT.glob("models/**/*.py"), *PAGES]
    cited: set[str] = set()
    for source in sources:
        cited |= set(re.findall(r"[Dd]ecision record (\d{4})", source.read_text(encoding="utf-8")))
    assert cited <= existing


def test_every_reason_is_explained() -> None:
    text = (DOCS / "decisions" / "0002-error-handling.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", text, re.MULTILINE)
    assert sorted(explained) == sorted(reason.value for reason in Reason)


def test_every_header_of_a_dead_letter_is_explained() -> None:
    letter = bury(
        b"key", b"value", [], reason=Reason.NOT_JSON, message="why", origin=Origin("topic", 0, 0)
    )
    again = DeadLetter(b"key", b"value", unbury(letter, Origin("dead", 0, 0), "name").headers)
    long_key = DeadLetter(b"k" * 2 * MAX_KEY_BYTES, *letter[1:])
    *_, smallest = smaller_letters(long_key)
    written = {name for name, _ in [*smallest.headers, *again.headers]}
    assert REPLAYS in written
    text = (DOCS / "decisions" / "0002-error-handling.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(stancewire\.[\w.-]+)` ", text, re.M))
    assert explained == written


def test_every_metric_is_explained_with_its_type_and_labels() -> None:
    metrics = Metrics()
    metrics.set_model("name", "version", "labels", ("none",))
    metrics.set_lag({("articles", 0): 1})
    expected = {}
    for family in metrics.registry.collect():
        if family.name.startswith(f"{PREFIX}_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = [label for label in family.samples[0].labels if label != "le"]
            expected[name] = (family.type, ", ".join(f"`{label}`" for label in labels))
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| .+ \|$", text, re.MULTILINE)
    assert {name: (kind, labels) for name, kind, labels in rows} == expected


def test_metrics_in_the_example_queries_exist() -> None:
    known = {sample.name for family in Metrics().registry.collect() for sample in family.samples}
    known |= {f"{PREFIX}_{name}" for name in ("quotes_total", "consumer_lag", "model_info")}
    queries = "".join(re.findall(r"```promql\n(.*?)```", (DOCS / "metrics.md").read_text(), re.S))
    named = set(re.findall(rf"{PREFIX}_\w+", queries))
    assert named
    assert named <= known


def test_the_glossary_is_in_alphabetical_order_and_names_nothing_twice() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| (?!Term|---)(.+?) \| .+ \|$", text, re.MULTILINE)
    folded = [term.lower() for term in terms]
    assert folded == sorted(set(folded))


def test_the_example_label_set_can_be_loaded(tmp_path: Path) -> None:
    text = (DOCS / "decisions" / "0003-label-set.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "mine.toml"
    file.write_text(example, encoding="utf-8")
    assert load_labels(file).version != load_labels(DEFAULT_LABELS).version


def test_the_default_labels_are_the_documented_ones() -> None:
    text = (DOCS / "decisions" / "0003-label-set.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)` \| ", text, re.MULTILINE)
    assert explained == [*load_labels().names, "none"]


def test_the_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    label = re.search(r'image\.version="(.+?)"', (ROOT / "Dockerfile").read_text())
    assert newest is not None
    assert label is not None
    assert (newest[1], label[1]) == (version, version)


def test_the_image_installs_the_torch_that_the_project_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [pin] = [line for line in project["dependencies"] if re.match(r"torch\W", line)]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"\btorch==[\w.+]+", dockerfile) == [pin]


def test_the_image_listens_on_the_default_port() -> None:
    port = Settings.model_fields["http_port"].default
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"EXPOSE {port}\n" in dockerfile
    assert f"'STANCEWIRE_HTTP_PORT', '{port}'" in dockerfile


def test_the_dockerfile_passes_hadolint() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}")
    assert hadolint, "hadolint is not installed; it is in the extra dev"
    result = subprocess.run(
        [hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr
