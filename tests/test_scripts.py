"""What the page's scripts promise without a browser: `tests/js/`, run by Node."""

import re
import shutil
import subprocess

import pytest
from conftest import ROOT

from foodvision.page.assets import STATIC, join_modules

NODE = shutil.which("node")
OLDEST_NODE = 20
NAME = re.compile(
    r"^(?:export )?(?:async )?(?:const|let|function\*?|class) (?:\[([^\]]*)\]|\{([^}]*)\}|(\w+))", re.MULTILINE
)


@pytest.mark.slow
def test_the_scripts_keep_their_promises():
    version = subprocess.run([NODE, "--version"], capture_output=True, text=True).stdout if NODE else "v0"
    if int(version[1:].partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"no Node {OLDEST_NODE} or newer: the scripts were tested in the browser only")
    run = subprocess.run([NODE, "--test", "tests/js/"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stdout


def test_no_two_modules_use_the_same_name_because_they_become_one_script():
    scripts = [file.read_text(encoding="utf-8") for file in STATIC.glob("*.js")]
    declared = ["".join(filter(None, match.groups())) for script in scripts for match in NAME.finditer(script)]
    names = [name for group in declared for name in re.findall(r"\w+", group)]
    assert len(names) > 50
    assert sorted(names) == sorted(set(names))


def test_the_joined_script_has_no_imports_and_no_comments():
    script = join_modules()
    assert not re.findall(r"^\s*import |(?:^|\s)//|/\*\*", script, re.MULTILINE)
    assert script.count("export ") == 1


def test_every_module_is_small():
    assert {
        file.name: lines for file in STATIC.glob("*.js") if (lines := file.read_text("utf-8").count("\n")) > 250
    } == {}
