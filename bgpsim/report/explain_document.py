"""`bgpsim explain --json` (`bgpsim.explain/1`): the explanations' own fields (docs/diff-and-explain.md)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import TypeAdapter

from bgpsim.check.explain import RouteReason
from bgpsim.check.explain_way import PairReason
from bgpsim.report.masking import masked

SCHEMA = "bgpsim.explain/1"
_ROUTES = TypeAdapter(Sequence[RouteReason])
_PAIRS = TypeAdapter(Sequence[PairReason])


def routes_json(scenario: str, step: str, found: Sequence[RouteReason]) -> str:
    return _dumped(scenario, step, "routes", _ROUTES.dump_python(found, mode="json"))


def pairs_json(scenario: str, step: str, found: Sequence[PairReason]) -> str:
    return _dumped(scenario, step, "pairs", _PAIRS.dump_python(found, mode="json"))


def _dumped(scenario: str, step: str, kind: str, found: object) -> str:
    document = {"schema": SCHEMA, "scenario": scenario, "step": step, kind: found}
    return masked(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)) + "\n"
