"""Python expressions whose value is written out: texts, numbers, lists and what is put together from them. Nothing is
called but a few functions of texts and ranges, on such values alone."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any, TypeAlias

Values: TypeAlias = dict[str, Any]
_MOST = 10_000
"""Items of a list, characters of a text."""


class NotLiteral(Exception):
    """The value of that part is not written out."""

    def __init__(self, node: ast.AST) -> None:
        self.node = node


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "str": str,
    "int": int,
    "len": len,
    "list": list,
    "tuple": tuple,
    "sorted": sorted,
    "range": lambda *numbers: _bounded(range(*numbers)),
    "enumerate": lambda *items: list(enumerate(*items)),
    "zip": lambda *items: list(zip(*items, strict=False)),
    "reversed": lambda items: list(reversed(items)),
}
_METHODS = {
    "format": str,
    "join": str,
    "split": str,
    "replace": str,
    "lower": str,
    "upper": str,
    "items": dict,
    "keys": dict,
    "values": dict,
}


def _bounded(numbers: range) -> list[int]:
    if len(numbers) > _MOST:
        raise ValueError
    return list(numbers)


def evaluate(node: ast.expr, names: Values) -> Any:
    """Raises NotLiteral for the part that is none. Lists and dicts of `names` come as they are, to be filled."""
    try:
        value = _evaluate(node, names)
    except (TypeError, ValueError, KeyError, IndexError, ArithmeticError, AttributeError):
        raise NotLiteral(node) from None
    if isinstance(value, str | list | tuple | dict) and len(value) > _MOST:
        raise NotLiteral(node)
    return value


def assign(target: ast.expr, value: Any, names: Values) -> None:
    """What is assigned to anything but names and items of known lists and dicts is forgotten."""
    if isinstance(target, ast.Name):
        names[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        values = (
            value if isinstance(value, list | tuple) and len(value) == len(target.elts) else [None] * len(target.elts)
        )
        for part, item in zip(target.elts, values, strict=True):
            assign(part, item, names)
    elif isinstance(target, ast.Subscript):
        try:
            whole, key = evaluate(target.value, names), evaluate(target.slice, names)
            if isinstance(whole, dict | list):
                whole[key] = value
        except (NotLiteral, TypeError, IndexError):
            return


def _evaluate(node: ast.expr, names: Values) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if names.get(name) is not None:
            return names[name]
        case ast.Tuple(elts=parts):
            return tuple(evaluate(part, names) for part in parts)
        case ast.List(elts=parts):
            return [evaluate(part, names) for part in parts]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {evaluate(k, names): evaluate(v, names) for k, v in zip(keys, values, strict=True) if k is not None}
        case ast.JoinedStr(values=parts):
            return "".join(str(evaluate(part, names)) for part in parts)
        case ast.FormattedValue(value=value, format_spec=None):
            return str(evaluate(value, names))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _combined(op, evaluate(left, names), evaluate(right, names))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -evaluate(operand, names)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not evaluate(operand, names)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
            return _COMPARED[type(op)](evaluate(left, names), evaluate(right, names))
        case ast.Subscript(value=whole, slice=key):
            return evaluate(whole, names)[evaluate(key, names)]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(evaluate(argument, names) for argument in arguments))
        case ast.Call(func=ast.Name(id="OrderedDict" | "dict"), args=[inner], keywords=[]):
            return dict(evaluate(inner, names))
        case ast.Call(func=ast.Attribute(value=of, attr=name), args=arguments, keywords=keywords) if name in _METHODS:
            return _method(evaluate(of, names), name, arguments, keywords, names)
    raise NotLiteral(node)


def _method(of: Any, name: str, arguments: list[ast.expr], keywords: list[ast.keyword], names: Values) -> Any:
    if not isinstance(of, _METHODS[name]):
        raise TypeError
    given = [evaluate(argument, names) for argument in arguments]
    named = {keyword.arg or "": evaluate(keyword.value, names) for keyword in keywords}
    # No widths, attributes or items in a format's fields: only what stands for a name or number.
    if name == "format" and not all(re.fullmatch(r"\w*", field) for field in re.findall(r"\{([^{}]*)\}", of)):
        raise ValueError
    value = getattr(of, name)(*given, **named)
    return value if isinstance(value, str | list) else list(value)


def _combined(op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(op, ast.Mult) and not (isinstance(left, int) and isinstance(right, int)):
        count = right if isinstance(right, int) else left
        if not isinstance(count, int) or count * len(left if count is right else right) > _MOST:
            raise ValueError
    if isinstance(op, ast.Mod) and isinstance(left, str) and re.search(r"%[^sdi%]", left):
        raise ValueError
    return _BINARY[type(op)](left, right)
