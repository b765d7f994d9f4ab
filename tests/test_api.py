"""The HTTP API: each contract's answers, and what is told when there is none."""

import base64
import io
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import ROOT, in_a_thread
from drawn_pizza import draw_pizza
from fastapi.testclient import TestClient
from reliability.files import no_photos

from foodvision import Classifier
from foodvision.answer.classifier import ModelError
from foodvision.api import answering, guard, limits, site
from foodvision.api.errors import APOLOGY, REFUSAL
from foodvision.api.server import create_app
from foodvision.api.settings import Settings, vertex_addresses
from foodvision.cli import main
from foodvision.locate import find_model
from foodvision.page.assets import MAX_BYTES
from foodvision.page.feedback import SETTING, Feedback

CONTRACT = Path(__file__).parent / "api_contract.json"
MODEL = "/v2/models/foodvision"
SECONDS_TO_LOAD = 60


def jpeg():
    file = io.BytesIO()
    draw_pizza(400, 300).save(file, "JPEG")
    return file.getvalue()


PHOTO = jpeg()
BASE64 = base64.b64encode(PHOTO).decode()
NO_PHOTO = b"this is not a photo"


def started(client):
    """The client, once the model is loaded."""
    deadline = time.monotonic() + SECONDS_TO_LOAD
    while client.get("/ping").status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return client


def client_of(**settings):
    return TestClient(create_app(Settings(find_model(), **{"page": False} | settings)), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client():
    with client_of() as client:
        yield started(client)


@pytest.fixture(scope="module")
def expected():
    """What the classifier itself says."""
    return Classifier(threads=1).predict(PHOTO)


def told(response):
    """The sentence in an error's JSON."""
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error"]
    return response.json()["error"]


# FoodVision's own contract


@pytest.mark.parametrize("kind", ["image/jpeg", "application/octet-stream", "application/x-www-form-urlencoded", ""])
def test_the_bytes_of_a_photo_get_the_classifiers_prediction(client, expected, kind):
    answer = client.post("/predict", content=PHOTO, headers={"Content-Type": kind}).json()
    assert answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)
    assert list(answer) == list(expected.to_dict()) and answer["label"] == expected.label


def test_a_form_gets_an_answer_for_each_file_and_a_bad_one_stops_none(client, expected):
    files = [("photo", ("a.jpg", PHOTO)), ("photo", ("b.txt", NO_PHOTO)), ("other", ("é.jpg", PHOTO))]
    answers = client.post("/predict", files=files).json()
    assert [answer["photo"] for answer in answers] == ["a.jpg", "b.txt", "é.jpg"]
    assert [answer.get("label") for answer in answers] == [expected.label, None, expected.label]
    assert answers[1]["error"].startswith("This is not a photo")


def test_the_contract_is_the_one_that_programs_were_promised(capsys):
    assert main(["api", "--openapi"]) == 0
    described = capsys.readouterr().out
    assert json.loads(described) == json.loads(CONTRACT.read_text(encoding="utf-8")), (
        "Programs rely on this contract. If the change adds to it, and takes nothing away: "
        "`foodvision api --openapi > tests/api_contract.json`"
    )


def test_every_request_and_answer_has_an_example_or_a_schema():
    paths = create_app(Settings(find_model())).openapi()["paths"]
    bodies = [verb["post"]["requestBody"] for verb in paths.values() if "post" in verb]
    contents = [content for body in bodies for content in body["content"].items()]
    assert len(contents) > 10
    assert all("example" in content for kind, content in contents if kind == "application/json")
    assert all("schema" in content for _, content in contents)


# Other contracts


def test_hugging_faces_contract_gives_the_likeliest_answers_best_first(client, expected):
    ranked = client.post("/", content=PHOTO, headers={"Content-Type": "image/jpeg"}).json()
    assert ranked[0]["label"] == expected.label
    assert {one["label"]: one["score"] for one in ranked} == pytest.approx(expected.probabilities, abs=1e-5)
    two = client.post("/", json={"inputs": BASE64, "parameters": {"top_k": 2}}).json()
    assert two == ranked[:2]


@pytest.mark.parametrize("parameters", [{"top_k": 0}, {"top_k": "2"}, {"top_k": True}, [], "2"])
def test_hugging_faces_parameters_are_checked(client, parameters):
    assert client.post("/", json={"inputs": BASE64, "parameters": parameters}).status_code == 400


def test_open_inference_gives_labels_and_probabilities_in_the_order_of_the_metadata(client, expected):
    metadata = client.get(MODEL).json()
    labels = next(output["labels"] for output in metadata["outputs"] if output["name"] == "probabilities")
    tensor = {"name": "photos", "shape": [2], "datatype": "BYTES", "data": [BASE64, BASE64]}
    answer = client.post(f"{MODEL}/infer", json={"id": "7", "inputs": [tensor]}).json()
    outputs = {output["name"]: output for output in answer["outputs"]}
    assert answer["id"] == "7" and outputs["label"]["data"] == [expected.label] * 2
    assert outputs["probabilities"]["shape"] == [2, len(labels)]
    assert outputs["probabilities"]["data"] == pytest.approx([expected.probabilities[name] for name in labels] * 2)
    assert json.loads(outputs["prediction"]["data"][1])["label"] == expected.label


def binary(photos, data=None):
    """A request with a photo's bytes behind the JSON: its body and headers."""
    data = data or b"".join(struct.pack("<I", len(photo)) + photo for photo in photos)
    tensor = {"name": "photos", "shape": [len(photos)], "datatype": "BYTES"}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": len(data)}}]}).encode()
    return {"content": head + data, "headers": {"Inference-Header-Content-Length": str(len(head))}}


def test_open_inference_takes_binary_tensors(client, expected):
    answer = client.post(f"{MODEL}/infer", **binary([PHOTO, PHOTO])).json()
    assert answer["outputs"][0]["data"] == [expected.label] * 2


@pytest.mark.parametrize("data", [b"\1", b"\5\0\0\0abc", struct.pack("<I", 2**31) + b"a"])
def test_a_binary_tensor_that_is_cut_short_is_refused(client, data):
    assert "cut short" in told(client.post(f"{MODEL}/infer", **binary([PHOTO], data)))


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready", f"{MODEL}/ready", "/ping"])
def test_a_healthy_server_says_so(client, path):
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/v2/models/other", "/v2/models/other/ready", "/v1/models/other"])
def test_there_is_one_model(client, path):
    response = client.get(path)
    assert response.status_code == 404 and "foodvision" in told(response)


@pytest.mark.parametrize("instance", [{"b64": BASE64}, BASE64, {"image_bytes": {"b64": BASE64}}])
@pytest.mark.parametrize("path", ["/v1/models/foodvision:predict", "/invocations"])
def test_instances_each_get_a_prediction(client, expected, path, instance):
    predictions = client.post(path, json={"instances": [instance, instance]}).json()["predictions"]
    assert [one["label"] for one in predictions] == [expected.label] * 2


def test_an_instance_that_is_no_photo_is_named(client):
    instances = [{"b64": BASE64}, {"b64": base64.b64encode(NO_PHOTO).decode()}]
    response = client.post("/v1/models/foodvision:predict", json={"instances": instances})
    assert response.status_code == 400 and told(response).startswith("Instance 2: This is not a photo")


def test_sagemaker_sends_bytes_or_json(client, expected):
    answer = client.post("/invocations", content=PHOTO, headers={"Content-Type": "application/x-image"}).json()
    assert answer["label"] == expected.label


def test_vertex_ai_chooses_its_addresses(expected):
    environment = {"AIP_HEALTH_ROUTE": "/v1/endpoints/7", "AIP_PREDICT_ROUTE": "/predict"}
    with client_of(vertex=vertex_addresses(environment), key="secret") as client:
        started(client)
        assert client.get("/v1/endpoints/7").status_code == 200
        key = {"Authorization": "Bearer secret"}
        answer = client.post("/predict", json={"instances": [{"b64": BASE64}]}, headers=key).json()
    assert answer["predictions"][0]["label"] == expected.label


# When there is no answer

ADDRESSES = ["/predict", "/", "/invocations", "/picture"]


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_file_that_is_no_photo_is_a_bad_request(client, path):
    response = client.post(path, content=NO_PHOTO, headers={"Content-Type": "image/jpeg"})
    assert response.status_code == 400 and "Try a JPEG" in told(response)
    assert json.loads(response.headers[REFUSAL]) == {"code": "not_a_photo", "values": []}


def test_every_file_that_is_no_photo_gets_a_sentence(client):
    samples = list(no_photos())
    responses = [client.post("/predict", content=sample.make()) for sample in samples]
    assert len(samples) > 50
    assert {response.status_code for response in responses} == {400}
    assert all(told(response).endswith(".") for response in responses)


@pytest.mark.parametrize("kind", ["text/plain", "video/mp4", "application/pdf"])
@pytest.mark.parametrize("path", ADDRESSES)
def test_other_media_types_are_unsupported(client, path, kind):
    response = client.post(path, content=PHOTO, headers={"Content-Type": kind})
    assert response.status_code == 415 and "application/octet-stream" in told(response)


@pytest.mark.parametrize("size", [MAX_BYTES + 1, limits.MAX_BODY_BYTES + 1])
def test_a_photo_that_is_too_large_is_refused(client, size):
    response = client.post("/predict", content=bytes(size))
    assert response.status_code == (413 if size > limits.MAX_BODY_BYTES else 400) and "smaller" in told(response)


def test_a_body_without_a_length_is_refused_once_it_is_too_large(client):
    parts = (bytes(1_000_000) for _ in range(limits.MAX_BODY_BYTES // 1_000_000 + 2))
    assert client.post("/predict", content=parts).status_code == 413


def test_too_many_photos_in_one_request_are_refused(client):
    many = limits.MAX_PHOTOS + 1
    instances = client.post("/v1/models/foodvision:predict", json={"instances": [BASE64[:4]] * many})
    tensor = {"name": "photos", "shape": [many], "datatype": "BYTES", "data": [BASE64[:4]] * many}
    inferred = client.post(f"{MODEL}/infer", json={"inputs": [tensor]})
    form = client.post("/predict", files=[("photo", ("a.jpg", PHOTO))] * many)
    assert [instances.status_code, inferred.status_code, form.status_code] == [413, 413, 400]
    assert all("at most" in told(response) for response in (instances, inferred, form))


BAD_JSON = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[1]",
    "deep": b'{"instances":' * 900,
    "a huge number": b'{"instances": ' + b"9" * 10_000 + b"}",
    "no text": b'{"instances": "\xff\xfe"}',
    "no list": b'{"instances": 7, "inputs": 7}',
    "no instance": b'{"instances": [], "inputs": []}',
    "no base64": b'{"instances": ["?"], "inputs": [{"datatype": "BYTES", "data": ["?"]}]}',
    "no string": b'{"instances": [7], "inputs": [{"datatype": "BYTES", "data": [7]}]}',
    "no photo": b'{"instances": [null], "inputs": [null]}',
}


@pytest.mark.parametrize("what", BAD_JSON)
@pytest.mark.parametrize("path", ["/v1/models/foodvision:predict", "/invocations", "/", f"{MODEL}/infer"])
def test_json_that_is_not_understood_gets_a_sentence(client, path, what):
    response = client.post(path, content=BAD_JSON[what], headers={"Content-Type": "application/json"})
    assert response.status_code == 400 and told(response)


def test_json_of_many_small_parts_is_refused_before_it_fills_the_memory(client):
    content = b'{"instances": [' + b"[]," * 1_000_000 + b"[]]}"
    response = client.post("/invocations", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"--x\r\n", b"--x\r\n\r\n--x--", b'--x\r\nContent-Disposition: form-data; name="a']
)
def test_a_broken_form_gets_a_sentence(client, body):
    response = client.post("/predict", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert response.status_code == 400 and told(response)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/predict", 405)])
def test_wrong_addresses_and_methods_get_json(client, method, path, status):
    response = client.request(method, path)
    assert response.status_code == status and "/openapi.json" in told(response)


def test_while_the_model_loads_programs_are_told_to_wait(monkeypatch):
    loaded = threading.Event()
    monkeypatch.setattr(answering, "Classifier", lambda *_, **__: loaded.wait() and Classifier(find_model()))
    with client_of() as client:
        for response in (client.post("/predict", content=PHOTO), client.get("/v2/health/ready"), client.get("/ping")):
            assert response.status_code == 503 and "loading" in told(response)
            assert response.headers["Retry-After"] == "1"
        assert client.get("/v2/health/live").status_code == 200
        loaded.set()
        assert started(client).post("/predict", content=PHOTO).status_code == 200


def test_a_full_queue_tells_programs_when_to_come_back(monkeypatch):
    with client_of() as client:
        queue = started(client).app.state.answering
        monkeypatch.setattr(queue, "waiting", queue.max_waiting)
        response = client.post("/predict", content=PHOTO)
        assert response.status_code == 429 and "Retry-After" in told(response)
        assert 1 <= int(response.headers["Retry-After"]) <= limits.MAX_RETRY_AFTER_S
        monkeypatch.setattr(queue, "waiting", 0)
        assert client.post("/predict", content=PHOTO).status_code == 200


def test_bodies_that_fill_the_memory_together_have_to_wait(monkeypatch):
    monkeypatch.setattr(guard, "MAX_HELD_BYTES", len(PHOTO))
    with client_of() as client:
        for _ in range(3):  # what a request held is given back
            assert started(client).post("/predict", content=PHOTO).status_code == 200
        response = client.post("/predict", content=PHOTO + b"\0")
        assert response.status_code == 429 and response.headers["Retry-After"]


def test_a_model_that_fails_on_a_photo_is_the_servers_fault(monkeypatch):
    def fail(_):
        raise ModelError("This model fails.")

    with client_of() as client:
        monkeypatch.setattr(started(client).app.state.answering.classifier, "predict", fail)
        response = client.post("/predict", content=PHOTO)
    assert response.status_code == 500 and told(response) == APOLOGY


# What the owner decides


def test_with_a_key_only_its_holders_are_answered_and_there_is_no_page():
    with client_of(key="sécret", page=True) as client:
        started(client)
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": ""}):
            response = client.post("/predict", content=PHOTO, headers=headers)
            assert response.status_code == 401 and "Bearer" in told(response)
        for name, value in (("Authorization", "Bearer sécret"), ("X-API-Key", "sécret")):
            assert client.post("/predict", content=PHOTO, headers={name: value.encode()}).status_code == 200
        assert client.get("/", headers={"X-API-Key": "sécret".encode()}).status_code == 405


def test_other_sites_may_use_it_only_if_the_owner_says_so(client):
    site = {"Origin": "https://menu.example"}
    assert "access-control-allow-origin" not in client.post("/predict", content=PHOTO, headers=site).headers
    with client_of(origins=("https://menu.example",), key="secret") as open_client:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        preflight = open_client.options("/predict", headers=site | asked)
        assert preflight.headers["access-control-allow-origin"] == "https://menu.example"
        refused = open_client.post("/predict", content=PHOTO, headers=site)  # a script has to see why
        assert refused.status_code == 401 and refused.headers["access-control-allow-origin"] == site["Origin"]
        other = open_client.options("/predict", headers={"Origin": "https://other.example"} | asked)
        assert "access-control-allow-origin" not in other.headers


def test_it_answers_only_under_the_names_that_the_owner_allows():
    with client_of(hosts=("*.example.com", "localhost")) as client:
        started(client)
        for host in ("food.example.com", "FOOD.example.com:8000", "localhost:8000"):
            assert client.post("/predict", content=PHOTO, headers={"Host": host}).status_code == 200
        for host in ("example.org", "evil-example.com", ""):
            response = client.post("/predict", content=PHOTO, headers={"Host": host})
            assert response.status_code == 400 and "host" in told(response)
        assert client.get("/v2/health/ready", headers={"Host": "10.0.0.7"}).status_code == 200, (
            "a probe uses an address"
        )


@pytest.mark.parametrize("allowed", ["::1", "[::1]"])
def test_an_ipv6_address_is_a_host_name_too(allowed):
    with client_of(hosts=(allowed,)) as client:
        started(client)
        for host, status in {"[::1]": 200, "[::1]:8000": 200, "[::2]:8000": 400, "1": 400}.items():
            assert client.post("/predict", content=PHOTO, headers={"Host": host}).status_code == status


def test_metrics_count_answers_and_errors_without_names_or_photos(client):
    client.post("/predict", files=[("photo", ("secret-name.jpg", PHOTO))])
    client.post("/predict", content=NO_PHOTO)
    text = client.get("/metrics").text
    assert 'foodvision_answers_total{label="' in text and 'foodvision_errors_total{reason="Bad Request"}' in text
    assert "foodvision_answer_seconds_count" in text and "foodvision_confidence_bucket" in text
    assert "foodvision_waiting 0.0" in text and "secret-name" not in text


@pytest.mark.parametrize(
    ("host", "asked", "shown"), [("0.0.0.0", None, 404), ("0.0.0.0", True, 200), ("::1", None, 200)]
)
def test_metrics_are_off_where_others_could_read_them_unless_the_owner_wants_that(host, asked, shown):
    with client_of(host=host, metrics=asked) as client:
        assert client.get("/metrics").status_code == shown


def test_each_request_is_a_line_in_the_log_without_names_or_addresses(client, caplog):
    caplog.set_level("INFO", "foodvision.api")
    client.post("/predict?name=secret", files=[("photo", ("secret.jpg", PHOTO))])
    client.get("/secret/path")
    fields = [record.fields for record in caplog.records if record.name == "foodvision.api"]
    assert [(one["path"], one["status"]) for one in fields] == [("/predict", 200), ("elsewhere", 404)]
    assert set(fields[0]["answers"][0]) == {"label", "probability", "unsure"}
    assert "secret" not in json.dumps(fields) and "testclient" not in json.dumps(fields)


def test_the_page_has_the_security_headers_that_voila_gives_it():
    headers = json.loads((ROOT / "voila.json").read_text("utf-8"))["Voila"]["tornado_settings"]["headers"]
    policy = headers.pop("Content-Security-Policy")
    assert headers == site.HEADERS
    assert site.FRAMES in policy.split("; ")


# Feedback


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """A client of a server that keeps verdicts, and where it keeps them."""
    monkeypatch.setenv(SETTING, str(tmp_path / "feedback.db"))
    with client_of() as client:
        yield started(client), Feedback(tmp_path / "feedback.db")


def test_a_verdict_is_kept_with_its_answer_and_a_photo_only_if_it_is_sent(judged, expected):
    client, feedback = judged
    answer = client.post("/predict", content=PHOTO).headers["Foodvision-Answer"]
    assert not feedback.verdicts()
    assert client.post(f"/feedback/{answer}?truth=sushi").json() == {"photo_kept": False}
    (verdict,) = feedback.verdicts()
    assert (verdict["label"], verdict["truth"], verdict["has_photo"]) == (expected.label, "sushi", False)
    kept = client.post(f"/feedback/{answer}?truth=steak", content=PHOTO)
    assert kept.json() == {"photo_kept": True}
    (verdict,) = feedback.verdicts()
    assert (verdict["truth"], verdict["has_photo"]) == ("steak", True)
    assert feedback.photo(answer) != PHOTO, "kept as it came, with all that is in it"


@pytest.mark.parametrize("truth", ["ramen", "Okonomiyaki", "Crème brûlée & co."])
def test_a_verdict_names_a_dish_or_anything_else(judged, truth):
    client, feedback = judged
    answer = client.post("/predict", content=PHOTO).headers["Foodvision-Answer"]
    assert client.post(f"/feedback/{answer}", params={"truth": truth}).status_code == 200
    assert [verdict["truth"] for verdict in feedback.verdicts()] == [truth]


@pytest.mark.parametrize("truth", ["", "  ", "two\nlines", "x" * 61])
def test_a_verdict_that_nobody_could_have_typed_is_refused(judged, truth):
    client, feedback = judged
    answer = client.post("/predict", content=PHOTO).headers["Foodvision-Answer"]
    response = client.post(f"/feedback/{answer}", params={"truth": truth})
    assert response.status_code == 400 and "at most 60 characters" in told(response)
    assert not feedback.verdicts()


def test_a_verdict_on_no_answer_or_with_no_answer_is_refused(judged):
    client, feedback = judged
    answer = client.post("/predict", content=PHOTO).headers["Foodvision-Answer"]
    assert client.post("/feedback/unknown?truth=sushi").status_code == 404
    assert client.post(f"/feedback/{answer}").status_code == 400
    assert client.post(f"/feedback/{answer}?truth=sushi", content=NO_PHOTO).status_code == 400
    assert not feedback.verdicts()


def test_nothing_is_kept_unless_the_owner_asks_for_feedback(client):
    response = client.post("/predict", content=PHOTO)
    assert "Foodvision-Answer" not in response.headers
    assert client.post("/feedback/any?truth=sushi").status_code == 404


# The command


def test_a_missing_model_stops_the_server_with_a_sentence(tmp_path, capsys):
    assert in_a_thread(main, ["api", "--no-page", "--port", "0", "--model", str(tmp_path / "none.onnx")]) == 2
    assert "foodvision compile" in capsys.readouterr().err.splitlines()[-1]


def test_a_notebook_without_a_dashboard_stops_the_server_with_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "foodvision.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "utf-8"
    )
    assert in_a_thread(main, ["api", "--port", "0"]) == 2
    assert "no dashboard" in capsys.readouterr().err.splitlines()[-1]


def test_the_server_imports_nothing_of_jupyters():
    """It would take seconds and a hundred megabytes."""
    script = "import sys, foodvision.api.server; print(*{name.partition('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    imported = set(ran.stdout.split())
    assert "fastapi" in imported
    assert not imported & {"nbformat", "nbconvert", "jupyter_client", "ipywidgets", "IPython", "voila"}


def test_a_port_in_use_is_reported(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert in_a_thread(main, ["api", "--port", str(other.getsockname()[1])]) == 2
    assert "Choose another with --port" in capsys.readouterr().err
