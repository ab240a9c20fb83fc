"""The connect guides of Google Cloud and Azure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from console.feeds.guide_sections import Section, Snippet
from console.feeds.models import FeedKind
from console.feeds.sources.gcp.audit import METHODS

CLOUD_GUIDES: Mapping[str, tuple[Section, ...]] = MappingProxyType(
    {
        FeedKind.GCP_PUBSUB: (
            Section(
                "First say whose token is taken",
                "Put two things into this feed's settings: as the audience the address above, and the e-mail of the"
                " service account that the steps below make. Until then every push is answered 401, and nothing of it"
                " is kept.",
            ),
            Section(
                "With Terraform",
                "A log sink for the audit entries that mean something, a topic, and a subscription that pushes to this"
                " console. Pub/Sub signs each push as the service account; its audience is the address below. Apply it"
                " in each project that runs spot machines. Google must be able to reach the address over https.",
                (Snippet("gcp-pubsub.tf", "Terraform"),),
            ),
            Section(
                "Or with gcloud",
                "The same parts, step by step. Run it once in each project.",
                (Snippet("gcp-pubsub.sh", "Shell"),),
            ),
            Section(
                "What it tells",
                "The audit entry is written when the preemption happens: it is a proof and comes without notice."
                " The half minute before it is known inside the guest alone; connect the metadata server as well.",
            ),
        ),
        FeedKind.GCP_PUBSUB_PULL: (
            Section(
                "With Terraform",
                "The sink and topic, a subscription to fetch from, and a service account that may do nothing else.",
                (Snippet("gcp-pubsub-pull.tf", "Terraform"),),
            ),
            Section(
                "Or with gcloud",
                "The same parts, step by step; it prints the subscription's name.",
                (Snippet("gcp-pubsub-pull-create.sh", "Shell"),),
            ),
            Section(
                "Let the console fetch",
                "Make a key for the service account and put it into this feed's settings together with the"
                " subscription's name. Nothing has to reach the console from outside. Each message is acknowledged"
                " once it is stored.",
                (Snippet("gcp-pubsub-key.sh", "Shell"),),
            ),
            Section(
                "Or fetch and post",
                "Where the console cannot reach Google: from any machine that reaches both, as often as you like. What"
                " was fetched before is answered as a duplicate. Name no subscription in the settings then.",
                (Snippet("gcp-pubsub-pull.sh", "Shell"),),
            ),
        ),
        FeedKind.GCP_OPERATIONS: (
            Section(
                "Post the operations list",
                "The operations of the last day, from any machine with gcloud; run it every few minutes. The same"
                " operation is one message however often it is sent. One project's list a run.",
                (Snippet("gcp-operations.sh", "Shell"),),
            ),
        ),
        FeedKind.AZURE_EVENTGRID: (
            Section(
                "With Terraform",
                "A system topic for the health of the subscription's machines, and a subscription that delivers to this"
                " console with the secret in a delivery header. Apply it once in each Azure subscription. Azure must be"
                " able to reach the address over https.",
                (Snippet("azure-eventgrid.tf", "Terraform"),),
            ),
            Section(
                "Or with the Azure command line",
                "The same two parts. Name the resource group that is to hold the topic.",
                (Snippet("azure-eventgrid.sh", "Shell"),),
            ),
            Section(
                "What it tells",
                "That a machine was preempted, after the fact. The notice before it comes from Scheduled Events;"
                " connect those as well. Records of the Activity Log's resource health are taken at the same address.",
            ),
        ),
    }
)


def log_filter() -> str:
    """The log sink's filter for every audit entry that the parser understands."""
    methods = " OR ".join(f'"{method}"' for method in METHODS)
    return f"protoPayload.methodName=({methods})"
