"""The names one Azure machine goes by: its ARM id, its resource's name, and the name of its AKS node. Pure.

A scale set's machine is `…/virtualMachineScaleSets/<set>/virtualMachines/862` in ARM, `<set>_862` where
Scheduled Events list it, and `<set>0000ny` as a node: the last six characters are the index in base 36.
Azure's names are compared without case.
"""

from __future__ import annotations

import re

_SET_MEMBER = re.compile(r".*/virtualmachinescalesets/([^/]+)/virtualmachines/([^/]+)", re.IGNORECASE)
_AKS_RESOURCE = re.compile(r"(aks[a-z0-9-]+)_([0-9]{1,10})")
_AKS_NODE = re.compile(r"(aks-[a-z0-9-]+-vmss|aks[a-z0-9]{1,6})([0-9a-z]{6})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MOST = 36**6


def is_arm_id(instance_id: str) -> bool:
    return instance_id.lower().startswith("/subscriptions/")


def resource_name(instance_id: str) -> str:
    """The name under which Scheduled Events list the machine."""
    if not is_arm_id(instance_id):
        return instance_id
    member = _SET_MEMBER.fullmatch(instance_id)
    return f"{member[1]}_{member[2]}" if member else instance_id.rpartition("/")[2]


def node_of_resource(name: str) -> str | None:
    """`aks-spot-123-vmss_862` runs the node `aks-spot-123-vmss0000ny`; None for what is no AKS machine."""
    match = _AKS_RESOURCE.fullmatch(name.lower())
    if match is None or (index := int(match[2])) >= _MOST:
        return None
    digits = ""
    for _ in range(6):
        index, digit = divmod(index, 36)
        digits = _DIGITS[digit] + digits
    return match[1] + digits


def resource_of_node(node_name: str) -> str | None:
    """The way back."""
    match = _AKS_NODE.fullmatch(node_name.lower())
    return f"{match[1]}_{int(match[2], 36)}" if match else None
