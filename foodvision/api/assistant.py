"""The command `foodvision mcp`: an assistant can ask what is in a photo, over the Model Context Protocol."""

from pathlib import Path
from typing import Any

import click

from .. import options

INSTALL = "This needs mcp, which isn't installed. Install it: pip install -e '.[mcp]'"


@click.command()
@options.MODEL
def mcp(model: Path) -> int:
    """Let an assistant ask what is in a photo on this computer.

    The assistant starts this command itself, and talks to it over standard input and output.
    """
    from ..answer.classifier import Classifier
    from ..answer.photo import PhotoError

    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
    except ModuleNotFoundError:
        click.echo(INSTALL, err=True)
        return 1
    classifier = Classifier(model)
    server = MCPServer("FoodVision", instructions=f"Tells photos of {', '.join(classifier.titles.values())} apart.")

    @server.tool()
    def name_food(photo: str) -> dict[str, Any]:
        """Name the food in a photo: the label, the probability of each answer, and whether the model is unsure.

        `photo` is the path of a file on this computer.
        """
        try:
            return classifier.predict(photo).to_dict()
        except PhotoError as error:
            raise ToolError(str(error)) from error

    server.run("stdio")
    return 0
