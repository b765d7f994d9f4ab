"""What the documents name exists: links, files, commands, options and tests. And the README stays short."""

import re
from pathlib import Path

import pytest
from conftest import ROOT

from foodvision import __version__
from foodvision.cli import app

MAX_README_WORDS = 700
README = ROOT / "README.md"
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "results.md"])
BLOCK = re.compile(r"```.*?```", re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
EXTENSIONS = "cff css ini ipynb js json md onnx pkl png py svg toml txt yaml yml"
FILE = re.compile(rf"\.?[\w.-]+(/[\w.-]+)*/?|[\w.-]+\.({'|'.join(EXTENSIONS.split())})")
# Named in documents, but written by a run or part of another tool.
ELSEWHERE = {
    ".venv/bin/",
    "export.fp16.onnx",
    "foodvision.json",
    "answers.csv.run.json",
    "answers.parquet/_run.json",
    "fly.toml",
    "feedback-photos/",
}
SUBCOMMAND = re.compile(r"(?:^|/|-m )foodvision +([a-z][\w-]*)(?= |$)", re.MULTILINE)
COMMAND_LINE = re.compile(r"(?:^|/|-m )(foodvision .+)$", re.MULTILINE)
TARGET = re.compile(r"(?:^| )make ([a-z]+)(?= |$)", re.MULTILINE)
EXAMPLE_FOLDERS = {"photos"}
each_document = pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    return BLOCK.sub("", read(path))


def code(path: Path) -> str:
    """All code of a document, one inline snippet per line."""
    return "\n".join(BLOCK.findall(read(path)) + INLINE.findall(prose(path)))


def anchors(path: Path) -> set[str]:
    """Anchors that GitHub gives a document's headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(prose(path))}


def resolves(path: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = path.parent / name if name else path
    return target.exists() and (not anchor or anchor in anchors(target))


def broken_links(path: Path) -> list[str]:
    links = [link or source for link, source in LINK.findall(prose(path))]
    return [link for link in links if not re.match(r"[a-z]+:", link) and not resolves(path, link)]


def is_file_name(text: str) -> bool:
    return bool(FILE.fullmatch(text)) and ("/" in text or text.rpartition(".")[2] in EXTENSIONS.split())


def missing_files(path: Path) -> list[str]:
    named = {text for text in INLINE.findall(prose(path)) if is_file_name(text)} - ELSEWHERE
    return sorted(name for name in named if not (ROOT / name).exists() and not (path.parent / name).exists())


def unknown_commands(path: Path) -> set[str]:
    return set(SUBCOMMAND.findall(code(path))) - set(app.commands) - EXAMPLE_FOLDERS


def unknown_targets(path: Path) -> set[str]:
    return set(TARGET.findall(code(path))) - set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))


@each_document
def test_relative_links_resolve(path):
    assert broken_links(path) == []


@each_document
def test_files_named_in_documents_exist(path):
    assert missing_files(path) == []


@each_document
def test_documents_name_only_commands_that_exist(path):
    assert unknown_commands(path) == set()


@each_document
def test_documents_name_only_make_targets_that_exist(path):
    assert unknown_targets(path) == set()


def test_a_broken_document_is_noticed(tmp_path):
    path = tmp_path / "broken.md"
    path.write_text(
        '# A heading\n[good](#a-heading) [bad](#another-heading) [gone](gone.md) <img src="gone.png">\n'
        "`foodvision/gone.py` `gone.json` `foodvision frobnicate` `make nonsense`\n"
        "```bash\n.venv/bin/foodvision fry --json\npython -m foodvision boil\nmake supper\n```\n",
        encoding="utf-8",
    )
    assert broken_links(path) == ["#another-heading", "gone.md", "gone.png"]
    assert missing_files(path) == ["foodvision/gone.py", "gone.json"]
    assert unknown_commands(path) == {"frobnicate", "fry", "boil"}
    assert unknown_targets(path) == {"nonsense", "supper"}


def test_contributing_says_what_each_module_is_for():
    modules = [*(ROOT / "foodvision").rglob("*.py"), *(ROOT / "foodvision/page/static").glob("*.js")]
    paths = {path.relative_to(ROOT).as_posix() for path in modules if not path.name.startswith("__")}
    table = prose(ROOT / "CONTRIBUTING.md").partition("## To change X, open Y")[2]
    named = {name for name in INLINE.findall(table) if name.startswith("foodvision/")}
    assert paths - named == set()


def test_the_readme_is_short():
    assert len(prose(README).split()) <= MAX_README_WORDS


def test_the_readmes_command_options_exist():
    known = {option for command in app.commands.values() for parameter in command.params for option in parameter.opts}
    used = {option for line in COMMAND_LINE.findall(code(README)) for option in re.findall(r" (--[a-z]+)", line)}
    assert used and used <= known


def test_every_row_of_the_feature_table_names_a_test():
    modules = "".join(map(read, (ROOT / "tests").glob("test_*.py")))
    tests = set(re.findall(r"^def test_(\w+)", modules, re.MULTILINE))
    tests |= set(re.findall(r'^test\("(.+?)"', read(ROOT / "tests" / "js" / "words.test.js"), re.MULTILINE))
    table = read(ROOT / "docs" / "features.md").partition("| A visitor can")[2].partition("\n\n")[0]
    named = [row.rstrip(" |").rpartition("|")[2] for row in table.splitlines()[2:]]
    assert named and all("`" in cell or "the same" in cell for cell in named)
    assert {name for cell in named for name in INLINE.findall(cell)} - tests == set()


def test_screenshots_are_small_enough_for_a_readme():
    sizes = {name: (ROOT / "docs" / name).stat().st_size for name in ("page.png", "phone.png")}
    assert max(sizes.values()) < 150_000, sizes


def test_every_document_names_the_same_version():
    released = re.search(r"^## \[(.+)\] - (.+)$", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    cited = re.search(r'^version: (.+)\ndate-released: "(.+)"$', read(ROOT / "CITATION.cff"), re.MULTILINE)
    assert released.groups() == cited.groups()
    assert released[1] == __version__
