"""Celery is the hands: tasks carry no payload, the queue is PostgreSQL. One beat table, here."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.config.settings")

app = Celery("console")
app.set_default()  # bells ring from threads of their own, which know no other app
QUEUES = ("ingest", "alerts", "notify", "reports")
IS_RABBITMQ = settings.BROKER_URL.startswith(("amqp://", "amqps://", "pyamqp://"))

app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"confirm_publish": True, "confirm_timeout": 5.0}
    if IS_RABBITMQ
    else {"visibility_timeout": 300, "socket_timeout": 5, "socket_connect_timeout": 2},
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_detect_quorum_queues=True,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    task_default_queue="ingest",
    task_create_missing_queues=False,
    task_queues=[
        Queue(name, queue_arguments={"x-queue-type": "quorum"} if IS_RABBITMQ else None) for name in QUEUES
    ],
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    enable_utc=True,
    worker_hijack_root_logger=False,
)
app.autodiscover_tasks(
    [
        "console.notifications",
        "console.oncall",
        "console.ingest",
        "console.slo",
        "console.costs",
        "console.alerts",
        "console.dashboards",
        "console.drills",
    ]
)

# Bells that are rung whether or not something happened: a lost bell costs one sweep, never an event.
app.conf.beat_schedule = {
    "record-sweep": {"task": "console.ingest.tasks.record", "schedule": 1.0, "options": {"expires": 2}},
    "alert-sweep": {"task": "console.alerts.tasks.alert", "schedule": 1.0, "options": {"expires": 2}},
    "outbox-sweep": {"task": "console.notifications.tasks.send", "schedule": 1.0, "options": {"expires": 2}},
    "links-forgetting": {
        "task": "console.notifications.tasks.forget_links",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "interruptions-due": {
        "task": "console.ingest.tasks.settle",
        "schedule": 2.0,
        "options": {"expires": 4},
    },
    "interruptions-follow-machines": {
        "task": "console.ingest.tasks.follow_machines",
        "schedule": 2.0,
        "options": {"expires": 4},
    },
    "events-outward": {
        "task": "console.alerts.tasks.deliver_events",
        "schedule": 2.0,
        "options": {"expires": 4},
    },
    "replays": {"task": "console.alerts.tasks.replay", "schedule": 15.0, "options": {"expires": 15}},
    "noise-report": {
        "task": "console.alerts.tasks.report_noise",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "feeds-watch": {
        "task": "console.alerts.tasks.watch_feeds",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "notices-watch": {
        "task": "console.alerts.tasks.watch_notices",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "capacity-watch": {
        "task": "console.alerts.tasks.watch_capacity",
        "schedule": 2.0,
        "options": {"expires": 4},
    },
    "rules-evaluate": {
        "task": "console.alerts.tasks.evaluate",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "suppressions-turn": {
        "task": "console.alerts.tasks.suppress",
        "schedule": 1.0,
        "options": {"expires": 2},
    },
    "outbox-watch": {
        "task": "console.alerts.tasks.watch_outbox",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "canary": {"task": "console.ingest.tasks.send_canary", "schedule": 20.0, "options": {"expires": 20}},
    "reattribution": {
        "task": "console.ingest.tasks.reattribute",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "measures-rollup": {
        "task": "console.dashboards.tasks.roll_up",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "objectives-poll": {"task": "console.slo.tasks.poll", "schedule": 15.0, "options": {"expires": 15}},
    "objectives-episodes": {
        "task": "console.slo.tasks.sum_episodes",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "cluster-watches": {
        "task": "console.ingest.tasks.call_for_watches",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "quarantine-replays": {
        "task": "console.ingest.tasks.replay",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "look-ups": {"task": "console.ingest.tasks.look_up", "schedule": 5.0, "options": {"expires": 5}},
    "look-ups-missed": {
        "task": "console.ingest.tasks.want_missed_look_ups",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "hand-overs": {
        "task": "console.oncall.tasks.look_for_hand_overs",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "billing-imports": {
        "task": "console.costs.tasks.work_imports",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "sample-clearing": {
        "task": "console.drills.tasks.clear_sample",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "partitions": {
        "task": "console.ingest.tasks.keep_partitions",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}
