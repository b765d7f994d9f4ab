"""`foodvision mcp`, as the Model Context Protocol's own client talks to it."""

import asyncio
import sys

import pytest
from conftest import ROOT, in_a_thread
from drawn_pizza import draw_pizza
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from foodvision import Classifier

pytestmark = pytest.mark.slow
SERVER = StdioServerParameters(command=sys.executable, args=["-m", "foodvision", "mcp"], cwd=ROOT)


def called(*photos):
    """The tools that an assistant is offered, and what they say of each photo."""

    async def talk():
        async with Client(stdio_client(SERVER)) as client:
            tools = (await client.list_tools()).tools
            return tools, [await client.call_tool("name_food", {"photo": str(photo)}) for photo in photos]

    return in_a_thread(asyncio.run, talk())


def test_an_assistant_asks_what_is_on_a_photo(tmp_path):
    photo, text = tmp_path / "photo.jpg", tmp_path / "notes.txt"
    draw_pizza(400, 300).save(photo)
    text.write_text("this is not a photo", encoding="utf-8")
    (tool,), (answer, refusal, missing) = called(photo, text, tmp_path / "none.jpg")
    assert tool.name == "name_food" and "photo" in tool.input_schema["properties"]
    expected = Classifier().predict(photo)
    assert answer.structured_content["label"] == expected.label
    assert answer.structured_content["probabilities"] == pytest.approx(expected.probabilities)
    assert refusal.is_error and "This is not a photo" in refusal.content[0].text
    assert missing.is_error and "There is no such file" in missing.content[0].text
