"""Links that open the app: `foodvision share` prints them or writes them into the documents."""

import os
import re
from pathlib import Path
from urllib.parse import quote

import click

from ..locate import CHECKOUT, NOTEBOOK, PACKAGED
from .remote import Repository, find_repository, has_remote, project_files

PLACEHOLDER = "OWNER/REPO"  # what the documents say until the repository has an address
PAGES_PLACEHOLDER = "https://OWNER.github.io/REPO"  # where the landing page in docs/ may be published
DOCUMENTS = {".cff", ".html", ".ipynb", ".md", ".toml", ".yaml", ".yml"}
TRAINING = "train.ipynb"
BINDER, COLAB = "https://mybinder.org/v2", "https://colab.research.google.com/github"
PAGE = f"?urlpath=voila%2Frender%2F{NOTEBOOK}"
LINK = re.compile(
    rf"(?P<before>{BINDER}/)gh/{PLACEHOLDER}|https://github\.com/{PLACEHOLDER}|{PLACEHOLDER}"
    rf"|(?P<pages>{re.escape(PAGES_PLACEHOLDER)})"
)
BADGE_LINE = re.compile(rf"^\[!\[.*{re.escape(COLAB)}/{PLACEHOLDER}.*\n", re.MULTILINE)
NOTHING = "There is nothing to link to. Push this folder to a public git repository first."
NOT_PUBLIC = "The git remote is not on a public host. Add one that is, GitHub for example, and push this folder to it."


def print_links(folder: Path | None = None, write: bool = False) -> int:
    """Print the links and badges, or write them into the documents. Returns 1 if there is no public remote."""
    folder = folder or _project() or Path.cwd()
    repository = find_repository(folder)
    if not repository:
        click.echo(NOT_PUBLIC if has_remote(folder) else NOTHING, err=True)
        return 1
    if write:
        return _print_written(folder, repository)
    page, training = binder_link(folder), colab_link(folder)
    click.echo(f"The page:       {page}\nThe training:   {training or 'Colab opens notebooks from GitHub only.'}\n")
    click.echo(f"[![Binder](https://mybinder.org/badge_logo.svg)]({page})")
    if training:
        click.echo(f"[![Colab](https://colab.research.google.com/assets/colab-badge.svg)]({training})")
    if unlinked := documents_to_link(folder):
        click.echo(f"\n{PLACEHOLDER} still stands in {_names(unlinked, folder)}. Run: foodvision share --write")
    return 0


def binder_link(folder: Path | None = None) -> str | None:
    """Address of the page on Binder, for the branch that `folder` is pushed to; None without a public remote.

    Without `folder`, it is for the running project: on any BinderHub, the link that launched it.
    """
    if not folder:
        host, request = (os.environ.get(f"BINDER_{name}", "").strip("/") for name in ("LAUNCH_HOST", "REQUEST"))
        if host and request:
            return f"{host}/{request}{PAGE}"
    folder = folder or _project()
    repository = find_repository(folder) if folder else None
    return f"{BINDER}/{_on_binder(repository)}/{quote(repository.ref, safe='')}{PAGE}" if repository else None


def source_link() -> str | None:
    """Address of the running project's code; None without a public remote."""
    folder = _project()
    repository = find_repository(folder) if folder else None
    return repository.address if repository else None


def colab_link(folder: Path) -> str | None:
    """Address of `train.ipynb` on Colab; None if the repository is not on GitHub."""
    repository = find_repository(folder)
    if not repository or not repository.on_github:
        return None
    return f"{COLAB}/{repository.path}/blob/{quote(repository.ref)}/{TRAINING}"


def documents_to_link(folder: Path) -> list[Path]:
    """Documents that still say OWNER/REPO."""
    documents = (path for path in project_files(folder) if path.suffix in DOCUMENTS)
    return [path for path in documents if PLACEHOLDER in path.read_text(encoding="utf-8", errors="replace")]


def write_links(folder: Path, repository: Repository) -> list[Path]:
    """Write the repository's address into every document that says OWNER/REPO, and return those documents.

    The README's Colab badge is removed if Colab can't open the repository.
    """
    written = documents_to_link(folder)
    for path in written:
        text = path.read_bytes().decode("utf-8")  # keeps the line endings as they are
        if not repository.on_github:
            text = BADGE_LINE.sub("", text)
        path.write_bytes(LINK.sub(lambda link: _address(link, repository), text).encode("utf-8"))
    return written


def _address(link: re.Match, repository: Repository) -> str:
    if link["before"]:
        return link["before"] + _on_binder(repository)
    if link["pages"]:
        return repository.pages_address or link["pages"]
    return repository.address if link[0].startswith("https:") else repository.path


def _on_binder(repository: Repository) -> str:
    """The repository as Binder's addresses name it."""
    if repository.on_github:
        return f"gh/{repository.path}"
    if repository.host == "gitlab.com":
        return f"gl/{quote(repository.path, safe='')}"
    return f"git/{quote(repository.address, safe='')}"


def _print_written(folder: Path, repository: Repository) -> int:
    written = write_links(folder, repository)
    if not written:
        click.echo(f"No document says {PLACEHOLDER} any more.")
        return 0
    click.echo(f"{repository.address} now stands in {_names(written, folder)}. Commit the change.")
    if not repository.on_github:
        click.echo(
            "Colab badges are removed, since Colab only opens GitHub. Change SECURITY.md, which links to GitHub."
        )
    return 0


def _names(paths: list[Path], folder: Path) -> str:
    return ", ".join(path.relative_to(folder).as_posix() for path in paths)


def _project() -> Path | None:
    """The current folder if it has the notebook, or else the checkout; None for a package's own notebook."""
    here = Path.cwd()
    return here if (here / NOTEBOOK).exists() and here != PACKAGED else CHECKOUT
