"""The agent's side of the RPC: services register methods, each request runs in a thread of its own."""

from __future__ import annotations

import inspect
import socket
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from bgpsim.agent.rpc import Connection
from bgpsim.errors import BgpsimError, LabError

Method = Callable[..., Any]


class Service(Protocol):
    """A group of methods; parameters and results are JSON."""

    def methods(self) -> Mapping[str, Method]: ...


class Server:
    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}
        self._loaders: list[tuple[threading.Thread, threading.Event]] = []
        self._not_loaded: list[str] = []
        self._pool = ThreadPoolExecutor(max_workers=32, thread_name_prefix="request")

    def register(self, service: Service) -> None:
        self._methods.update(service.methods())

    def register_in_background(self, load: Callable[[], Iterable[Service]], begin: threading.Event) -> None:
        """For services whose imports take long: requests for what is there already are answered meanwhile.

        It begins when `begin` is set, or with the first request for a method that is not there yet; such a request
        waits for `load` to end.
        """

        def run() -> None:
            begin.wait()
            try:
                for service in load():
                    self.register(service)
            except Exception:
                self._not_loaded.append(traceback.format_exc())

        loader = threading.Thread(target=run, name="services", daemon=True)
        self._loaders.append((loader, begin))
        loader.start()

    def _method(self, name: str) -> Method:
        method = self._methods.get(name)
        if method is None:
            for loader, begin in self._loaders:
                begin.set()
                loader.join()
            method = self._methods.get(name)
        if method is None:
            log = tuple(line for trace in self._not_loaded for line in trace.splitlines())
            raise LabError(f"the agent has no method {name}", log=log)
        return method

    def serve(self, stream: socket.socket) -> None:
        """Answer until the other side is gone."""
        connection = Connection(stream)
        while (request := connection.receive()) is not None:
            self._pool.submit(self._answer, connection, request)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, connection: Connection, request: dict[str, Any]) -> None:
        try:
            method = self._method(request["method"])
            inspect.signature(method).bind(**request["params"])
            reply = {"id": request["id"], "result": method(**request["params"])}
        except BgpsimError as error:
            log = list(error.log) if isinstance(error, LabError) else []
            failure = {"kind": type(error).__name__, "message": error.message, "hint": error.hint, "log": log}
            reply = {"id": request["id"], "error": failure}
        except Exception as error:
            log = traceback.format_exc().splitlines()
            message = f"{request.get('method')}: {error!r}"
            reply = {"id": request["id"], "error": {"kind": "bug", "message": message, "hint": None, "log": log}}
        try:
            connection.send(reply)
        except OSError:
            connection.close()
