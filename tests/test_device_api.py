"""The API's page can answer on the visitor's device, too."""

import pytest
from conftest import ROOT
from fastapi import FastAPI
from fastapi.testclient import TestClient

from foodvision.api.errors import ApiError
from foodvision.api.site import Site
from foodvision.page.device import RUNTIME, device_files

MODEL = ROOT / "export.onnx"
pytestmark = pytest.mark.skipif(
    not RUNTIME.exists(), reason="no onnxruntime-web: answering in the browser was not tested (npm ci installs it)"
)


@pytest.fixture(scope="module")
def client():
    app = FastAPI()
    app.include_router(Site(MODEL, feedback_on=False).router())
    return TestClient(app)


def test_the_page_knows_where_the_files_are():
    files = device_files(MODEL)
    assert f'"folder": "device/", "worker": "{files.worker}"' in Site(MODEL, feedback_on=False)._render().html


def test_every_file_is_served_and_may_be_kept(client):
    files = device_files(MODEL)
    for name in files.names:
        reply = client.get(f"/device/{name}")
        assert reply.status_code == 200 and reply.content == files.read(name), name
        assert "immutable" in reply.headers["Cache-Control"]
        assert "'wasm-unsafe-eval'" in reply.headers["Content-Security-Policy"]


def test_files_of_another_model_are_gone(client):
    with pytest.raises(ApiError, match="newer model"):
        client.get("/device/model-0123456789abcdef/model.json")
