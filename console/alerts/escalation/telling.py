"""Telling the next level of an escalation: whom it reaches now, what is skipped, and what when nobody is left.

A level that reaches nobody is skipped at once and the history says so. A whole round that reached nobody falls
back to the platform's default, then to every administrator. When the last round is over and nobody answered,
the escalation is exhausted, and every administrator is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from console.alerts.escalation import words
from console.alerts.escalation.ledger import Ledger
from console.alerts.models import Escalation, EscalationState, EventKind, StepKind
from console.oncall.policies import ADMINISTRATORS, LAST_RESORT, Frozen, Level, Target, default_policy
from console.oncall.reaching import Reached, Roster


class Teller:
    """Tells levels of some escalations, whose groups the caller holds. The roster is read once for all."""

    def __init__(self, escalations: Iterable[Escalation], *, ledger: Ledger) -> None:
        self._ledger = ledger
        self._now = ledger.now
        self._roster = Roster(_targets(e.frozen for e in escalations), at=self._now)
        self._administrators: Reached | None = None

    def advance(self, escalation: Escalation, *, because: str = "", may_repeat: bool = True) -> bool:
        """Tell the next level that reaches somebody. False: none is left, and then nobody was told.

        Where the policy is over this repeats it, falls back, or gives up loudly, unless `may_repeat` is off.
        """
        while True:
            policy = escalation.frozen
            if escalation.level >= len(policy.levels):
                if not may_repeat or not self._go_round(escalation, policy):
                    return False
                continue
            level = policy.levels[escalation.level]
            escalation.level += 1
            reached = self._roster.reach(level.targets)
            self._say_misses(escalation, reached)
            if reached.reaches:
                self._tell(escalation, policy, level, reached, because=because)
                return True

    def _tell(
        self, escalation: Escalation, policy: Frozen, level: Level, reached: Reached, *, because: str
    ) -> None:
        due_at = escalation.next_at
        escalation.told_count += len(reached.reaches)
        escalation.next_at = escalation.due_at = self._now + timedelta(minutes=level.wait_minutes)
        where = f"Level {escalation.level} of {policy.name}"
        for reach in reached.reaches:
            message = words.page(escalation, reach, because=because or where, due_at=due_at, now=self._now)
            self._ledger.messages.append(message)
            self._ledger.step(
                escalation, StepKind.TOLD, reach.why, reach=reach, key=message.key, due_at=due_at
            )
        again = f" (time {escalation.pass_number})" if escalation.pass_number > 1 else ""
        late = words.lateness(due_at, now=self._now)
        said = f"{because}. " if because else ""
        text = f"{said}{where}{again}: {words.named(reached.reaches)}. {late}".rstrip()
        seconds = max(0.0, (self._now - due_at).total_seconds()) if due_at else 0.0
        self._ledger.event(
            escalation.group, EventKind.TOLD, text, level=escalation.level, late_seconds=seconds
        )

    def _say_misses(self, escalation: Escalation, reached: Reached) -> None:
        if not reached.misses:
            return
        why = "; ".join(reached.misses)
        self._ledger.step(escalation, StepKind.SKIPPED, why)
        if not reached.reaches:
            text = f"Level {escalation.level} is skipped: {why}"
            self._ledger.event(escalation.group, EventKind.ESCALATED, text, level=escalation.level)

    def _go_round(self, escalation: Escalation, policy: Frozen) -> bool:
        """Begin another round. False: nothing is left, and that was said loudly."""
        if escalation.told_count == 0:
            if (other := _fallback(policy, origin=escalation.origin)) is None:
                self.give_up(escalation, "Nobody can be reached at all")
                return False
            why = f"Nobody on {policy.name} can be reached: {other.name} holds instead"
            escalation.policy, escalation.rounds_left = other.as_json, other.repeats
            self._roster = Roster(_targets([other]), at=self._now)
            self._turn(escalation, StepKind.FELL_BACK, why)
        elif escalation.rounds_left:
            escalation.rounds_left -= 1
            self._turn(escalation, StepKind.REPEATED, "Nobody answered: all levels are told again")
        else:
            self.give_up(escalation, f"Everybody on {policy.name} was told and nobody answered")
            return False
        return True

    def _turn(self, escalation: Escalation, kind: StepKind, why: str) -> None:
        escalation.pass_number += 1
        escalation.level = escalation.told_count = 0
        self._ledger.step(escalation, kind, why)
        self._ledger.event(escalation.group, EventKind.ESCALATED, why)

    def give_up(self, escalation: Escalation, why: str) -> None:
        """Nobody answered: every administrator is told, whether or not they were before."""
        due_at = escalation.next_at
        escalation.state = EscalationState.EXHAUSTED
        escalation.next_at = escalation.due_at = None
        if self._administrators is None:
            self._administrators = Roster([ADMINISTRATORS], at=self._now).reach([ADMINISTRATORS])
        reached = self._administrators
        for reach in reached.reaches:
            message = words.page(
                escalation, reach, because=why, due_at=due_at, now=self._now, step="unanswered"
            )
            self._ledger.messages.append(message)
            self._ledger.step(escalation, StepKind.TOLD, reach.why, reach=reach, key=message.key)
        self._ledger.step(escalation, StepKind.UNANSWERED, why, due_at=due_at)
        whom = words.named(reached.reaches) or "no active administrator is there"
        self._ledger.event(escalation.group, EventKind.UNANSWERED, f"{why}. Told: {whom}")


def restart(escalation: Escalation, *, ledger: Ledger, why: str) -> None:
    """Let it go on at once: the level it stood at is told again; an exhausted one begins anew."""
    is_over = escalation.state == EscalationState.EXHAUSTED or escalation.is_open is False
    escalation.pass_number += 1
    if is_over:
        escalation.level, escalation.rounds_left = 0, escalation.frozen.repeats
    else:
        escalation.level = max(escalation.level - 1, 0)
    escalation.state, escalation.ended_at, escalation.reminded_at = EscalationState.RUNNING, None, None
    escalation.next_at = escalation.due_at = ledger.now
    ledger.step(escalation, StepKind.RESUMED, why)


def _fallback(policy: Frozen, *, origin: str) -> Frozen | None:
    """The default, where that is another; then the last resort; then nothing."""
    if policy == LAST_RESORT:
        return None
    default = default_policy(origin)
    is_other = default is not None and default.policy_id != policy.policy_id
    return default if is_other else LAST_RESORT


def _targets(policies: Iterable[Frozen]) -> set[Target]:
    return {target for policy in policies for level in policy.levels for target in level.targets}
