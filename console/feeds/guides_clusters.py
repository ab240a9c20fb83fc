"""The connect guide of a watched cluster."""

from __future__ import annotations

from console.feeds.guide_sections import Section, Snippet

WATCH: tuple[Section, ...] = (
    Section(
        "What the watch may read",
        "A service account that lists and watches events, nodes, pods and disruption budgets, and how many replicas"
        " Deployments, StatefulSets and ReplicaSets want. It may change nothing and reads no secret. Without the last"
        " two rules the watch goes on: what is wanted is then counted from the pods seen.",
        (Snippet("kubernetes-watch-rights.yaml", "spot-console-watch.yaml"),),
    ),
    Section(
        "From outside of the cluster",
        "Nothing is posted: the console asks. Make a token, put it and the cluster's certificate on the console's"
        " machine, readable by the user it runs as, and give their paths and the printed address to this feed's"
        " settings. The watch starts within half a minute, and ends when the feed is paused.",
        (
            Snippet("kubernetes-watch-token.yaml", "spot-console-token.yaml"),
            Snippet("kubernetes-watch-outside.sh", "Shell"),
        ),
    ),
    Section(
        "Or from inside of it",
        "The console's image, watching for this feed alone, with the secret that holds the console's own database and"
        " broker addresses. Leave the API server, the certificate and the token of this feed's settings empty: those"
        " of the service account are used.",
        (Snippet("kubernetes-watch-deployment.yaml", "spot-console-deployment.yaml"),),
    ),
    Section(
        "What it needs beside",
        "Give the feed the name of the cluster that your other inventory uses. An AWS account is in no node: give it to"
        " the feed as well. The test button posts an event through the front door and says nothing of the watch.",
    ),
)
