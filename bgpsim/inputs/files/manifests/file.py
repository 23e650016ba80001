"""A file of manifests, document by document."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from bgpsim.inputs.files.manifests.daemon_set import DaemonSet, daemon_set
from bgpsim.inputs.files.manifests.peering_policy import PeeringPolicy, peering_policy
from bgpsim.inputs.files.part import Part, Problems
from bgpsim.inputs.files.yaml_source import read_documents
from bgpsim.source import Unmodelled

Resource: TypeAlias = PeeringPolicy | DaemonSet
_HARMLESS_KINDS = frozenset(
    (
        *("ConfigMap", "Secret", "ServiceAccount", "Namespace", "Role", "RoleBinding", "ClusterRole"),
        *("ClusterRoleBinding", "CustomResourceDefinition", "PriorityClass", "LimitRange", "ResourceQuota"),
        *("PersistentVolume", "PersistentVolumeClaim", "StorageClass", "PodDisruptionBudget"),
    )
)


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
        resources.append(peering_policy(top))
    elif kind == "DaemonSet":
        if version != "apps/v1":
            top["apiVersion"].fail("apps/v1")
        resources.append(daemon_set(top))
    else:
        harmless = kind in _HARMLESS_KINDS
        why = f"a {kind} moves no packet" if harmless else ""
        top.unmodelled.append(
            Unmodelled(top["kind"].source, None, f"{version} {kind}", "none" if harmless else "possible", (), why)
        )
