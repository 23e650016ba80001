"""What every Kubernetes object has."""

from __future__ import annotations

from bgpsim.inputs.files.part import Part

_BOOKKEEPING = (
    *("labels", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"),
    *("generateName", "deletionTimestamp", "deletionGracePeriodSeconds"),
)
STATUS = {"status": "the cluster writes it"}


def object_name(top: Part) -> str:
    if "metadata" not in top or "name" not in top["metadata"]:
        top.fail("`metadata.name`")
    metadata = top["metadata"]
    metadata.keys(
        ("name", "namespace"),
        harmless=dict.fromkeys(_BOOKKEEPING, "it is the cluster's bookkeeping"),
        possible=("annotations", "ownerReferences", "finalizers"),
    )
    return metadata["name"].text()
