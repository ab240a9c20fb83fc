"""The runbooks of the sample fleet, and which of its services start their checklists with them."""

from __future__ import annotations

from dataclasses import dataclass

from console.runbooks.models import Step


@dataclass(frozen=True, slots=True)
class RunbookPlan:
    name: str
    summary: str
    services: tuple[str, ...]
    steps: tuple[Step, ...]


def _step(title: str, body: str, *, is_required: bool = True) -> Step:
    return {"title": title, "body": body, "is_required": is_required}


TRAINING = RunbookPlan(
    "Save a training run",
    "For GPU training: keep the last checkpoint, then start again elsewhere.",
    ("recommender-training", "vision-training", "feature-backfill"),
    (
        _step(
            "Force a checkpoint before the deadline",
            "The machine goes at **{{ deadline }}**. A checkpoint takes about 40 s; start it now.\n\n"
            "```sh\nkubectl exec --namespace machine-learning deploy/trainer -- \\\n"
            "  train-ctl checkpoint --node {{ node_name }} --wait\n```",
        ),
        _step(
            "Check that the checkpoint is whole",
            "The newest one must be younger than the notice and must have its `_SUCCESS` mark.\n\n"
            "```sh\naws s3 ls s3://meridian-checkpoints/{{ service }}/ --recursive | sort | tail -3\n```",
        ),
        _step(
            "Start the run elsewhere",
            "If the pool has no capacity, use the other region; it is slower, and it is there.\n\n"
            "```sh\ntrain-ctl resume {{ service }} --exclude-zone {{ zone }}\n```",
        ),
        _step("Write the lost minutes into a note", "The review asks for them on Monday.", is_required=False),
    ),
)
QUEUES = RunbookPlan(
    "Drain queue workers",
    "For workers that take from a queue: stop taking, finish, hand back.",
    ("checkout-workers", "order-events", "live-captions", "thumbnailer"),
    (
        _step(
            "See whether the queue grows",
            "More than 2 000 messages waiting means that the others cannot keep up.\n\n"
            "```sh\nqueue-ctl depth {{ service }}\n```",
        ),
        _step(
            "Stop taking new work on the machine",
            "```sh\nkubectl cordon {{ node_name }}\nqueue-ctl pause {{ service }} --node {{ node_name }}\n```",
        ),
        _step(
            "Hand back what is not finished by the deadline",
            "After **{{ deadline }}** whatever is in flight is delivered a second time.\n\n"
            "```sh\nqueue-ctl release {{ service }} --node {{ node_name }}\n```",
        ),
        _step("Make sure that the replacement takes work", "It should within two minutes of the deadline."),
    ),
)
VOLUMES = RunbookPlan(
    "Move a replica with its volume",
    "For stateful services: flush, detach, attach, catch up.",
    ("trino-analytics", "payment-capture", "ml-notebooks", "research-notebooks"),
    (
        _step(
            "Flush and stop the replica",
            "```sh\nkubectl drain {{ node_name }} --ignore-daemonsets --delete-emptydir-data --timeout=60s\n```",
        ),
        _step(
            "Watch the volume let go",
            "A volume that is not let go within a minute of **{{ deadline }}** has to be forced.",
        ),
        _step("Wait until the replica has caught up", "Its lag is on the service's metrics page."),
    ),
)
RUNBOOKS = (TRAINING, QUEUES, VOLUMES)
