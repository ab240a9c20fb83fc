"""Deliveries and heartbeats, partitioned by the day they were received.

The tables are written by hand because Django cannot partition; their state is what the models say.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

DELIVERY = """
CREATE SEQUENCE feeds_delivery_id_seq CACHE 50;
CREATE TABLE feeds_delivery (
    id bigint NOT NULL DEFAULT nextval('feeds_delivery_id_seq'),
    received_at timestamptz NOT NULL,
    feed_id bigint NOT NULL,
    origin varchar(8) NOT NULL CONSTRAINT feeds_delivery_origin_is_known
        CHECK (origin IN ('live', 'sample', 'drill', 'test')),
    delivery_id varchar(512) NOT NULL,
    result varchar(16) NOT NULL CONSTRAINT feeds_delivery_result_is_known
        CHECK (result IN ('accepted', 'ignored', 'unrecognised')),
    note varchar(200) NOT NULL DEFAULT '',
    headers jsonb NOT NULL DEFAULT '{}',
    body bytea NOT NULL,
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
ALTER SEQUENCE feeds_delivery_id_seq OWNED BY feeds_delivery.id;
CREATE TABLE feeds_delivery_default PARTITION OF feeds_delivery DEFAULT;
CREATE INDEX feeds_delivery_unread ON feeds_delivery (feed_id, id DESC) WHERE result = 'unrecognised';
"""

HEARTBEATDELIVERY = """
CREATE SEQUENCE feeds_heartbeatdelivery_id_seq CACHE 50;
CREATE TABLE feeds_heartbeatdelivery (
    id bigint NOT NULL DEFAULT nextval('feeds_heartbeatdelivery_id_seq'),
    received_at timestamptz NOT NULL,
    feed_id bigint NOT NULL,
    origin varchar(8) NOT NULL CONSTRAINT feeds_heartbeatdelivery_origin_is_known
        CHECK (origin IN ('live', 'sample', 'drill', 'test')),
    delivery_id varchar(512) NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}',
    body bytea NOT NULL,
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
ALTER SEQUENCE feeds_heartbeatdelivery_id_seq OWNED BY feeds_heartbeatdelivery.id;
CREATE TABLE feeds_heartbeatdelivery_default PARTITION OF feeds_heartbeatdelivery DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [
        ('feeds', '0001_first_rows'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(DELIVERY, 'DROP TABLE feeds_delivery'),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='Delivery',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('received_at', models.DateTimeField()),
                        ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                        ('delivery_id', models.CharField(max_length=512)),
                        ('result', models.CharField(choices=[('accepted', 'Accepted'), ('ignored', 'Ignored'), ('unrecognised', 'Unrecognised')], max_length=16)),
                        ('note', models.CharField(blank=True, max_length=200)),
                        ('headers', models.JSONField(default=dict)),
                        ('body', models.BinaryField()),
                        ('feed', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='deliveries', to='feeds.feed')),
                    ],
                    options={
                        'db_table': 'feeds_delivery',
                    },
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(HEARTBEATDELIVERY, 'DROP TABLE feeds_heartbeatdelivery'),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='HeartbeatDelivery',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('received_at', models.DateTimeField()),
                        ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                        ('delivery_id', models.CharField(max_length=512)),
                        ('headers', models.JSONField(default=dict)),
                        ('body', models.BinaryField()),
                        ('feed', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='heartbeat_deliveries', to='feeds.feed')),
                    ],
                    options={
                        'db_table': 'feeds_heartbeatdelivery',
                    },
                ),
            ],
        ),
    ]
