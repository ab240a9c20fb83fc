"""E-mail by the mail server of `EMAIL_URL`. Messages about one subject form one thread."""

from __future__ import annotations

import smtplib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.conf import settings as console
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.mail.utils import DNS_NAME
from django.core.validators import validate_email

from console.notifications.outgoing_message import OutgoingMessage
from console.notifications.senders.posting import read_word
from console.notifications.senders.sender import AnswerLost, BadSetting, Field, Sender, SendFailed, Taken

TIMEOUT = 10
MOST_ADDRESSES = 20
PRINTING = "django.core.mail.backends.console.EmailBackend"


@dataclass(frozen=True, slots=True)
class Email:
    addresses: tuple[str, ...]


def _read(values: Mapping[str, str], allowed_hosts: Collection[str]) -> Email:
    text = read_word(values, "addresses", "Write an e-mail address.")
    addresses = tuple(text.replace(",", " ").replace(";", " ").split())
    if len(addresses) > MOST_ADDRESSES:
        raise BadSetting("addresses", f"At most {MOST_ADDRESSES} addresses; use a mailing list beyond that.")
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError as error:
            raise BadSetting("addresses", f"{address} is not an e-mail address.") from error
    return Email(addresses)


def _send(message: OutgoingMessage, settings: Email, allowed_hosts: Collection[str]) -> Taken:
    if console.EMAIL_BACKEND == PRINTING:
        raise SendFailed("No mail server is configured: set EMAIL_URL", permanent=True)
    connection = get_connection(timeout=TIMEOUT)
    try:
        connection.open()
    except smtplib.SMTPAuthenticationError as error:
        raise SendFailed(f"The mail server refuses to let us in: {_words(error)}", permanent=True) from error
    except (smtplib.SMTPException, OSError) as error:
        raise SendFailed(f"The mail server cannot be reached: {_words(error)}") from error
    try:
        connection.send_messages([_mail(message, settings)])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise SendFailed(_refusals(error), permanent=all(code >= 500 for code in codes)) from error
    except smtplib.SMTPResponseException as error:
        raise SendFailed(_words(error), permanent=error.smtp_code >= 500) from error
    except (smtplib.SMTPException, OSError) as error:
        raise AnswerLost(f"The mail server was lost while it took the mail: {_words(error)}") from error
    finally:
        _close(connection)
    return Taken(
        f"Taken by {getattr(connection, 'host', 'the mail server')} for {', '.join(settings.addresses)}"
    )


def _mail(message: OutgoingMessage, settings: Email) -> EmailMessage:
    host = DNS_NAME.get_fqdn()
    thread = f"<{message.subject_key.replace(':', '-')}@{host}>"
    return EmailMessage(
        subject=" ".join(message.title.split()),
        body=message.whole_text,
        to=list(settings.addresses),
        headers={
            "Message-ID": f"<notification-{message.id}@{host}>",
            "References": thread,
            "In-Reply-To": thread,
            "Auto-Submitted": "auto-generated",
            "X-Spot-Delivery": message.key,
        },
    )


def _close(connection: object) -> None:
    """Whatever goes wrong in saying goodbye changes nothing of what was taken."""
    try:
        connection.close()  # type: ignore[attr-defined]
    except (smtplib.SMTPException, OSError):
        return


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        told = error.smtp_error
        return f"{error.smtp_code} {told.decode(errors='replace') if isinstance(told, bytes) else told}"
    return str(error) or type(error).__name__


def _refusals(error: smtplib.SMTPRecipientsRefused) -> str:
    told = ((address, code, words) for address, (code, words) in error.recipients.items())
    return "; ".join(f"{address}: {code} {words.decode(errors='replace')}" for address, code, words in told)


SENDER = Sender(
    fields=(Field("addresses", "Addresses", "Several are separated by spaces.", is_long=True),),
    read=_read,
    hint=lambda settings: ", ".join(settings.addresses),
    send=_send,
)
