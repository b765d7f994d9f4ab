"""Programs and visitors that ask a server about one photo, as FoodVision's API and Gradio's are called."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from time import perf_counter, sleep

CLIENTS = 8
PATIENCE = 600  # seconds: in a crowd on a busy machine, the last one waits long
BOUNDARY = "photo"


class FoodVisionClient:
    """Sends a photo's bytes, and reads its prediction. It waits for as long as a busy server says."""

    def __init__(self, port):
        self.connection = HTTPConnection("localhost", port, timeout=PATIENCE)

    def ask(self, photo):
        return self._json("POST", "/predict", photo, "image/jpeg")["label"]

    def open_page(self):
        """The page, packed as for a browser."""
        return self._read("GET", "/", None, {"Accept-Encoding": "gzip"})

    def _json(self, method, path, body, kind="application/json"):
        return json.loads(self._read(method, path, body, {"Content-Type": kind}))

    def _read(self, method, path, body, headers):
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        if wait_s := response.headers["Retry-After"]:
            self.connection.close()  # the server would, too; the next request opens it again
            sleep(int(wait_s))
            return self._read(method, path, body, headers)
        if response.status != 200:
            raise ConnectionError(f"{path} answered {response.status}: {content[:200]!r}")
        return content


class GradioClient(FoodVisionClient):
    """Uploads a photo, asks about it, and waits for the event that has the answer, as Gradio's clients do."""

    def ask(self, photo):
        head = 'Content-Disposition: form-data; name="files"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        form = f"--{BOUNDARY}\r\n{head}".encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
        (path,) = self._json("POST", "/gradio_api/upload", form, f"multipart/form-data; boundary={BOUNDARY}")
        data = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
        event = self._json("POST", "/gradio_api/call/predict", json.dumps(data))["event_id"]
        self.connection.request("GET", f"/gradio_api/call/predict/{event}")
        lines = self.connection.getresponse().read().decode().splitlines()
        if "event: complete" not in lines:
            raise ConnectionError(f"Gradio gave no answer: {lines}")
        (answer,) = json.loads(lines[lines.index("event: complete") + 1].removeprefix("data: "))
        return answer["label"]


async def seconds_per_request(client, port, photo, requests, clients=CLIENTS):
    """Seconds from the first request of all clients to the last answer, divided by the number of requests."""

    def ask_in_turn(_):
        asking = client(port)
        for _ in range(requests // clients):
            asking.ask(photo)

    def ask_all():
        start = perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(ask_in_turn, range(clients)))
        return (perf_counter() - start) / (requests // clients * clients)

    return await asyncio.to_thread(ask_all)


def crowd(port, photo, visitors):
    """(label, seconds) of so many visitors at once. Each opens the page and asks about a photo.

    Like the page, they try again if the connection breaks off.
    """

    def patiently(ask, deadline):
        while True:
            try:
                return ask(FoodVisionClient(port))
            except OSError:
                if perf_counter() > deadline:
                    raise
                sleep(1)

    def visit(_):
        start = perf_counter()
        patiently(FoodVisionClient.open_page, start + PATIENCE)
        label = patiently(lambda client: client.ask(photo), start + PATIENCE)
        return label, perf_counter() - start

    with ThreadPoolExecutor(visitors) as pool:
        return list(pool.map(visit, range(visitors)))
