"""What a feed knows of its sender, kind by kind: typed, checked, and shown in its form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from console.feeds.models import FeedKind
from console.lib.sealing import seal

EVENT_GRID_APP = "4962773b-9cdb-44cf-a8bf-237846a00ab7"
_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class WrongSetting(Exception):
    """A setting cannot be as given. `name` is empty where it is about none in particular."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class SenderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that any kind may say of its sender; a kind uses those that `SETTINGS` lists for it."""

    topic_arns: tuple[str, ...] = ()
    audience: str = ""
    service_account: str = ""
    subscription: str = ""
    tenant: str = ""
    app_id: str = ""
    queue_urls: tuple[str, ...] = ()
    role_arn: str = ""
    external_id: str = ""
    access_key_id: str = ""
    lookup: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    api_server: str = ""
    ca_file: str = ""
    token_file: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One of them, as a person fills it in."""

    name: str
    label: str
    help: str
    form: str
    demand: str
    is_list: bool = False
    most: int = 1
    secret_of: str = ""
    """Set for a secret, which is sealed and never shown: the setting it goes with, and without which it is dropped."""

    @property
    def field(self) -> str:
        return f"sender_{self.name}"


_TOPICS = Setting(
    "topic_arns",
    "Topics that may post",
    "ARNs of SNS topics, one a line. Messages that SNS signed for one of these are taken without the secret, and"
    " its subscription is confirmed by itself.",
    r"arn:aws(?:-cn|-us-gov)?:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?",
    "must be the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:111122223333:spot-events",
    is_list=True,
    most=50,
)
_PUBSUB = (
    Setting(
        "audience",
        "Audience of the push token",
        "The audience that the subscription's push token is made for; by default the push address itself.",
        r"\S{1,500}",
        "must be one word without spaces, as the subscription's settings show it",
    ),
    Setting(
        "service_account",
        "Service account that pushes",
        "Its e-mail address. A token of any other account is answered 403.",
        r"[^@\s]{1,200}@[^@\s]{1,200}",
        "must be the e-mail address of a service account",
    ),
    Setting(
        "subscription",
        "Subscription",
        "Where only one may push: projects/shop-prod-1/subscriptions/spot. Leave empty for any.",
        r"projects/[^/\s]{1,100}/subscriptions/[^/\s]{1,255}",
        "must look like projects/PROJECT/subscriptions/NAME",
    ),
)
_EVENT_GRID = (
    Setting(
        "tenant",
        "Entra tenant",
        "The directory (tenant) id of the token that Event Grid sends. Without it the secret is the way in.",
        _GUID,
        "must be a tenant id (a GUID)",
    ),
    Setting(
        "audience",
        "Audience of the token",
        "The application id or URI that the event subscription names under delivery authentication.",
        r"\S{1,500}",
        "must be one word without spaces, as the event subscription shows it",
    ),
    Setting(
        "app_id",
        "Application that sends",
        f"The sender's application id. Left empty it is Event Grid's own, {EVENT_GRID_APP}.",
        _GUID,
        "must be an application id (a GUID)",
    ),
)
_AWS_KEY = (
    Setting(
        "external_id",
        "External id of the roles",
        "Where a role's trust policy asks for one.",
        r"[\w+=,.@:/-]{2,500}",
        "must be one word of letters, digits and +=,.@:/-",
    ),
    Setting(
        "access_key_id",
        "Access key",
        "Only where the console's machine has no role of its own. Emptied, its secret is dropped too.",
        r"[A-Z0-9]{16,128}",
        "must be the id of an access key, such as AKIAIOSFODNN7EXAMPLE",
    ),
    Setting(
        "secret_access_key",
        "Secret of the access key",
        "Kept encrypted and never shown again. Leave empty to keep the one that is there.",
        r"[A-Za-z0-9/+=]{16,256}",
        "must be the secret access key as AWS showed it",
        secret_of="access_key_id",  # noqa: S106  the name of a setting
    ),
)
_LOOKUP = Setting(
    "lookup",
    "Accounts to look machines up in",
    "One a line: the ARN of a role, or an account number where the access key below or the console's machine may ask"
    " itself. A machine whose type, zone or tags are not known is asked for at once; the role needs"
    " ec2:DescribeInstances and ec2:DescribeInstanceTypes and nothing else. Left empty, nothing is looked up.",
    r"\d{12}|arn:aws(?:-cn|-us-gov)?:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}",
    "must be the ARN of a role, such as arn:aws:iam::111122223333:role/spot-console, or an account number",
    is_list=True,
    most=200,
)
_AWS_LOOKUP = (_LOOKUP, *_AWS_KEY)
_SQS = (
    Setting(
        "queue_urls",
        "Queues to fetch from",
        "URLs of SQS queues, one a line. The console fetches their messages by itself and deletes each once it is"
        " stored. Leave empty where a function posts the queue's batches here.",
        r"https://(?:sqs\.[a-z0-9-]+|[a-z0-9-]+\.queue)\.amazonaws\.com(?:\.cn)?/[0-9]{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?",
        "must be the URL of an SQS queue, such as https://sqs.eu-west-1.amazonaws.com/111122223333/spot-console",
        is_list=True,
        most=20,
    ),
    Setting(
        "role_arn",
        "Role to assume",
        "ARN of the role that may fetch from the queues. Leave empty to fetch with the console's own credentials.",
        r"arn:aws(?:-cn|-us-gov)?:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}",
        "must be the ARN of a role, such as arn:aws:iam::111122223333:role/spot-console",
    ),
    *_AWS_KEY,
    _LOOKUP,
)
_PUBSUB_PULL = (
    Setting(
        "subscriptions",
        "Subscriptions to fetch from",
        "One a line: projects/shop-prod-1/subscriptions/spot-console-pull. The console fetches their messages by"
        " itself and acknowledges each once it is stored. Leave empty where a job posts them here.",
        r"projects/[a-z0-9.:-]{4,100}/subscriptions/[A-Za-z][\w.~+%-]{2,254}",
        "must look like projects/PROJECT/subscriptions/NAME",
        is_list=True,
        most=20,
    ),
    Setting(
        "service_account_key",
        "Key of the service account",
        "The JSON file of a key that may subscribe. Kept encrypted and never shown again. Leave empty to keep the"
        " one that is there.",
        r"\{.{1,10000}\}",
        "must be the whole JSON file of a service account's key",
        secret_of="subscriptions",  # noqa: S106  the name of a setting
    ),
)
_CREDENTIAL_FILE = r"/[A-Za-z0-9._/-]{1,250}"
_WATCH = (
    Setting(
        "api_server",
        "API server",
        "Its address, as kubectl cluster-info shows it. Left empty it is that of the cluster the console runs in.",
        r"https://[^\s/?#@]{1,250}(?:/[^\s?#]{0,250})?|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?",
        "must start with https:// and name a host, such as https://10.0.0.1:6443",
    ),
    Setting(
        "ca_file",
        "Certificate file",
        "The cluster's own authority, a file on the console's machine under /var/run/secrets, /run/secrets or the"
        " directory CONSOLE_CREDENTIALS. Left empty, public authorities are trusted; inside a cluster it is found.",
        _CREDENTIAL_FILE,
        "must be the path of a file, such as /run/secrets/cluster/ca.crt",
    ),
    Setting(
        "token_file",
        "Token file",
        "The service account's token, in one of the same places. It is read anew for every connection.",
        _CREDENTIAL_FILE,
        "must be the path of a file, such as /run/secrets/cluster/token",
    ),
)
SETTINGS: Mapping[str, tuple[Setting, ...]] = MappingProxyType(
    {
        FeedKind.AWS_EVENTBRIDGE: _AWS_LOOKUP,
        FeedKind.AWS_SNS: (_TOPICS, *_AWS_LOOKUP),
        FeedKind.AWS_IMDS: _AWS_LOOKUP,
        FeedKind.NTH_WEBHOOK: _AWS_LOOKUP,
        FeedKind.AWS_SQS: _SQS,
        FeedKind.GCP_PUBSUB_PULL: _PUBSUB_PULL,
        FeedKind.GCP_PUBSUB: _PUBSUB,
        FeedKind.AZURE_EVENTGRID: _EVENT_GRID,
        FeedKind.KUBERNETES_WATCH: _WATCH,
    }
)
_TOGETHER: Mapping[str, tuple[str, ...]] = {
    FeedKind.GCP_PUBSUB: ("audience", "service_account"),
    FeedKind.AZURE_EVENTGRID: ("tenant", "audience"),
}
"""Settings that mean something only with each other."""


def sender_settings(stored: Mapping[str, Any]) -> SenderSettings:
    """What is stored on a feed, as a struct. What it no longer knows is passed over."""
    known = {name: stored[name] for name in SenderSettings.__struct_fields__ if name in stored}
    return msgspec.convert(known, SenderSettings)


def settings_of(kind: str) -> tuple[Setting, ...]:
    return SETTINGS.get(kind, ())


def checked_settings(kind: str, given: Mapping[str, str]) -> dict[str, Any]:
    """What is to be stored, from what a person typed; lists are split at lines, commas and spaces."""
    known = {setting.name: setting for setting in settings_of(kind)}
    for name in given.keys() - known.keys():
        takes = ", ".join(known) or "none"
        raise WrongSetting("", f"{name} is no setting of feeds of kind {kind}. It takes: {takes}.")
    stored: dict[str, Any] = {}
    for name, text in given.items():
        if known[name].secret_of:
            continue
        values = _values(known[name], text)
        if values:
            stored[name] = values if known[name].is_list else values[0]
    missing = [name for name in _TOGETHER.get(kind, ()) if name not in stored]
    if stored and missing:
        raise WrongSetting(missing[0], f"{known[missing[0]].label}: needed with the others. Give it too.")
    return stored


def sealed_secrets(kind: str, given: Mapping[str, str], *, kept: Mapping[str, str]) -> dict[str, str]:
    """What is to be stored encrypted: the secrets that were typed, else those kept from before."""
    sealed: dict[str, str] = {}
    for setting in settings_of(kind):
        if not setting.secret_of:
            continue
        typed = _values(setting, given.get(setting.name, ""))
        is_wanted = bool(given.get(setting.secret_of, "").strip())
        if typed and not is_wanted:
            with_it = next(one for one in settings_of(kind) if one.name == setting.secret_of)
            raise WrongSetting(with_it.name, f"{with_it.label}: needed with its secret. Give it too.")
        if typed:
            sealed[setting.name] = seal(typed[0])
        elif is_wanted and setting.name in kept:
            sealed[setting.name] = kept[setting.name]
    return sealed


def told_of(sealed: Mapping[str, str], *, before: Mapping[str, str]) -> dict[str, str]:
    """What the audit trail says of secrets: that there is one, or another one; never what it is."""
    return {name: "set" if before.get(name) in (None, text) else "replaced" for name, text in sealed.items()}


def _values(setting: Setting, text: str) -> list[str]:
    values = list(dict.fromkeys(re.split(r"[\s,]+", text.strip()) if setting.is_list else [text.strip()]))
    values = [value for value in values if value]
    if len(values) > setting.most:
        raise WrongSetting(setting.name, f"{setting.label}: at most {setting.most}.")
    for value in values:
        if not re.fullmatch(setting.form, value, re.IGNORECASE if setting.form == _GUID else re.DOTALL):
            got = "" if setting.secret_of else f", got {value[:80]!r}"
            raise WrongSetting(setting.name, f"{setting.label}: {setting.demand}{got}.")
    return values


def typed(kind: str, stored: Mapping[str, Any]) -> dict[str, str]:
    """What is stored, as it is typed in a form."""
    return {
        setting.name: "\n".join(found) if isinstance(found := stored.get(setting.name, ""), list) else found
        for setting in settings_of(kind)
        if not setting.secret_of
    }
