"""The API's server as programs meet it: their own clients, crowds, slow and hostile ones."""

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache, partial
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import schemathesis
from conftest import PATIENCE, serve
from drawn_pizza import draw_pizza
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from open_inference.openapi.client import InferenceRequest, OpenInferenceClient
from open_inference.openapi.errors import NotFoundError
from reliability.files import bombs

from foodvision import Classifier
from foodvision.api.connection import TimedConnection
from foodvision.api.limits import MAX_BODY_BYTES
from foodvision.api.server import create_app
from foodvision.api.settings import Settings
from foodvision.locate import find_model

pytestmark = pytest.mark.slow
COMMAND = ["foodvision", "api", "--no-page"]
FUZZED = 10  # requests for each operation; `--hypothesis-seed` repeats them
CROWD = 100  # requests at once
MAX_MEGABYTES = 1000  # of the server, whatever it is sent


pizza = cache(partial(draw_pizza, 400, 300))


def jpeg(size=640):
    file = io.BytesIO()
    pizza().resize((size, size)).save(file, "JPEG")
    return file.getvalue()


PHOTO = jpeg()


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A running server: its `url` ends in a slash."""
    with serve(COMMAND, "/", tmp_path_factory) as server:
        wait_until_ready(server)
        yield server


@pytest.fixture(scope="module")
def label():
    return Classifier(threads=1).predict(PHOTO).label


def wait_until_ready(server):
    deadline = time.monotonic() + PATIENCE
    while status(server, "v2/health/ready")[0] == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def status(server, path, content=None, kind="image/jpeg"):
    """The status of a response, and its JSON."""
    try:
        with urlopen(Request(server.url + path, content, {"Content-Type": kind}), timeout=PATIENCE) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        return error.code, json.load(error)


def port_of(server):
    return int(server.url.rsplit(":", 1)[1].strip("/"))


def connection(server):
    return closing(socket.create_connection(("localhost", port_of(server)), timeout=PATIENCE))


# Clients that nobody changed for FoodVision


def test_hugging_faces_client_classifies_a_photo(api, label, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(PHOTO)
    client = InferenceClient(model=api.url)
    for photo in (PHOTO, str(path), path):
        answers = client.image_classification(photo)
        assert answers[0].label == label and answers[0].score > 0.2
    assert [one.label for one in client.image_classification(PHOTO, top_k=2)] == [one.label for one in answers[:2]]
    with pytest.raises(HfHubHTTPError, match="This is not a photo"):
        client.image_classification(b"this is not a photo")


def test_curl_sends_a_photo_in_the_shortest_way(api, label, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("no curl: its requests were not tried")
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(3000))  # large enough for curl to ask first whether it may send it
    for form in (["--data-binary", f"@{path}"], ["--upload-file", str(path), "--request", "POST"]):
        said = subprocess.run(["curl", "--silent", *form, f"{api.url}predict"], capture_output=True, check=True)
        assert json.loads(said.stdout)["label"] == label
    both = ["--form", f"photo=@{path}", "--form", f"photo=@{__file__}"]
    said = subprocess.run(["curl", "--silent", *both, f"{api.url}predict"], capture_output=True, check=True)
    assert [list(one)[:2] for one in json.loads(said.stdout)] == [["photo", "label"], ["photo", "error"]]


def test_the_open_inference_protocols_client_infers(api, label):
    client = OpenInferenceClient(base_url=api.url.rstrip("/"))
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness("foodvision")
    (expected,) = client.read_model_metadata("foodvision").inputs
    photos = [base64.b64encode(PHOTO).decode()] * 2
    tensor = {"name": expected.name, "shape": [2], "datatype": expected.datatype, "data": photos}
    outputs = client.model_infer("foodvision", request=InferenceRequest(id="7", inputs=[tensor])).outputs
    data = {output.name: output.data.__root__ for output in outputs}
    assert data["label"] == [label, label] and len(data["probabilities"]) == 2 * len(Classifier().answers)
    with pytest.raises(NotFoundError):
        client.check_model_readiness("another")


def test_tritons_client_infers(api, label):
    triton = pytest.importorskip("tritonclient.http", reason="tritonclient isn't installed: its v2 was not tried")
    np = pytest.importorskip("numpy")
    client = triton.InferenceServerClient(f"localhost:{port_of(api)}")
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("foodvision")
    photos = triton.InferInput("photos", [1], "BYTES")
    photos.set_data_from_numpy(np.array([PHOTO], dtype=object))
    answer = client.infer("foodvision", [photos])
    assert answer.as_numpy("label").tolist() == [label]
    assert answer.as_numpy("probabilities").shape == (1, len(Classifier().answers))


# Crowds and strangers


def test_everyone_in_a_crowd_gets_the_answer_to_their_own_photo(api):
    photos = [PHOTO, jpeg(300), b"this is not a photo"]
    alone = [status(api, "predict", photo) for photo in photos]
    with ThreadPoolExecutor(CROWD) as pool:
        together = list(pool.map(lambda place: status(api, "predict", photos[place % 3]), range(CROWD)))
    for place, (code, answer) in enumerate(together):
        assert code == alone[place % 3][0]
        assert answer.get("probabilities") == alone[place % 3][1].get("probabilities")


def test_small_files_that_could_take_all_memory_or_time_get_a_sentence(api):
    samples = [sample for sample in bombs() if len(sample.make()) <= MAX_BODY_BYTES][::4]
    assert len(samples) > 5
    for sample in samples:
        code, answer = status(api, "predict", sample.make())
        assert code in (200, 400), sample.what
        assert code == 200 or answer["error"].endswith("."), sample.what
    assert api.process.memory_info().rss < MAX_MEGABYTES * 1e6
    assert status(api, "predict", PHOTO)[0] == 200


def test_connections_that_say_nothing_or_stop_half_way_hold_nobody_up(api):
    starts = [
        b"",
        b"POST /predict HTT",
        b"POST /predict HTTP/1.1\r\nHost: x\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc",
    ]
    silent = [socket.create_connection(("localhost", port_of(api))) for _ in range(200)]
    try:
        for place, one in enumerate(silent):
            one.sendall(starts[place % len(starts)])
        assert status(api, "predict", PHOTO)[0] == 200
    finally:
        for one in silent:
            one.close()
    assert status(api, "predict", PHOTO)[0] == 200


def test_a_client_that_leaves_before_its_answer_holds_nobody_up(api):
    for _ in range(20):
        with connection(api) as leaving:
            leaving.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(PHOTO) + PHOTO)
    assert status(api, "predict", PHOTO)[0] == 200
    assert status(api, "metrics.json")[0] == 404


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost", b"\0\1\2\3 nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_bytes_that_are_no_http_are_refused_or_time_out(api, sent):
    with connection(api) as stranger:
        stranger.sendall(sent)
        stranger.shutdown(socket.SHUT_WR)
        assert b" 200 " not in stranger.recv(10_000)
    assert status(api, "ping")[0] == 200


def test_a_slow_connection_ends_by_itself(tmp_path_factory):
    short = "from foodvision.api import connection, guard, limits; T = connection.TimedConnection; "
    short += "T.head_timeout_s = 1; guard.BODY_TIMEOUT_S = 1; guard.Guard.__init__.__defaults__ = ('', (), (), 1); "
    assert TimedConnection.head_timeout_s > 1
    script = tmp_path_factory.mktemp("slow") / "slow_api.py"
    script.write_text(f"import sys; {short}from foodvision.cli import main; sys.exit(main(['api', *sys.argv[1:]]))")
    with serve_script(script, tmp_path_factory) as server:
        wait_until_ready(server)
        with connection(server) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\n")
            assert slow.recv(1000) == b"", "a connection without complete headers stays open"
        with connection(server) as slow:
            slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
            assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert status(server, "predict", PHOTO)[0] == 200


def serve_script(script, tmp_path_factory):
    return serve([script.stem, "--no-page"], "/", tmp_path_factory, PYTHONPATH=f"{script.parent}:{os.getcwd()}")


def test_a_server_that_is_asked_to_stop_answers_what_it_has_taken(tmp_path_factory, label):
    with serve(COMMAND, "/", tmp_path_factory) as server:
        wait_until_ready(server)
        large = jpeg(2000)
        with ThreadPoolExecutor(20) as pool:
            asked = [pool.submit(status, server, "predict", large) for _ in range(20)]
            while not any(one.done() for one in asked):
                time.sleep(0.005)
            server.process.send_signal(signal.SIGTERM)
            codes = [one.result()[0] for one in asked if one.exception() is None]
        assert codes.count(200) == len(codes) >= 1
        server.process.wait(PATIENCE)


# Along the API's own description

schema = schemathesis.openapi.from_dict(create_app(Settings(find_model(), page=False)).openapi())


@schema.parametrize()
@hypothesis_settings(
    max_examples=FUZZED,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_along_the_description_breaks_the_server(case, api):
    response = case.call(base_url=api.url.rstrip("/"))
    assert response.status_code < 500
    if response.status_code >= 400 and case.method != "HEAD":
        assert set(response.json()) == {"error"}
