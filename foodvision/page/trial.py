"""What `foodvision serve` tries before it starts, so the owner sees mistakes before visitors do."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tornado.netutil import bind_sockets
from traitlets.config import Config

from .notebook import ServeError, explained

KERNEL = "python3"
MAX_FOLDER_CHARACTERS = 50  # a socket's path may have 103, and the kernel's name takes 50


def try_port(port: int, address: str) -> None:
    """Listen on a port for a moment. Raises ServeError if that isn't possible."""
    if not 0 < port < 2**16:  # the system would use the remainder
        raise ServeError(f"There is no port {port}. Choose one up to 65535: `foodvision serve --port=8866`.")
    try:
        for socket in bind_sockets(port, address):
            socket.close()
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"Port {port} is in use. Stop the server that uses it",
            errno.EACCES: f"You may not listen on port {port}. Any port above 1023 is allowed",
        }
        if error.errno not in reasons:
            raise ServeError(f"Can't listen on {address}: {error.strerror}. Check --Voila.ip.") from error
        other = port + 1 if 1023 < port < 65535 else 8866
        raise ServeError(f"{reasons[error.errno]}, or choose another: `foodvision serve --port={other}`.") from error


def try_notebook(path: Path) -> None:
    """Run a notebook in its own folder, as each visitor's kernel will. Raises ServeError if it fails."""
    with explained(path):
        notebook = nbformat.read(path, as_version=4)
    kernel = notebook.metadata.get("kernelspec", {}).get("name", KERNEL)
    if kernel not in KernelSpecManager().find_kernel_specs():
        kernel = KERNEL  # Voilà also falls back to another kernel for the same language
    resources = {"metadata": {"path": str(path.absolute().parent)}}
    try:
        with TemporaryDirectory() as folder, ThreadPoolExecutor(max_workers=1) as pool:
            client = NotebookClient(notebook, kernel_name=kernel, resources=resources, config=_unix_sockets(folder))
            pool.submit(client.execute).result()  # in the main thread, nbclient would take the server's signals away
    except CellExecutionError as error:
        if error.ename == "ModelError":
            raise ServeError(error.evalue) from error
        reason = f"{error.ename}: {error.evalue}".strip().removesuffix(".")
        raise ServeError(f"{path.name} fails with {reason}. Run it in Jupyter to see where.") from error
    except RuntimeError as error:  # a DeadKernelError, or the kernel didn't even start
        raise ServeError(f"The kernel died while running {path.name}. Is there enough memory?") from error


def can_hold_sockets(folder: str) -> bool:
    """Whether kernels can listen on Unix sockets in a folder."""
    return os.name == "posix" and len(folder) <= MAX_FOLDER_CHARACTERS


def _unix_sockets(folder: str) -> Config:
    """Settings for a kernel that listens in a folder: another program can take a TCP port before the kernel does."""
    if not can_hold_sockets(folder):
        return Config()
    return Config({"KernelManager": {"transport": "ipc", "connection_file": f"{folder}/kernel.json"}})
