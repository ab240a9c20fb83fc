"""The connect guides of what AWS sends other than straight from EventBridge."""

from __future__ import annotations

from console.feeds.guide_sections import Section, Snippet

SNS = (
    Section(
        "First say which topics may post here",
        "Put the ARN of the topic into this feed's settings. Messages that SNS signed for that topic are then taken"
        " without a secret, and the subscription is confirmed by itself. Any other topic is answered 403.",
    ),
    Section(
        "With Terraform",
        "A topic, a rule that publishes every event that means something, and the subscription. AWS must be able to"
        " reach the address over https. Leave raw delivery off: a raw message has no signature.",
        (Snippet("sns.tf", "Terraform"),),
    ),
    Section(
        "Or with the AWS command line",
        "For a topic that is there already. With raw delivery the secret in the address stands for the signature.",
        (Snippet("sns.sh", "Shell"),),
    ),
)
SQS = (
    Section(
        "A queue that the console polls",
        "A queue of its own for this console: termination handlers delete what they read. Put its URL into this feed's"
        " settings, with the role that may fetch from it; without a role the console uses the credentials of its own"
        " machine. Nothing has to reach the console from outside. Each message is deleted once it is stored.",
        (Snippet("sqs-poll.tf", "Terraform"),),
    ),
    Section(
        "Or with the AWS command line",
        "The queue and the rule; it prints the URL for the settings. Who fetches needs sqs:ReceiveMessage,"
        " sqs:DeleteMessage and sqs:ChangeMessageVisibility on it.",
        (Snippet("sqs-poll.sh", "Shell"),),
    ),
    Section(
        "Or a queue whose function posts its batches here",
        "Where the console cannot reach AWS. The function hands each batch on as it is; the records are judged one by"
        " one. Name no queue in the settings then.",
        (Snippet("sqs.py", "Function (Python)"), Snippet("sqs.tf", "Terraform")),
    ),
    Section(
        "Lifecycle hooks",
        "Those sent straight to the queue take their account and region from this feed's settings.",
    ),
)
