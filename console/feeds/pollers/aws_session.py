"""The one seam to boto3: sessions with a feed's own key, a role it names, or what the machine has.

boto3 honours `AWS_ENDPOINT_URL` and finds the machine's own credentials. It takes 40 MB, so it is loaded where
AWS is first asked and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from console.feeds.feed_settings import SenderSettings
from console.feeds.pollers.source import CannotPoll

RENEW_BEFORE = timedelta(minutes=5)
SESSION_NAME = "spot-console"
PATIENCE = 10
THROTTLES = frozenset(
    {"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"}
)
T = TypeVar("T")


class Refused(CannotPoll):
    """AWS answered with an error. `code` is its own word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"AWS answered {code}: {message}")
        self.code = code
        self.said = message

    @property
    def is_throttle(self) -> bool:
        return self.code in THROTTLES


@dataclass(frozen=True, slots=True)
class Opened:
    """A session. That of an assumed role is to be opened anew from `renew_at` on."""

    session: Any
    renew_at: datetime | None = None

    def client(self, service: str, *, patience: int = PATIENCE, tries: int = 2) -> Any:
        return self.session.client(service, config=_calm(patience, tries))


def open_session(settings: SenderSettings, *, secret: str, role_arn: str, region: str) -> Opened:
    """With the access key of `settings`, else with the machine's own credentials; as `role_arn` where given."""
    import boto3  # noqa: PLC0415

    own = Opened(
        boto3.Session(
            aws_access_key_id=settings.access_key_id or None,
            aws_secret_access_key=secret or None,
            region_name=region,
        )
    )
    if not role_arn:
        return own
    more = {"ExternalId": settings.external_id} if settings.external_id else {}
    answer = own.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=SESSION_NAME, **more)
    given = answer["Credentials"]
    assumed = boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=region,
    )
    return Opened(assumed, given["Expiration"] - RENEW_BEFORE)


def asking(ask: Callable[[], T]) -> T:
    """What AWS answers; `Refused` or another `CannotPoll` where it does not."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        return ask()
    except ClientError as error:
        said = error.response.get("Error", {})
        raise Refused(str(said.get("Code", "an error")), str(said.get("Message", ""))) from error
    except (BotoCoreError, ValueError, OSError) as error:
        raise CannotPoll(f"AWS cannot be asked: {error}") from error


def _calm(patience: int, tries: int) -> Any:
    from botocore.config import Config  # noqa: PLC0415

    return Config(
        connect_timeout=5, read_timeout=patience, retries={"mode": "standard", "total_max_attempts": tries}
    )
