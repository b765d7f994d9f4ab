"""`foodvision serve` and `foodvision static`."""

from pathlib import Path

import click

from .. import options
from ..locate import NOTEBOOK, find_file


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[NOTEBOOK] [VOILA OPTIONS]")
def serve(options: tuple[str, ...]) -> int:
    """Serve the page, or your own notebook.

    Without NOTEBOOK, this is foodvision.ipynb in the current folder, or else FoodVision's own. The notebook runs once
    before the server starts listening, so a missing or stale model is reported here.

    \b
    foodvision serve
    foodvision serve --no-browser --port=8866
    foodvision serve --Voila.ip=0.0.0.0           let other computers connect
    foodvision serve foodvision.ipynb             serve this notebook and no other
    """
    from .notebook import ServeError
    from .server import FoodVision

    try:
        FoodVision.launch_instance(list(options))
    except ServeError as error:
        click.echo(error, err=True)
        return 2
    return 0


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--notebook", type=click.Path(path_type=Path), help="The page's notebook. Default: foodvision.ipynb.")
@options.MODEL
def static(folder: Path, notebook: Path | None, model: Path) -> int:
    """Write the page as a folder of files that answers photos in the browser.

    Any web server can serve the folder, at any address: GitHub Pages, a Hugging Face Space, your own. No photo leaves
    the visitor's device. Feedback needs a server, so the page doesn't ask for it.

    \b
    foodvision static site
    python -m http.server --directory site
    """
    from .notebook import ServeError
    from .static_app import StaticError, write_static

    try:
        size = write_static(folder, notebook or find_file(NOTEBOOK), model)
    except (ServeError, StaticError) as error:
        click.echo(error, err=True)
        return 2
    click.echo(f"{folder} ({size / 1e6:.1f} MB) can be served by any web server: python -m http.server -d {folder}")
    return 0
