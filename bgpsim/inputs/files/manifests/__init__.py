"""Kubernetes manifests: Cilium's BGP resources and the workloads that give pods."""

from bgpsim.inputs.files.manifests.daemon_set import DaemonSet, Toleration
from bgpsim.inputs.files.manifests.file import ManifestFile, load_manifests
from bgpsim.inputs.files.manifests.labels import LabelExpression, LabelSelector
from bgpsim.inputs.files.manifests.peering_policy import PeeringNeighbor, PeeringPolicy, VirtualRouter

__all__ = [
    "DaemonSet",
    "LabelExpression",
    "LabelSelector",
    "ManifestFile",
    "PeeringNeighbor",
    "PeeringPolicy",
    "Toleration",
    "VirtualRouter",
    "load_manifests",
]
