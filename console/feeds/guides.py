"""The connect guides: for each kind the steps a sender needs, with this console's address filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec
from django.template.loader import render_to_string

from console.feeds import guides_aws, guides_clusters, guides_nodes
from console.feeds.cloud_guides import CLOUD_GUIDES, log_filter
from console.feeds.guide_sections import Section, Snippet
from console.feeds.models import FeedKind
from console.feeds.sources.aws.eventbridge import EVENT_TYPES
from console.feeds.sources.azure import eventgrid
from console.feeds.sources.nth_webhook import TEMPLATE as NTH_TEMPLATE

PLACEHOLDER = "PUT-THE-SECRET-HERE"


@dataclass(frozen=True, slots=True)
class Code:
    id: str
    label: str
    code: str
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A section with its code written out."""

    title: str
    text: str
    codes: list[Code] = field(default_factory=list)


_GUIDES: Mapping[str, tuple[Section, ...]] = MappingProxyType(
    {
        FeedKind.AWS_EVENTBRIDGE: (
            Section(
                "With Terraform",
                "A connection that carries the secret in X-Api-Key, an API destination at this console, and a rule for"
                " every event that means something. Apply it in each region of the account that runs spot machines."
                " AWS must be able to reach the address over https.",
                (Snippet("eventbridge.tf", "Terraform"),),
            ),
            Section(
                "Or with the AWS command line",
                "The same three parts and the role that lets EventBridge send. Run it once in each region.",
                (Snippet("eventbridge.sh", "Shell"),),
            ),
            Section(
                "What the rule asks for",
                "The pattern alone, for a rule that you keep elsewhere. Events it lets through that mean nothing here"
                " are kept as unrecognised and shown on the feed's page.",
                (Snippet("eventbridge.json", "Event pattern"),),
            ),
        ),
        FeedKind.AWS_SNS: guides_aws.SNS,
        FeedKind.AWS_SQS: guides_aws.SQS,
        FeedKind.AWS_IMDS: guides_nodes.IMDS,
        FeedKind.CLOUDEVENTS: (
            Section(
                "One event",
                "The data is a message of another kind: an EventBridge event or a node report. It counts as that kind"
                " does, so a relayed copy equals the direct one.",
                (Snippet("cloudevents-structured.sh", "Structured"),),
            ),
            Section(
                "Many events, or the attributes in headers",
                "A batch of up to 5,000 is judged event by event; binary mode carries the attributes as ce- headers.",
                (
                    Snippet("cloudevents-batch.sh", "Batch"),
                    Snippet("cloudevents-binary.sh", "Binary mode"),
                ),
            ),
        ),
        FeedKind.NODE_REPORT: guides_nodes.NODE_REPORT,
        FeedKind.KUBERNETES: (
            Section(
                "The exporter's configuration",
                "kubernetes-event-exporter sends every event of the cluster; those that mean nothing here are answered"
                " and dropped. Leave its layout option out, it would rename the fields. Set clusterName to the name"
                " that your inventory uses.",
                (Snippet("kubernetes-exporter.yaml", "config.yaml"),),
            ),
        ),
        FeedKind.KUBERNETES_WATCH: guides_clusters.WATCH,
        FeedKind.ALERTMANAGER: (
            Section(
                "A receiver for Alertmanager",
                "Alerts are attached to the reclaims of the machine they name by their labels node or instance_id."
                " They open nothing and end nothing. Send those about nodes; the rest is answered and ignored.",
                (Snippet("alertmanager.yaml", "alertmanager.yml"),),
            ),
            Section(
                "A sign of life",
                "An alert that always fires, named Watchdog, shows that the way from Prometheus to here is whole.",
                (Snippet("alertmanager-heartbeat.yaml", "Prometheus rule"),),
            ),
        ),
        FeedKind.NTH_WEBHOOK: (
            Section(
                "Values for the chart",
                "The template carries account, region, instance, node, event id and times. The handler's default line"
                " of text is read as well, with the account and region of this feed's settings.",
                (Snippet("nth-values.yaml", "spot-console-values.yaml"), Snippet("nth-install.sh", "Shell")),
            ),
        ),
        FeedKind.GCP_METADATA: guides_nodes.METADATA,
        FeedKind.AZURE_SCHEDULED_EVENTS: guides_nodes.SCHEDULED_EVENTS,
        **CLOUD_GUIDES,
    }
)
"""A kind without a guide cannot be connected yet."""


def event_pattern() -> str:
    """The EventBridge pattern of every event that the parser understands."""
    pattern = {
        "source": list(dict.fromkeys(source for source, _ in EVENT_TYPES)),
        "detail-type": list(dict.fromkeys(kind for _, kind in EVENT_TYPES)),
    }
    return msgspec.json.format(msgspec.json.encode(pattern), indent=2).decode()


def watcher_program(name: str = "spot-watch") -> str:
    """A program that the guides put on a node, the same for every feed: `spot-watch`, or `spot-hook`."""
    return render_to_string(f"feeds/snippets/{name}.py").strip() + "\n"


def guide_for(kind: str, *, address: str, secret: str = "") -> list[Part]:
    """The steps of a kind. Without the secret its place is marked."""
    context = {
        "address": address,
        "slug": address.rpartition("/")[2],
        "secret": secret or PLACEHOLDER,
        "event_grid_types": eventgrid.EVENT_TYPES,
        "log_filter": log_filter(),
        "log_filter_indented": log_filter().replace("\n", "\n  "),
        "pattern": event_pattern(),
        "nth_template": NTH_TEMPLATE,
        "watcher_indented": watcher_program().strip().replace("\n", "\n    "),
        "pattern_indented": event_pattern().replace("\n", "\n  "),
    }
    parts = []
    for number, section in enumerate(_GUIDES.get(kind, ())):
        codes = [
            Code(
                f"code-{number}-{place}",
                one.label,
                render_to_string(f"feeds/snippets/{one.file}", context).strip(),
                one.file_name,
            )
            for place, one in enumerate(section.snippets)
        ]
        parts.append(Part(section.title, section.text, codes))
    return parts
