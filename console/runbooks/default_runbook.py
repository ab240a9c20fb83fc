"""The runbook that every console begins with: the five steps of a spot incident.

It is installed as version 1 of the default runbook. Later versions are written in the console; changing the
text here changes new installations only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from console.runbooks.models import Runbook, RunbookVersion, Step

SLUG = "spot-incident"
NAME = "Spot incident"
SUMMARY = "The five steps for machines that the provider takes back. Used where a service has no runbook."
CHANGE_NOTE = "The five-step incident checklist that the console comes with."

IDENTIFY = """\
Say who is hit before you touch anything: **{{ service }}**, in {{ region }} / {{ zone }}. The
[alert group]({{ group_url }}) lists its machines and shows how many replicas are left of those wanted.

1. Which machines leave, and when? The first deadline is **{{ deadline }}**.
2. Which workloads run on them, and are there replicas elsewhere?

```sh
kubectl get pods --all-namespaces --output wide \\
  --field-selector spec.nodeName={{ node_name }}
kubectl get nodes --selector topology.kubernetes.io/zone={{ zone }} --output wide
```

If only best-effort work is hit and replacements are starting, note that and go to step 4. If a critical service is
short of replicas, **acknowledge the group now** so that others know you have it.
"""

CONFIRM = """\
Make sure that this is a reclaim and not a failing machine: the remedy differs. The console knows it as
`{{ interruption_key }}`; its page shows each witness with its delay.

```sh
aws ec2 describe-instances --region {{ region }} --instance-ids {{ instance_id }} --output table \\
  --query 'Reservations[].Instances[].[InstanceId,State.Name,StateTransitionReason,InstanceLifecycle]'
aws ec2 describe-spot-instance-requests --region {{ region }} --output table \\
  --filters Name=instance-id,Values={{ instance_id }} \\
  --query 'SpotInstanceRequests[].[SpotInstanceRequestId,Status.Code,Status.UpdateTime]'
```

- `instance-terminated-by-price`, `instance-terminated-no-capacity` or a termination notice: a reclaim. Write the
  request id and the times into a note here.
- State `running` after the deadline: the notice may have been withdrawn. Note it, and keep watching.
- Another account? This machine belongs to `{{ account }}`.
"""

RESCHEDULE = """\
Get the work off the machine while it still runs, or start it elsewhere if it is gone. Time is up at **{{ deadline }}**.

Still running and not drained:

```sh
kubectl cordon {{ node_name }}
kubectl drain {{ node_name }} --ignore-daemonsets --delete-emptydir-data \\
  --grace-period=60 --timeout=110s
```

A drain that hangs is most often a disruption budget that allows nothing:

```sh
kubectl get poddisruptionbudgets --all-namespaces
```

Already gone, and pods do not come back:

```sh
kubectl get pods --all-namespaces --field-selector status.phase=Pending
kubectl get events --all-namespaces --sort-by=.lastTimestamp \\
  --field-selector reason=FailedScheduling
```

No spot capacity in {{ zone }}: open another zone or type, take warm machines, or let the on-demand group of
{{ service }} grow. Prefer what its own plan says; note what you chose, because it costs money until it is taken back.
"""

PRESERVE = """\
What is on the machine is lost with it, and logs expire. Keep now what the postmortem will ask for.

```sh
aws ec2 get-console-output --region {{ region }} --instance-id {{ instance_id }} --latest --output text
kubectl get events --all-namespaces --output yaml \\
  --field-selector involvedObject.name={{ node_name }}
kubectl describe node {{ node_name }}
```

- Save the output where {{ service }} keeps its evidence and put the link into a note here.
- Did the shutdown hook finish, and was the last checkpoint written? Say so in a note, with the time.
- Telemetry that stops *before* the deadline points at an agent that died early. Note the last time it reported.
"""

RESTORE = """\
The incident ends when the service has its replicas again and those who heard of trouble have heard that it is over.

```sh
kubectl get nodes --selector topology.kubernetes.io/zone={{ zone }}
kubectl get pods --all-namespaces --field-selector status.phase=Pending
```

1. Replicas of **{{ service }}** are back to what is wanted, spread over more than one zone.
2. Take back what was temporary: raised limits, on-demand machines, paused jobs, cordons.
3. Tell stakeholders, in one message: what was hit, from when to when, what was lost, what happens next. Link the
   [alert group]({{ group_url }}).
4. If users noticed, data was lost or a notice was missed, ask for a postmortem while memories are fresh.
"""

STEPS: list[Step] = [
    {"title": "Identify the affected services and the scope", "body": IDENTIFY, "is_required": True},
    {
        "title": "Confirm the provider's interruption ids and timelines",
        "body": CONFIRM,
        "is_required": True,
    },
    {
        "title": "Reschedule the work, or fail over",
        "body": RESCHEDULE,
        "is_required": True,
    },
    {
        "title": "Capture telemetry and preserve logs for the postmortem",
        "body": PRESERVE,
        "is_required": True,
    },
    {
        "title": "Restore capacity and tell the stakeholders",
        "body": RESTORE,
        "is_required": True,
    },
]


def install(runbooks: Any, versions: Any, *, now: datetime) -> None:
    """Put the default runbook and its version 1 there, unless there is a published default. Twice is harmless."""
    if versions.filter(runbook__is_default=True, published_at__isnull=False).exists():
        return
    runbook = runbooks.filter(is_default=True).first()
    if runbook is None:
        made = {"name": NAME, "summary": SUMMARY, "created_at": now}
        runbook = runbooks.get_or_create(slug=SLUG, defaults=made)[0]
        runbooks.filter(pk=runbook.pk).update(is_default=True, archived_at=None)
    if not versions.filter(runbook=runbook, published_at__isnull=False).exists():
        versions.filter(runbook=runbook, number=1).delete()
        versions.create(
            runbook=runbook,
            number=1,
            steps=STEPS,
            change_note=CHANGE_NOTE,
            created_at=now,
            saved_at=now,
            published_at=now,
        )


def default_version(*, now: datetime) -> RunbookVersion:
    """The newest published version of the default runbook; put back if somebody took it out of the database."""
    published = RunbookVersion.objects.published().filter(runbook__is_default=True).order_by("-number")
    found = published.select_related("runbook").first()
    if found is None:
        with transaction.atomic():
            install(Runbook.objects, RunbookVersion.objects, now=now)
        found = published.select_related("runbook").first()
    if found is None:
        raise RuntimeError("The default runbook could not be installed.")
    return found
