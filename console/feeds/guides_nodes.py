"""The connect guides of what is told from the nodes themselves: one watcher for all of them."""

from __future__ import annotations

from console.feeds.guide_sections import Section, Snippet

PROGRAM = Snippet("spot-watch.py", "spot-watch", file_name="spot-watch")
_WATCHER = (
    Section(
        "A watcher on the node",
        "Asks the metadata service every five seconds, posts each document that changed as it is, with the node it was"
        " asked on, and gives a sign of life every minute. What the console has not taken waits on the disk, over"
        " restarts and reboots; 401, 403, 404, 429 and 5xx are sent again, any other 4xx is final. It finds out by"
        " itself whether it is on AWS, Google Cloud or Azure, and needs Python 3.8 and nothing else.",
        (
            PROGRAM,
            Snippet("spot-watch.env", "spot-watch.env", file_name="spot-watch.env"),
            Snippet("spot-watch.service", "spot-watch.service", file_name="spot-watch.service"),
            Snippet("spot-watch.sh", "Beside these three files"),
        ),
    ),
    Section(
        "Or on every node of a cluster",
        "The same program as a DaemonSet, with the secret in a Secret that may be turned without a restart. It uses the"
        " node's network, because pods are kept from the metadata service, and runs in kube-system, where its priority"
        " class is allowed. Add a nodeSelector to run it on spot nodes only.",
        (Snippet("spot-watch.yaml", "kubectl apply -f spot-watch.yaml", file_name="spot-watch.yaml"),),
    ),
    Section(
        "What becomes of the two minutes",
        "A second program runs a shutdown hook and reports when it began, when it ended and how, also where it was cut"
        " short: the figure that says whether the notice is long enough. With systemd, a unit that drains when the"
        " machine stops; from anywhere else, put spot-hook run -- before the command. It lies beside the"
        " watcher and keeps and sends as that does.",
        (
            Snippet("spot-hook.py", "spot-hook", file_name="spot-hook"),
            Snippet(
                "spot-watch-hook.service", "spot-watch-hook.service", file_name="spot-watch-hook.service"
            ),
            Snippet("spot-hook.sh", "Beside these two files"),
        ),
    ),
)
IMDS = _WATCHER
METADATA = (
    *_WATCHER,
    Section(
        "By hand",
        "What the metadata server says of a preemption, with the machine it says it of: half a minute of notice, the"
        " only one there is. Run it once to see the first message.",
        (Snippet("gcp-metadata.sh", "On a spot VM"),),
    ),
)
SCHEDULED_EVENTS = (
    *_WATCHER,
    Section(
        "By hand",
        "The document of Scheduled Events, with the machine that polled it: subscription, resource group and region are"
        " in no document. An empty document is a sign of life.",
        (Snippet("azure-scheduled-events.sh", "On a spot machine"),),
    ),
)
NODE_REPORT = (
    Section(
        "From a shell",
        "One line from any machine that has curl: here a sign of life. The other reports are notices, shutdown hooks,"
        " moves, work, volumes, replicas, samples and log lines.",
        (Snippet("node-report.sh", "curl"),),
    ),
    *_WATCHER,
    Section(
        "A hook with nothing but curl",
        "How long the shutdown took, and how it ended, where no watcher is installed.",
        (Snippet("node-report-hook.sh", "Shell"),),
    ),
)
