"""Kubernetes' DaemonSet, the workload that gives pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from bgpsim.inputs.files.manifests.labels import selector
from bgpsim.inputs.files.manifests.metadata import STATUS, object_name
from bgpsim.inputs.files.part import Part
from bgpsim.source import Source

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


def daemon_set(top: Part) -> DaemonSet:
    top.keys(("apiVersion", "kind", "metadata", "spec"), harmless=STATUS)
    name = object_name(top)
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
    if not selector(spec["selector"]).matches(labels):
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
