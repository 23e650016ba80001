"""Label selectors: `matchLabels` and `matchExpressions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from bgpsim.inputs.files.part import Part

_OPERATORS: tuple[Literal["In", "NotIn", "Exists", "DoesNotExist"], ...] = ("In", "NotIn", "Exists", "DoesNotExist")


@dataclass(frozen=True, slots=True)
class LabelExpression:
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """A Kubernetes label selector; an empty one matches everything."""

    match_labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    match_expressions: tuple[LabelExpression, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Kubernetes' own rule: all terms must hold; NotIn and DoesNotExist hold where the key is missing."""
        if any(labels.get(key) != value for key, value in self.match_labels.items()):
            return False
        for term in self.match_expressions:
            there = term.key in labels
            inside = there and labels[term.key] in term.values
            holds = {"In": inside, "NotIn": not inside, "Exists": there, "DoesNotExist": not there}[term.operator]
            if not holds:
                return False
        return True


def selector(part: Part) -> LabelSelector:
    part.keys(("matchLabels", "matchExpressions"))
    labels = part["matchLabels"].texts() if "matchLabels" in part else {}
    terms = part["matchExpressions"].items() if "matchExpressions" in part else ()
    return LabelSelector(labels, tuple(_expression(term) for term in terms))


def _expression(part: Part) -> LabelExpression:
    part.keys(("key", "operator", "values"))
    if "key" not in part or "operator" not in part:
        part.fail("`key` and `operator`")
    written = part["operator"].text()
    operator = next((known for known in _OPERATORS if known == written), None)
    if operator is None:
        part["operator"].fail(" or ".join(_OPERATORS))
    values = tuple(value.scalar() for value in part["values"].items()) if "values" in part else ()
    if (operator in ("In", "NotIn")) != bool(values):
        part.fail("values with In and NotIn, none with Exists and DoesNotExist")
    return LabelExpression(part["key"].text(), operator, values)
