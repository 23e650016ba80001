"""What is typed at a prompt of the watcher -> a step as a scenario file has it; and how a word of it may go on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

from bgpsim.errors import InputError

Verb: TypeAlias = Literal["announce", "withdraw", "cut", "restore", "pair"]
Lab: TypeAlias = Mapping[str, Any]
"""The `lab` event (docs/watch.md)."""

FORMS: Mapping[Verb, str] = {
    "announce": "PREFIX [to ROUTER…] [by SPEAKER] [half low|high] [as-path ASN…] [med N] [community A:B…]",
    "withdraw": "PREFIX|all [from ROUTER…] [by SPEAKER] [half low|high]",
    "cut": "DEVICE:INTERFACE…",
    "restore": "DEVICE:INTERFACE…",
    "pair": "FROM TO",
}
_KEYS: Mapping[Verb, tuple[str, ...]] = {
    "announce": ("to", "by", "half", "as-path", "med", "community"),
    "withdraw": ("from", "by", "half"),
}
_ONE_VALUE = frozenset({"by", "half", "med"})


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was understood: `step` as `KeeperClient.play` takes it, `said` as it was typed."""

    step: dict[str, Any]
    said: str


def read(verb: Verb, line: str, lab: Lab) -> Line:
    """An `announce`, `withdraw`, `cut` or `restore`. Raises InputError: what was found, what was expected."""
    words = line.split()
    if not words:
        raise InputError(f"found nothing; expected {FORMS[verb]}")
    if verb in ("cut", "restore"):
        key = "link-down" if verb == "cut" else "link-up"
        return Line({key: words}, f"{key} {' '.join(words)}")
    given = _clauses(verb, words[1:])
    entry: dict[str, Any] = {"speaker": _speaker(given, lab)}
    routers = given.get("to") or given.get("from")
    if routers:
        entry["to"] = routers
    if (verb, words[0]) == ("withdraw", "all"):
        entry["all"] = True
    else:
        entry["prefix"] = _prefix(words[0], given)
    if "as-path" in given:
        entry["as-path"] = [_number(word, "as-path") for word in given["as-path"]]
    if "med" in given:
        entry["med"] = _number(given["med"][0], "med")
    if "community" in given:
        entry["communities"] = given["community"]
    return Line({verb: [entry]}, f"{verb} {' '.join(words)}")


def read_pair(line: str) -> tuple[str, str] | None:
    """Two endpoints, with or without `to` between them; nothing at all is none. Raises InputError."""
    words = [word for word in line.split() if word not in ("to", "from")]
    if not words:
        return None
    if len(words) != 2:
        raise InputError(f"found {len(words)} names; expected {FORMS['pair']}")
    return words[0], words[1]


def _clauses(verb: Verb, words: Sequence[str]) -> dict[str, list[str]]:
    keys = _KEYS[verb]
    given: dict[str, list[str]] = {}
    key = None
    for word in words:
        if word in keys:
            if key is not None and not given[key]:
                raise InputError(f"found nothing after '{key}'; expected {FORMS[verb]}")
            key = word
            given.setdefault(key, [])
        elif key is None or (key in _ONE_VALUE and given[key]):
            near = get_close_matches(word, keys, n=1)
            raise InputError(
                f"found '{word}'; expected {FORMS[verb]}", hint=f"did you mean {near[0]}?" if near else None
            )
        else:
            given[key].append(word)
    if key is not None and not given[key]:
        raise InputError(f"found nothing after '{key}'; expected {FORMS[verb]}")
    return given


def _speaker(given: Mapping[str, list[str]], lab: Lab) -> str:
    if "by" in given:
        return given["by"][0]
    names = [speaker["name"] for speaker in lab.get("speakers", ())]
    if len(names) != 1:
        raise InputError(
            "this lab has no speaker; expected `speakers:` in its scenario file"
            if not names
            else f"there are several speakers; expected by {' or by '.join(names)}"
        )
    return str(names[0])


def _prefix(word: str, given: Mapping[str, list[str]]) -> Any:
    """As it is written, or by name: `worker3.pod-cidr`."""
    literal = "/" in word or re.fullmatch(r"[\d.]+|[\da-fA-F:]*:[\da-fA-F:.]*", word)
    half = given.get("half")
    if literal and half is None:
        return word
    if literal:
        raise InputError(f"found half of {word}; expected a name as worker.pod-cidr, or the half itself")
    return {"of": word, **({"half": half[0]} if half else {})}


def _number(word: str, what: str) -> int:
    if not word.isdecimal():
        raise InputError(f"{what}: found '{word}'; expected a number")
    return int(word)


def completions(verb: Verb, line: str, lab: Lab) -> list[str]:
    """Whole words that the last word of the line may become, in the order in which they are likely."""
    words = line.split()
    last = "" if not words or line.endswith(" ") else words.pop()
    wanted = _wanted(verb, words, lab)
    begin = [word for word in wanted if word.startswith(last)]
    inside = [word for word in wanted if last and last in word and word not in begin]
    return [word for word in dict.fromkeys(begin + inside) if word != last]


def completed(line: str, word: str) -> str:
    """The line with its last word replaced, ready for the next one."""
    words = line.split()
    if words and not line.endswith(" "):
        words.pop()
    return " ".join([*words, word]) + " "


def _wanted(verb: Verb, words: Sequence[str], lab: Lab) -> list[str]:
    if verb == "pair":
        return list(lab.get("targets" if words else "senders", ()))
    if verb in ("cut", "restore"):
        down = list(lab.get("down", ()))
        if verb == "restore":
            return [end for end in down if end not in words]
        return [end for link in lab.get("links", ()) for end in link if end not in down and end not in words]
    if not words:
        if verb == "announce":
            return list(lab.get("prefixes", ()))
        return [*dict.fromkeys(route["prefix"] for route in lab.get("announced", ())), "all"]
    keys = _KEYS[verb]
    at = next((word for word in reversed(words) if word in keys), None)
    left = [key for key in keys if key not in words]
    routers = [router for speaker in lab.get("speakers", ()) for router in speaker["peers"]]
    values = {
        "to": routers,
        "from": routers,
        "by": [speaker["name"] for speaker in lab.get("speakers", ())],
        "half": ["low", "high"],
        "community": ["no-export", "no-advertise", "local-AS", "blackhole"],
    }
    if at is None:
        return left
    given = words[len(words) - list(reversed(words)).index(at) :]
    own = [value for value in dict.fromkeys(values.get(at, ())) if value not in given]
    if not given:
        return own
    return left if at in _ONE_VALUE else [*own, *left]
