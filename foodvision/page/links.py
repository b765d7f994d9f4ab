"""`foodvision share` prints the links that open this app: on Binder the page, on Colab the training."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).parents[2]
SHORT_FORM = re.compile(r"([^/:]{2,}):(?!//)")  # of ssh: `git@host:path`; a single letter is a drive of Windows
SCHEMES = "https", "http", "ssh", "git"  # any other address is of no use on another computer


def print_links(folder=ROOT):
    """Print the links, and badges for the README; the exit status is 1 where there is no remote to link to."""
    page, training = binder_link(folder), colab_link(folder)
    if not page:
        print("There is nothing to link to. Push this folder to a public git repository first.", file=sys.stderr)
        return 1
    print(f"The page:       {page}\nThe training:   {training or 'Colab opens notebooks from GitHub only.'}\n")
    print(f"[![Binder](https://mybinder.org/badge_logo.svg)]({page})")
    if training:
        print(f"[![Colab](https://colab.research.google.com/assets/colab-badge.svg)]({training})")
    return 0


def binder_link(folder=ROOT):
    """Address of the page on Binder, for the git remote and branch of `folder`; None where it has no remote."""
    host, path = _remote(folder)
    if not host:
        return None
    providers = {"github.com": f"gh/{path}", "gitlab.com": f"gl/{quote(path, safe='')}"}
    repository = providers.get(host, f"git/{quote(f'https://{host}/{path}', safe='')}")
    ref = quote(_branch(folder), safe="")
    return f"https://mybinder.org/v2/{repository}/{ref}?urlpath=voila%2Frender%2Ffoodvision.ipynb"


def colab_link(folder=ROOT):
    """Address of `train.ipynb` on Colab; None where the repository is not on GitHub."""
    host, path = _remote(folder)
    if host != "github.com":
        return None
    return f"https://colab.research.google.com/github/{path}/blob/{quote(_branch(folder))}/train.ipynb"


def _remote(folder):
    """Host and path of `origin`, or else of the first remote, without user and password; twice None without one.

    The host has the port where that is one of https, which the link uses too.
    """
    remotes = _git(folder, "remote").split()
    name = "origin" if "origin" in remotes else next(iter(remotes), "")
    address = _git(folder, "remote", "get-url", name) if name else ""
    short = SHORT_FORM.match(address)
    parts = urlsplit(f"ssh://{short[1]}/{address[short.end() :]}" if short else address)
    path = parts.path.strip("/").removesuffix(".git")
    if parts.scheme not in SCHEMES or not path:
        return None, None
    port = parts.netloc.rpartition(":")[2] if parts.scheme == "https" else ""
    own_port = port.isdigit() and port != "443"
    return f"{parts.hostname}:{port}" if own_port else parts.hostname, path


def _branch(folder):
    """The current branch, or the commit where a checkout has none, as on Binder."""
    return _git(folder, "branch", "--show-current") or _git(folder, "rev-parse", "HEAD")


def _git(folder, *arguments):
    try:
        run = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):  # no git here, or no repository
        return ""
    return run.stdout.strip()
