"""The agent's side of the RPC: services register methods, each request runs in a thread of its own."""

from __future__ import annotations

import contextlib
import inspect
import os
import socket
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from bgpsim.agent.rpc import Connection
from bgpsim.errors import BgpsimError, LabError
from bgpsim.exhaustion import exhausted

Method = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class WithDescriptors:
    """A method's result, with open descriptors for the caller; the agent's own copies are closed once they are sent."""

    result: Any
    descriptors: tuple[int, ...]


class Service(Protocol):
    """A group of methods; parameters and results are JSON."""

    def methods(self) -> Mapping[str, Method]: ...


class Server:
    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}
        self._load: Callable[[], Iterable[Service]] | None = None
        self._loading = threading.Condition()
        self._loaded = True
        self._not_loaded: tuple[str, ...] = ()
        self._out_of: str | None = None
        self._refused: set[int] = set()
        self._pool = ThreadPoolExecutor(max_workers=32, thread_name_prefix="request")

    def register(self, service: Service) -> None:
        self._methods.update(service.methods())

    def register_when_asked(self, load: Callable[[], Iterable[Service]]) -> None:
        """For services whose imports take long, in the order in which they will be wanted.

        The first request for a method that is not there yet starts `load`; such a request waits for its own method
        alone, while the rest is loaded in the background.
        """
        self._load = load
        self._loaded = False

    def _run_load(self, load: Callable[[], Iterable[Service]]) -> None:
        try:
            for service in load():
                with self._loading:
                    self.register(service)
                    self._loading.notify_all()
        except Exception as error:
            self._not_loaded = tuple(traceback.format_exc().splitlines())
            self._out_of = exhausted(error)
        finally:
            with self._loading:
                self._loaded = True
                self._loading.notify_all()

    def _method(self, name: str) -> Method:
        with self._loading:
            if name not in self._methods and self._load is not None:
                threading.Thread(target=self._run_load, args=(self._load,), name="services", daemon=True).start()
                self._load = None
            self._loading.wait_for(lambda: self._loaded or name in self._methods)
            method = self._methods.get(name)
        if method is None:
            why = "" if self._out_of is None else f": {self._out_of}"
            raise LabError(f"the agent has no method {name}{why}", log=self._not_loaded)
        return method

    def serve(self, stream: socket.socket) -> None:
        """Answer until the other side is gone."""
        connection = Connection(stream)
        while (request := connection.receive()) is not None:
            try:
                self._pool.submit(self._answer, connection, request)
            except RuntimeError as error:
                # No thread could be started, and none was free. The request waits in the pool all the same.
                self._refused.add(request["id"])
                with contextlib.suppress(OSError):
                    connection.send({"id": request["id"], "error": _failure(request, error)})
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, connection: Connection, request: dict[str, Any]) -> None:
        if request["id"] in self._refused:
            return
        descriptors: tuple[int, ...] = ()
        try:
            method = self._method(request["method"])
            inspect.signature(method).bind(**request["params"])
            result = method(**request["params"])
            if isinstance(result, WithDescriptors):
                result, descriptors = result.result, result.descriptors
            reply = {"id": request["id"], "result": result}
        except BgpsimError as error:
            log = list(error.log) if isinstance(error, LabError) else []
            failure = {"kind": type(error).__name__, "message": error.message, "hint": error.hint, "log": log}
            reply = {"id": request["id"], "error": failure}
        except Exception as error:
            reply = {"id": request["id"], "error": _failure(request, error)}
        try:
            connection.send(reply, descriptors)
        except OSError:
            connection.close()
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _failure(request: dict[str, Any], error: BaseException) -> dict[str, Any]:
    """The error part of a reply, for what no method raises on purpose: something ran out, or a bug."""
    log = traceback.format_exception(error)
    words = exhausted(error)
    if words is not None:
        message = f"the lab's agent: {words} ({request.get('method')})"
        return {"kind": "LabError", "message": message, "hint": None, "log": []}
    message = f"{request.get('method')}: {error!r}"
    return {"kind": "bug", "message": message, "hint": None, "log": "".join(log).splitlines()}
