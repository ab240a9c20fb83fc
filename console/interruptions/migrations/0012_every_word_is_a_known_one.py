"""Every column of known words is held to them by the database."""

from __future__ import annotations

from django.db import migrations, models


# Observations are partitioned by hand, and so are their checks.
OBSERVATION_WORDS = """
ALTER TABLE interruptions_observation
    ADD CONSTRAINT interruptions_observation_kind_is_known CHECK (kind IN ('rebalance_recommendation', 'interruption_notice', 'state_change', 'node_cordoned',
        'node_drain_started', 'pod_evicted', 'shutdown_started', 'shutdown_completed', 'terminated',
        'pod_scheduled', 'pod_running', 'replacement_launched', 'heartbeat')),
    ADD CONSTRAINT interruptions_observation_outcome_is_known CHECK (outcome IN ('ok', 'error', 'cancelled')),
    ADD CONSTRAINT interruptions_observation_cause_is_known CHECK (cause IN ('', 'spot', 'capacity_reservation', 'maintenance', 'customer', 'unknown'));
"""
NO_OBSERVATION_WORDS = """
ALTER TABLE interruptions_observation
    DROP CONSTRAINT interruptions_observation_kind_is_known,
    DROP CONSTRAINT interruptions_observation_outcome_is_known,
    DROP CONSTRAINT interruptions_observation_cause_is_known;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('feeds', '0005_every_word_is_a_known_one'),
        ('fleet', '0003_machines_are_found_by_the_start_of_their_name'),
        ('interruptions', '0011_boards_do_not_read_history'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='hook',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='interruptions_hook_origin_is_known'),
        ),
        migrations.AddConstraint(
            model_name='interruption',
            constraint=models.CheckConstraint(condition=models.Q(('known_by__in', ['notice', 'audit', 'vanished'])), name='interruptions_interruption_known_by_is_known'),
        ),
        migrations.AddConstraint(
            model_name='latencyhour',
            constraint=models.CheckConstraint(condition=models.Q(('workload_class__in', ['stateless', 'batch', 'stateful'])), name='interruptions_latencyhour_class_is_known'),
        ),
        migrations.AddConstraint(
            model_name='move',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='interruptions_move_origin_is_known'),
        ),
        migrations.AddConstraint(
            model_name='replica',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='interruptions_replica_origin_is_known'),
        ),
        migrations.AddConstraint(
            model_name='volume',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='interruptions_volume_origin_is_known'),
        ),
        migrations.AddConstraint(
            model_name='work',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='interruptions_work_origin_is_known'),
        ),
        migrations.RunSQL(OBSERVATION_WORDS, NO_OBSERVATION_WORDS),
    ]
