{% autoescape off %}import json, urllib.request

ADDRESS = "{{ address }}"
SECRET = "{{ secret }}"


def handler(event, context):
    """Hands one batch on. An error leaves the batch in the queue, to be tried again."""
    request = urllib.request.Request(
        ADDRESS,
        data=json.dumps(event).encode(),
        headers={"Authorization": "Bearer " + SECRET, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        print(answer.read().decode()){% endautoescape %}
