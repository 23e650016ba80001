"""The agent's side of the RPC: services register methods, each request runs in a thread of its own."""

from __future__ import annotations

import inspect
import socket
import traceback
from collections.abc import Callable, Mapping
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
        self._pool = ThreadPoolExecutor(max_workers=32, thread_name_prefix="request")

    def register(self, service: Service) -> None:
        self._methods.update(service.methods())

    def serve(self, stream: socket.socket) -> None:
        """Answer until the other side is gone."""
        connection = Connection(stream)
        while (request := connection.receive()) is not None:
            self._pool.submit(self._answer, connection, request)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, connection: Connection, request: dict[str, Any]) -> None:
        try:
            method = self._methods.get(request["method"])
            if method is None:
                raise LabError(f"the agent has no method {request['method']}")
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
