"""`foodvision serve`: Voilà, made faster to load and safe to open to strangers."""

import os
from asyncio import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from tornado.web import GZipContentEncoding, OutputTransform
from traitlets import Integer, default
from voila.app import Voila

from ..answer.machine import cores, memory
from ..locate import MODEL_SETTING, NOTEBOOK, OWN_FOLDER, find_file, find_model
from .device_handler import DeviceHandler, pattern
from .embedding import framing_sites
from .extension import ForOtherSites
from .guard import PageConnection
from .notebook import ServeError
from .preview import own_address
from .trial import can_hold_sockets, try_notebook, try_port

MAX_ZMQ_SOCKETS = 65536  # ZeroMQ's default is a thousand, and each visitor takes four
MAX_BODY_BYTES, MAX_BUFFER_BYTES = 2**16, 2**20  # of a request, and waiting to be read; the page sends less
MAX_READY_KERNELS, BYTES_PER_READY_KERNEL = 16, 10**9


def pool_size() -> int:
    """Default number of kernels to keep ready: no more than can start at once, or than fit into a small container."""
    return int(max(1, min(cores(), MAX_READY_KERNELS, memory() // BYTES_PER_READY_KERNEL)))


class NoSniff(OutputTransform):
    """Adds a header to Voilà's static files, which don't get the headers set for its pages."""

    def transform_first_chunk(self, status_code, headers, chunk, finishing):
        headers["X-Content-Type-Options"] = "nosniff"
        return status_code, headers, chunk


class FoodVision(Voila):
    """Voilà with settings that it has no option for, or that it reads too late from `tornado_settings`.

    Compression saves a third of the time to open the page on a phone. Kernels listen on Unix sockets, because another
    program can take a TCP port between Jupyter choosing it and the kernel using it, and the page would then wait for a
    minute. Unix sockets also keep out other users of the machine.
    """

    port_retries = Integer(0, config=True, help="Number of other ports to try if the port is in use.")

    @default("config_file_paths")
    def _config_file_paths_default(self) -> list[str]:
        return list(dict.fromkeys([os.getcwd(), str(OWN_FOLDER), *jupyter_config_path()]))

    def parse_command_line(self, argv: list[str] | None = None) -> None:
        super().parse_command_line(argv)
        named = self.extra_args
        if len(named) > 1:
            raise ServeError(f"Name one notebook to serve, not {len(named)}: {', '.join(named)}.")
        if named and not Path(named[0]).exists():
            raise ServeError(
                f"There is no {named[0]}. Check its name, or run `foodvision serve` for FoodVision's page."
            )
        if not named and not self.notebook_path:
            self.set_trait("notebook_path", str(find_file(NOTEBOOK)))

    def start(self) -> None:
        """Serve until stopped. Raises ServeError if a setting is wrong, the port is taken or the notebook fails."""
        try:
            framing_sites()
            own_address()
        except ValueError as error:
            raise ServeError(str(error)) from error
        if self.port and not self.port_retries:
            try_port(self.port, self.ip)
        if self.notebook_path:
            notebook = Path(self.notebook_path)
            if notebook.absolute() == OWN_FOLDER / NOTEBOOK:  # its kernels run there, not in the current folder
                os.environ[MODEL_SETTING] = str(find_model())
            self.log.info("Trying %s before anyone opens it.", notebook)
            try_notebook(notebook)
        super().start()

    def init_settings(self) -> dict[str, object]:
        if "default_pool_size" not in self.config.VoilaConfiguration:
            self.voila_configuration.default_pool_size = pool_size()
        if can_hold_sockets(self.connection_dir):
            self.config.KernelManager.transport = "ipc"
        else:
            self.log.warning("Kernels listen on TCP ports: Unix sockets aren't possible in %s.", self.connection_dir)
        settings = super().init_settings()
        self.kernel_manager.context.max_sockets = MAX_ZMQ_SOCKETS
        self.kernel_manager.get_pool_size = self._count_ready_kernels
        return settings | {
            "transforms": [NoSniff, ForOtherSites, GZipContentEncoding],
            "kernel_websocket_connection_class": PageConnection,
        }

    def init_handlers(self) -> list:
        return [(pattern(self.server_url), DeviceHandler), *super().init_handlers()]

    def listen(self) -> None:
        self.app.listen = partial(self.app.listen, max_body_size=MAX_BODY_BYTES, max_buffer_size=MAX_BUFFER_BYTES)
        super().listen()

    def _count_ready_kernels(self, notebook: str) -> int:
        """Count only kernels that are ready. Voilà also counts those still starting, which a visitor would wait for.

        Ready kernels are moved to the front, because Voilà takes the first. Those that failed or died are replaced.
        """
        pool = self.kernel_manager._pools[notebook]
        pool[:] = sorted(filter(self._is_alive, pool), key=lambda start: not start.done())
        self.kernel_manager.fill_if_needed(notebook_name=notebook)
        ready = [start for start in pool if start.done()]
        for start in ready[:1]:  # or it could be ended as idle before the visitor's page has connected
            self.kernel_manager.get_kernel(start.result()["kernel_id"]).last_activity = datetime.now(UTC)
        return len(ready)

    def _is_alive(self, start: Future) -> bool:
        if not start.done():
            return True
        if start.cancelled() or start.exception() or start.result()["kernel_id"] not in self.kernel_manager:
            return False
        kernel = self.kernel_manager.get_kernel(start.result()["kernel_id"])
        # Jupyter restarts a dead kernel's process, but the notebook has not run in the new one.
        return kernel._restarter._restart_count == 0 and kernel.provisioner.process.poll() is None
