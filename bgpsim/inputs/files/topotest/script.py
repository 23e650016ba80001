"""A test's Python file -> `Plan`. It is parsed, never executed: the lines that build the topology are followed where
their names and numbers are written out, also through loops over them and functions of the same file."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from typing import Any

from bgpsim.inputs.files.topotest.literals import NotLiteral, Values, assign, evaluate
from bgpsim.inputs.files.topotest.plan import Gear, Plan
from bgpsim.source import Source

_BUILDS = frozenset(("add_router", "add_switch", "add_link", "add_host", "add_exabgp_peer", "add_bmp_server"))
_COMMANDS = frozenset(("cmd", "cmd_raises", "run", "vtysh_cmd", "vtysh_multicmd", "popen", "cmd_nostatus"))
_FUNCTIONS = ("build_topo", "setup_topo", "build_topology", "topology", "_build_topo", "build")
_SETUPS = ("setup_module", "setup", "setup_testcase")
_MOST_STEPS = 20_000
_DEEPEST = 20


def read_script(text: str, shown: str) -> Plan | None:
    """None for a file that builds no topology. Raises InputError for what is no Python, or not written out."""
    plan = Plan(shown)
    lines = text.splitlines()
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise plan.fail(Source(shown, line), f"found no Python that can be parsed ({error}), expected a test") from None
    script = _Script(module, lines, plan)
    return plan if script.read() else None


class _Script:
    def __init__(self, module: ast.Module, lines: list[str], plan: Plan) -> None:
        self.module = module
        self.lines = lines
        self.plan = plan
        self.functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
        self.classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
        self.steps = 0
        self.names: Values = {}

    def source(self, node: ast.AST) -> Source:
        line = getattr(node, "lineno", 1)
        text = self.lines[line - 1].strip() if line <= len(self.lines) else ""
        return Source(self.plan.file, line, text)

    def read(self) -> bool:
        for statement in self.module.body:
            if isinstance(statement, ast.Assign):
                self._assign(statement, self.names)
        what = self._topology()
        if isinstance(what, ast.FunctionDef):
            arguments = dict.fromkeys((a.arg for a in what.args.args), None)
            self._body(what.body, {**self.names, **self._defaults(what), **arguments}, 0)
        elif what is not None:
            self._mapping(what)
        else:
            return False
        self._loads()
        return True

    def _topology(self) -> ast.FunctionDef | ast.Dict | None:
        """What is handed to Topogen: a function, a class with `build`, or a dictionary; else what is called so."""
        for call in ast.walk(self.module):
            if isinstance(call, ast.Call) and _called(call) == "Topogen" and call.args:
                return self._handed_over(call.args[0], call)
        for name in _FUNCTIONS:
            if name in self.functions:
                return self.functions[name]
        for node in self.classes.values():
            if (build := _method(node, "build")) is not None:
                return build
        return self._dictionary("topodef")

    def _handed_over(self, what: ast.expr, call: ast.Call) -> ast.FunctionDef | ast.Dict | None:
        if isinstance(what, ast.Dict):
            return what
        if isinstance(what, ast.Name):
            if what.id in self.functions:
                return self.functions[what.id]
            if what.id in self.classes and (build := _method(self.classes[what.id], "build")) is not None:
                return build
            return self._dictionary(what.id)
        if isinstance(what, ast.Lambda) or (isinstance(what, ast.Constant) and isinstance(what.value, str)):
            return None  # a JSON file beside it
        raise self.plan.fail(
            self.source(call), "found a topology that is not written out, expected a function or a dict"
        )

    def _dictionary(self, name: str) -> ast.Dict | None:
        for node in ast.walk(self.module):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Dict):
                continue
            if any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
                return node.value
        return None

    def _mapping(self, node: ast.Dict) -> None:
        switches: dict[str | None, tuple[str, ...]] = {}
        sources = {}
        for key, value in zip(node.keys, node.values, strict=True):
            try:
                name = None if key is None else evaluate(key, self.names)
                ends = evaluate(value, self.names)
            except NotLiteral as wrong:
                raise self._not_written(wrong.node) from None
            ends = (ends,) if isinstance(ends, str) else ends
            if not isinstance(name, str | None) or not isinstance(ends, tuple | list):
                raise self._not_written(value)
            if not all(isinstance(end, str) for end in ends):
                raise self._not_written(value)
            switches[name] = tuple(ends)
            sources[name] = self.source(key or value)
        # A plain dict is gone through by the names of its switches (add_topology_from_dict).
        ordered = sorted(switches, key=lambda name: name or "")
        self.plan.from_mapping({name: switches[name] for name in ordered}, sources)

    def _not_written(self, node: ast.AST) -> Exception:
        text = ast.unparse(node)
        return self.plan.fail(
            self.source(node), f"found `{text[:60]}`, expected a name or number that is written out in this file"
        )

    def _defaults(self, function: ast.FunctionDef) -> Values:
        known: Values = {}
        arguments = function.args
        with_value = arguments.args[len(arguments.args) - len(arguments.defaults) :]
        for argument, value in zip(with_value, arguments.defaults, strict=True):
            try:
                known[argument.arg] = evaluate(value, self.names)
            except NotLiteral:
                continue
        return known

    def _body(self, body: list[ast.stmt], names: Values, depth: int) -> bool:
        """True where a `return`, `break` or `continue` ends it."""
        for statement in body:
            self.steps += 1
            if self.steps > _MOST_STEPS or depth > _DEEPEST:
                raise self.plan.fail(
                    self.source(statement), f"found more than {_MOST_STEPS} steps, expected a topology"
                )
            if self._statement(statement, names, depth):
                return True
        return False

    def _statement(self, statement: ast.stmt, names: Values, depth: int) -> bool:
        match statement:
            case ast.Return() | ast.Break() | ast.Continue():
                return True
            case ast.Assign():
                self._assign(statement, names, depth)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                names_of = ast.Assign([target], value, lineno=statement.lineno)
                self._assign(names_of, names, depth)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                with_it = ast.copy_location(ast.BinOp(ast.Name(name, ast.Load()), op, value), statement)
                names[name] = self._value(with_it, names, depth)
            case ast.Expr(value=ast.Call() as call):
                self._value(call, names, depth)
            case ast.For():
                self._loop(statement, names, depth)
            case ast.If():
                self._branch(statement, names, depth)
            case ast.With(body=body):
                return self._body(body, names, depth)
            case _ if _builds(statement):
                kind = type(statement).__name__.lower()
                raise self.plan.fail(
                    self.source(statement), f"found links or routers below `{kind}`, expected lines that always run"
                )
        return False

    def _loop(self, loop: ast.For, names: Values, depth: int) -> None:
        try:
            items = list(evaluate(loop.iter, names))
        except (NotLiteral, TypeError):
            if _builds(loop):
                raise self._not_written(loop.iter) from None
            return
        for item in items:
            assign(loop.target, item, names)
            self._body(loop.body, names, depth)

    def _branch(self, branch: ast.If, names: Values, depth: int) -> None:
        try:
            holds = bool(evaluate(branch.test, names))
        except NotLiteral:
            if _builds(branch):
                raise self._not_written(branch.test) from None
            return
        self._body(branch.body if holds else branch.orelse, names, depth)

    def _assign(self, statement: ast.Assign, names: Values, depth: int = 0) -> None:
        value = self._value(statement.value, names, depth)
        for target in statement.targets:
            assign(target, value, names)

    def _value(self, node: ast.expr, names: Values, depth: int) -> Any:
        """A literal, a gear, or None for what is neither and builds nothing."""
        if isinstance(node, ast.Call):
            called = _called(node)
            if called in _BUILDS:
                return self._build(called, node, names)
            if called in self.functions and isinstance(node.func, ast.Name):
                return self._function(self.functions[called], node, names, depth)
            if called == "append" and isinstance(node.func, ast.Attribute) and node.args:
                return self._append(node.func.value, node.args[0], names, depth)
            if called in _COMMANDS:
                self.plan.list(self.source(node), "a command of the test itself is not run")
                return None
        if isinstance(node, ast.Tuple | ast.List) and _builds(node):
            return [self._value(part, names, depth) for part in node.elts]
        if isinstance(node, ast.ListComp) and _builds(node):
            return self._comprehension(node, names, depth)
        try:
            return self._gear(node, names)
        except NotLiteral:
            if _builds(node):
                raise self._not_written(node) from None
            return None

    def _comprehension(self, node: ast.ListComp, names: Values, depth: int) -> list[Any]:
        made: list[Any] = []
        try:
            (each,) = node.generators
            items = list(evaluate(each.iter, names)) if not each.ifs else None
        except (NotLiteral, TypeError, ValueError):
            items = None
        if items is None:
            raise self._not_written(node)
        for item in items:
            assign(each.target, item, names)
            made.append(self._value(node.elt, names, depth))
        return made

    def _append(self, target: ast.expr, item: ast.expr, names: Values, depth: int) -> None:
        value = self._value(item, names, depth)
        try:
            whole = evaluate(target, names)
        except NotLiteral:
            return
        if isinstance(whole, list):
            whole.append(value)

    def _function(self, function: ast.FunctionDef, call: ast.Call, names: Values, depth: int) -> None:
        if not _builds(function) and not any(_called(c) in self.functions for c in _calls(function)):
            return
        own = {**self.names, **self._defaults(function)}
        for name, value in zip((a.arg for a in function.args.args), call.args, strict=False):
            own[name] = self._value(value, names, depth)
        for keyword in call.keywords:
            if keyword.arg is not None:
                own[keyword.arg] = self._value(keyword.value, names, depth)
        self._body(function.body, own, depth + 1)

    def _build(self, called: str, call: ast.Call, names: Values) -> Gear | None:
        keywords = {k.arg: k.value for k in call.keywords if k.arg is not None}

        def argument(number: int, name: str) -> Any:
            node = call.args[number] if number < len(call.args) else keywords.get(name)
            if node is None:
                return None
            if isinstance(node, ast.Call) and _called(node) in _BUILDS:
                return self._build(_called(node), node, names)
            try:
                return self._gear(node, names)
            except NotLiteral as wrong:
                raise self._not_written(wrong.node) from None

        source = self.source(call)
        if called == "add_link":
            self._link(call, names, argument, source)
            return None
        count = sum(g.kind == ("switch" if called == "add_switch" else "router") for g in self.plan.gears.values())
        name = argument(0, "name")
        if name is None and called in ("add_router", "add_switch"):
            name = f"{'s' if called == 'add_switch' else 'r'}{count + 1}"
        if not isinstance(name, str):
            raise self._not_written(call)
        if called in ("add_router", "add_switch"):
            return self.plan.add(name, "router" if called == "add_router" else "switch", source)
        gear = self.plan.add(name, "host", source)
        gear.address, gear.default = argument(1, "ip"), argument(2, "defaultRoute")
        if called != "add_host":
            self.plan.list(source, "what this host runs in the test does not run here")
        return gear

    def _link(self, call: ast.Call, names: Values, argument: Any, source: Source) -> None:
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        own: Any = None
        if isinstance(receiver, ast.Call) and _called(receiver) in _BUILDS:
            own = self._build(_called(receiver), receiver, names)
        elif receiver is not None:
            with contextlib.suppress(NotLiteral):
                own = self._gear(receiver, names)
        if isinstance(own, Gear):
            ends = (own, argument(0, "node"), argument(1, "myif"), argument(2, "nodeif"))
        else:
            ends = (argument(0, "node1"), argument(1, "node2"), argument(2, "ifname1"), argument(3, "ifname2"))
        found = [self.plan.gear(end, source) if isinstance(end, str) else end for end in ends[:2]]
        if not all(isinstance(end, Gear) for end in found):
            raise self._not_written(call)
        if not all(name is None or isinstance(name, str) for name in ends[2:]):
            raise self._not_written(call)
        self.plan.link(found[0], found[1], source, ends[2], ends[3])

    def _gear(self, node: ast.expr, names: Values) -> Any:
        """`tgen.gears["r1"]`, `tgen.routers()["r1"]` and `tgen.net["r1"]` are gears by their names."""
        if isinstance(node, ast.Subscript):
            whole = node.value.func if isinstance(node.value, ast.Call) else node.value
            if isinstance(whole, ast.Attribute) and whole.attr in ("gears", "routers", "net", "switches"):
                name = evaluate(node.slice, names)
                return self.plan.gear(name, self.source(node)) if isinstance(name, str) else None
        if isinstance(node, ast.Call) and _called(node) == "get_gear" and node.args:
            name = evaluate(node.args[0], names)
            return self.plan.gear(name, self.source(node)) if isinstance(name, str) else None
        return evaluate(node, names)

    def _loads(self) -> None:
        """Which files the test's routers read, and what its setup does to them beside that."""
        for function in self.functions.values():
            if function.name in _SETUPS or any(_called(call) == "Topogen" for call in _calls(function)):
                for call in _calls(function):
                    if _called(call) in _COMMANDS and isinstance(call.func, ast.Attribute):
                        self.plan.list(self.source(call), "a command of the test itself is not run")
        called = {_called(call) for call in ast.walk(self.module) if isinstance(call, ast.Call)}
        if "load_frr_config" in called:
            self.plan.integrated = True
        elif "load_config" in called:
            self.plan.integrated = False


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (found for found in ast.walk(node) if isinstance(found, ast.Call))


def _builds(node: ast.AST) -> bool:
    return any(_called(call) in _BUILDS for call in _calls(node))


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((m for m in node.body if isinstance(m, ast.FunctionDef) and m.name == name), None)
