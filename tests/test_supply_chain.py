"""The packages we depend on: advisories, licences and a bill of materials. test_hosting.py checks the hashes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from test_hosting import locked

SERVED = locked("serve")


def make(target):
    """Run a target of the Makefile in this test environment, installing nothing."""
    command = ["make", "--silent", "--assume-old=.venv/all", f"BIN={Path(sys.executable).parent}", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")


@pytest.mark.network
def test_no_locked_package_has_a_known_advisory():
    run = make("audit")
    if "ConnectionError" in run.stderr or "ConnectTimeout" in run.stderr:
        pytest.skip("osv.dev cannot be reached: no advisory was looked up (`make audit` does it)")
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_every_served_package_has_an_allowed_licence():
    run = make("licences")
    assert run.returncode == 0, run.stderr
    listed = {line.split()[0].lower().replace("_", "-").replace(".", "-") for line in run.stdout.splitlines()}
    here = {name for name, entries in SERVED.items() if any(not e.marker or e.marker.evaluate() for e in entries)}
    assert here - listed == set()


@pytest.mark.slow
def test_the_bill_of_materials_names_every_served_package_with_its_hashes():
    run = make("sbom")
    assert run.returncode == 0, run.stderr
    bill = json.loads((ROOT / "build" / "sbom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["name"] == "foodvision"
    hashed = {part["name"] for part in bill["components"] if part["externalReferences"][0]["hashes"]}
    assert hashed == set(SERVED)
