"""Kubernetes manifests: Cilium's BGP resources and the workloads that give pods."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from bgpsim.inputs.files.part import Part, Problems
from bgpsim.inputs.files.yaml_source import read_documents
from bgpsim.source import Source, Unmodelled


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


@dataclass(frozen=True, slots=True)
class PeeringNeighbor:
    """`spec.virtualRouters[].neighbors[]`; times in seconds, defaults as in Cilium 1.14."""

    peer_address: IPv4Network | IPv6Network
    peer_asn: int
    source: Source
    peer_port: int = 179
    ebgp_multihop_ttl: int = 1
    connect_retry: int = 120
    hold_time: int = 90
    keepalive: int = 30
    graceful_restart: bool = False
    graceful_restart_time: int = 120


@dataclass(frozen=True, slots=True)
class VirtualRouter:
    local_asn: int
    export_pod_cidr: bool
    neighbors: tuple[PeeringNeighbor, ...]
    source: Source
    export_source: Source | None = None
    """The line of `exportPodCIDR`."""


@dataclass(frozen=True, slots=True)
class PeeringPolicy:
    """CiliumBGPPeeringPolicy (cilium.io/v2alpha1); `node_selector` None matches every node."""

    name: str
    node_selector: LabelSelector | None
    virtual_routers: tuple[VirtualRouter, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Toleration:
    key: str | None
    operator: Literal["Exists", "Equal"]
    value: str
    effect: str | None


@dataclass(frozen=True, slots=True)
class DaemonSet:
    """apps/v1 DaemonSet: one pod on each node that its selector matches and whose taints it tolerates."""

    name: str
    namespace: str
    pod_labels: Mapping[str, str]
    source: Source
    node_selector: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tolerations: tuple[Toleration, ...] = ()
    host_network: bool = False
    image: str = ""


Resource: TypeAlias = PeeringPolicy | DaemonSet


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file, in the order of its documents. Other kinds, and fields not read, are in `unmodelled`."""

    path: str
    resources: tuple[Resource, ...]
    unmodelled: tuple[Unmodelled, ...] = ()

    @property
    def identities(self) -> frozenset[tuple[str, str, str]]:
        """Kind, namespace and name of each: what `kubectl` knows an object by, whatever file it came from."""
        return frozenset(_identity(resource) for resource in self.resources)

    def without(self, identities: Collection[tuple[str, str, str]]) -> ManifestFile:
        """What is left of it when these are deleted."""
        return replace(self, resources=tuple(r for r in self.resources if _identity(r) not in identities))


def _identity(resource: Resource) -> tuple[str, str, str]:
    if isinstance(resource, DaemonSet):
        return ("DaemonSet", resource.namespace, resource.name)
    return ("CiliumBGPPeeringPolicy", "", resource.name)


_OPERATORS: tuple[Literal["In", "NotIn", "Exists", "DoesNotExist"], ...] = ("In", "NotIn", "Exists", "DoesNotExist")
_HARMLESS_KINDS = frozenset(
    (
        *("ConfigMap", "Secret", "ServiceAccount", "Namespace", "Role", "RoleBinding", "ClusterRole"),
        *("ClusterRoleBinding", "CustomResourceDefinition", "PriorityClass", "LimitRange", "ResourceQuota"),
        *("PersistentVolume", "PersistentVolumeClaim", "StorageClass", "PodDisruptionBudget"),
    )
)
_BOOKKEEPING = (
    *("labels", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"),
    *("generateName", "deletionTimestamp", "deletionGracePeriodSeconds"),
)
_STATUS = {"status": "the cluster writes it"}
_CONTAINER = "it is about the containers of a pod, and moves no packet"
_POD_HARMLESS = dict.fromkeys(
    (
        *("initContainers", "volumes", "restartPolicy", "terminationGracePeriodSeconds", "dnsPolicy"),
        *("serviceAccountName", "serviceAccount", "priorityClassName", "priority", "securityContext", "hostPID"),
        *("hostIPC", "automountServiceAccountToken", "enableServiceLinks", "imagePullSecrets", "preemptionPolicy"),
        *("schedulerName", "shareProcessNamespace", "dnsConfig", "hostAliases", "hostname", "subdomain"),
    ),
    _CONTAINER,
)
_CONTAINER_HARMLESS = dict.fromkeys(
    (
        *("command", "args", "env", "envFrom", "imagePullPolicy", "lifecycle", "livenessProbe", "ports"),
        *("readinessProbe", "resources", "securityContext", "startupProbe", "stdin", "stdinOnce", "tty"),
        *("terminationMessagePath", "terminationMessagePolicy", "volumeDevices", "volumeMounts", "workingDir"),
    ),
    _CONTAINER,
)


def load_manifests(path: Path, shown: str) -> ManifestFile:
    """Read a file of manifests. `shown`: its name in errors and reports. Raises InputError."""
    resources: list[Resource] = []
    unmodelled: list[Unmodelled] = []
    problems = Problems()
    for document in read_documents(path, shown):
        with problems.collected():
            _read(Part(document, (), unmodelled), resources)
    problems.raise_all()
    return ManifestFile(shown, tuple(resources), tuple(unmodelled))


def _read(top: Part, resources: list[Resource]) -> None:
    for key in ("kind", "apiVersion"):
        if key not in top:
            top.fail(f"a Kubernetes resource with `{key}`")
    kind, version = top["kind"].text(), top["apiVersion"].text()
    if kind == "List":
        top.keys(("kind", "apiVersion", "items"), harmless={"metadata": "it is about the list"})
        for item in top["items"].items() if "items" in top else ():
            _read(item, resources)
    elif kind == "CiliumBGPPeeringPolicy":
        if version != "cilium.io/v2alpha1":
            top["apiVersion"].fail("cilium.io/v2alpha1")
        resources.append(_policy(top))
    elif kind == "DaemonSet":
        if version != "apps/v1":
            top["apiVersion"].fail("apps/v1")
        resources.append(_daemon_set(top))
    else:
        harmless = kind in _HARMLESS_KINDS
        why = f"a {kind} moves no packet" if harmless else ""
        top.unmodelled.append(
            Unmodelled(top["kind"].source, None, f"{version} {kind}", "none" if harmless else "possible", (), why)
        )


def _name(top: Part) -> str:
    if "metadata" not in top or "name" not in top["metadata"]:
        top.fail("`metadata.name`")
    metadata = top["metadata"]
    metadata.keys(
        ("name", "namespace"),
        harmless=dict.fromkeys(_BOOKKEEPING, "it is the cluster's bookkeeping"),
        possible=("annotations", "ownerReferences", "finalizers"),
    )
    return metadata["name"].text()


def _policy(top: Part) -> PeeringPolicy:
    top.keys(("apiVersion", "kind", "metadata", "spec"), harmless=_STATUS)
    name = _name(top)
    if "spec" not in top:
        top.fail("`spec`")
    spec = top["spec"]
    spec.keys(("nodeSelector", "virtualRouters"))
    if "virtualRouters" not in spec:
        spec.fail("`virtualRouters`")
    parts = spec["virtualRouters"].items()
    if not parts:
        spec["virtualRouters"].fail("at least one virtual router")
    if len(parts) > 1:
        parts[1].fail("one virtual router in a policy: bgpsim runs one GoBGP per node")
    routers = tuple(_virtual_router(part) for part in parts)
    selector = _selector(spec["nodeSelector"]) if "nodeSelector" in spec else None
    return PeeringPolicy(name, selector, routers, top["kind"].source)


def _selector(part: Part) -> LabelSelector:
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


def _virtual_router(part: Part) -> VirtualRouter:
    part.keys(
        ("localASN", "exportPodCIDR", "neighbors"),
        possible=("serviceSelector", "podIPPoolSelector", "serviceAdvertisements"),
    )
    if "localASN" not in part:
        part.fail("`localASN`")
    if "neighbors" not in part:
        part.fail("`neighbors`")
    export = part.get("exportPodCIDR")
    return VirtualRouter(
        local_asn=part["localASN"].asn(),
        export_pod_cidr=export is not None and export.truth(),
        neighbors=tuple(_neighbor(item) for item in part["neighbors"].items()),
        source=part.source,
        export_source=None if export is None else export.source,
    )


_TIMES = {
    "connectRetryTime": (120, 1, 2147483647),
    "holdTime": (90, 3, 65535),
    "keepAliveTime": (30, 1, 65535),
}
"""Name in Cilium 1.13 (a duration; 1.14 appends `Seconds`) -> default, least and most, in seconds."""
_DURATION = re.compile(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def _neighbor(part: Part) -> PeeringNeighbor:
    part.keys(
        (
            *("peerAddress", "peerASN", "peerPort", "eBGPMultihopTTL", "gracefulRestart"),
            *(name for time in _TIMES for name in (time, f"{time}Seconds")),
        ),
        possible=("families", "authSecretRef", "advertisedPathAttributes"),
    )
    for key in ("peerAddress", "peerASN"):
        if key not in part:
            part.fail(f"`{key}`")
    written = part["peerAddress"]
    address = written.prefix()
    if address.prefixlen != address.max_prefixlen or "/" not in written.text():
        written.fail(f"one address, with /{address.max_prefixlen}")
    hold, keepalive = _seconds(part, "holdTime"), _seconds(part, "keepAliveTime")
    if keepalive > hold:
        key = next(k for k in ("keepAliveTimeSeconds", "keepAliveTime", "holdTimeSeconds", "holdTime") if k in part)
        part[key].fail(f"a keepalive time ({keepalive}) of at most the hold time ({hold})")
    port = part["peerPort"].integer(1, 65535) if "peerPort" in part else 179
    if port != 179:
        part.list_unmodelled("peerPort")
    restart, restart_time = False, 120
    if (graceful := part.get("gracefulRestart")) is not None:
        graceful.keys(("enabled", "restartTime", "restartTimeSeconds"))
        restart = "enabled" in graceful and graceful["enabled"].truth()
        restart_time = _seconds(graceful, "restartTime", (120, 1, 4095))
        if restart:
            part.list_unmodelled("gracefulRestart")
    return PeeringNeighbor(
        peer_address=address,
        peer_asn=part["peerASN"].asn(),
        source=part.source,
        peer_port=port,
        ebgp_multihop_ttl=part["eBGPMultihopTTL"].integer(1, 255) if "eBGPMultihopTTL" in part else 1,
        connect_retry=_seconds(part, "connectRetryTime"),
        hold_time=hold,
        keepalive=keepalive,
        graceful_restart=restart,
        graceful_restart_time=restart_time,
    )


def _seconds(part: Part, name: str, bounds: tuple[int, int, int] | None = None) -> int:
    default, low, high = bounds or _TIMES[name]
    if (number := part.get(f"{name}Seconds")) is not None:
        return number.integer(low, high)
    if (duration := part.get(name)) is None:
        return default
    found = _DURATION.fullmatch(duration.scalar())
    hours, minutes, seconds = (int(text or 0) for text in found.groups()) if found else (0, 0, -1)
    time = 3600 * hours + 60 * minutes + seconds
    if not low <= time <= high:
        duration.fail(f"a time like 1m30s, of {low} to {high} seconds")
    return time


def _daemon_set(top: Part) -> DaemonSet:
    top.keys(("apiVersion", "kind", "metadata", "spec"), harmless=_STATUS)
    name = _name(top)
    namespace = top["metadata"]["namespace"].text() if "namespace" in top["metadata"] else "default"
    if "spec" not in top or "template" not in top["spec"]:
        top.fail("`spec.template`")
    spec = top["spec"]
    spec.keys(
        ("selector", "template"),
        harmless=dict.fromkeys(
            ("updateStrategy", "minReadySeconds", "revisionHistoryLimit"), "it is about how pods are replaced"
        ),
    )
    template = spec["template"]
    template.keys(("metadata", "spec"))
    labels: Mapping[str, str] = {}
    if (metadata := template.get("metadata")) is not None:
        metadata.keys(
            ("labels",),
            harmless=dict.fromkeys(("creationTimestamp", "name", "namespace"), "it is the cluster's bookkeeping"),
            possible=("annotations",),
        )
        labels = metadata["labels"].texts() if "labels" in metadata else {}
    if "selector" not in spec:
        spec.fail("`selector`")
    if not _selector(spec["selector"]).matches(labels):
        spec["selector"].fail("a selector that matches the labels of its own template")
    if "spec" not in template:
        template.fail("`spec`")
    pod = template["spec"]
    pod.keys(
        ("nodeSelector", "tolerations", "hostNetwork", "containers"),
        harmless=_POD_HARMLESS,
        possible=("affinity", "topologySpreadConstraints", "runtimeClassName", "nodeName"),
    )
    containers = pod["containers"].items() if "containers" in pod else ()
    if not containers:
        pod.fail("`containers`, at least one")
    for container in containers:
        container.keys(("name", "image"), harmless=_CONTAINER_HARMLESS)
    image = containers[0]["image"].text() if "image" in containers[0] else ""
    return DaemonSet(
        name=name,
        namespace=namespace,
        pod_labels=labels,
        source=top["kind"].source,
        node_selector=pod["nodeSelector"].texts() if "nodeSelector" in pod else {},
        tolerations=tuple(_toleration(item) for item in pod["tolerations"].items()) if "tolerations" in pod else (),
        host_network="hostNetwork" in pod and pod["hostNetwork"].truth(),
        image=image,
    )


def _toleration(part: Part) -> Toleration:
    part.keys(("key", "operator", "value", "effect"), harmless={"tolerationSeconds": "no node fails"})
    operator: Literal["Exists", "Equal"] = "Equal"
    if "operator" in part:
        if part["operator"].value not in ("Exists", "Equal"):
            part["operator"].fail("Exists or Equal")
        operator = "Exists" if part["operator"].value == "Exists" else "Equal"
    return Toleration(
        key=part["key"].text() if "key" in part else None,
        operator=operator,
        value=part["value"].scalar() if "value" in part else "",
        effect=part["effect"].text() if "effect" in part else None,
    )
