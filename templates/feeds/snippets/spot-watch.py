{% autoescape off %}#!/usr/bin/env python3
"""Tells the spot console what this machine's metadata service announces. Needs Python 3.8 and nothing else.

FEED_ADDRESS, FEED_SECRET (or FEED_SECRET_FILE) and PROVIDER (aws, gcp, azure; found out if not given) come from the
os.environment. What the console has not taken yet waits in STATE_DIRECTORY/waiting.db.
"""
import http.client, json, logging, os, random, socket, sqlite3, time, urllib.request
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

TOKEN, BOOT_ID = "X-aws-ec2-metadata-token", open("/proc/sys/kernel/random/boot_id").read().strip()
HEADERS = {"aws": {}, "gcp": {"Metadata-Flavor": "Google"}, "azure": {"Metadata": "true"}}
PATHS = {"aws": ("latest/meta-data/spot/instance-action", "latest/meta-data/events/recommendations/rebalance",
                 "latest/meta-data/events/maintenance/scheduled", "latest/meta-data/autoscaling/target-lifecycle-state"),
         "gcp": ("computeMetadata/v1/instance/preempted",), "azure": ("metadata/scheduledevents?api-version=2020-07-01",)}
IDENTITY = {"aws": "latest/dynamic/instance-identity/document", "azure": "metadata/instance/compute?api-version=2021-02-01"}
FIELDS = {"aws": ("accountId", "region", "availabilityZone", "instanceId", "instanceType"),
          "azure": ("subscriptionId", "location", "", "name", "vmSize"),
          "gcp": ("project/project-id", "", "instance/zone", "instance/id", "instance/machine-type")}
TROUBLE = (OSError, ValueError, TypeError, KeyError, AttributeError, sqlite3.Error, http.client.HTTPException)
DONE, FINAL = {*range(200, 300)}, {*range(400, 500)} - {401, 403, 404, 408, 425, 429}  # these 4xx may pass
CLOCK = {"behind": 0}  # seconds by which this machine's clock is behind its metadata service's

class AsItIs(urllib.request.HTTPErrorProcessor):  # no redirects: the secret goes to FEED_ADDRESS and nowhere else
    http_response = https_response = lambda self, request, answer: answer

def call(url, headers, method="GET", body=None, proxies=None):
    opener = urllib.request.build_opener(AsItIs, urllib.request.ProxyHandler(proxies))
    with opener.open(urllib.request.Request(url, body, headers, method=method), timeout=4) as answer:
        return answer.status, answer.headers, answer.read(262144).decode()

def ask(cloud, path, method="GET"):
    """What the metadata service says there; None for 404. AWS answers 401 to a token that ran out: the next is new."""
    if cloud == "aws" and method == "GET" and not HEADERS["aws"]:
        HEADERS["aws"] = {TOKEN: ask("aws", "latest/api/token", "PUT")}
    url = os.environ.get("METADATA_ADDRESS", "http://169.254.169.254") + "/" + path
    status, said, text = call(url, HEADERS[cloud] or {TOKEN + "-ttl-seconds": "21600"}, method, proxies={})
    if status not in (200, 404):
        HEADERS["aws"] = {}
        raise OSError(f"{path} answers {status}")
    behind = parsedate_to_datetime(said["Date"]).timestamp() - time.time() if said["Date"] else 0
    CLOCK["behind"] = behind if abs(behind) > 5 else 0
    return text if status == 200 else None

def machine():
    """Who this machine is, by the first metadata service that knows; its name and boot alone where none does."""
    own = {"node_name": os.environ.get("NODE_NAME") or socket.gethostname(), "boot_id": BOOT_ID}
    for cloud in [os.environ["PROVIDER"]] if os.environ.get("PROVIDER") else PATHS:
        try:
            said = json.loads(ask(cloud, IDENTITY[cloud])) if cloud in IDENTITY else {
                at: ask(cloud, "computeMetadata/v1/" + at).rpartition("/")[2] for at in FIELDS[cloud] if at}
            fields = zip(("account", "region", "zone", "instance_id", "instance_type"), FIELDS[cloud])
            return {"provider": cloud, **{field: said[name] for field, name in fields if name}, **own}
        except TROUBLE:
            HEADERS["aws"] = {}
    return own

def stamp(at):
    return datetime.fromtimestamp(at + CLOCK["behind"], timezone.utc).isoformat(timespec="milliseconds")

def kept(query, *values):
    """Asks the disk; None if it refuses. What it took is on it: neither kill -9 nor a reboot loses that."""
    try:
        db = sqlite3.connect(os.environ.get("STATE_DIRECTORY", "/var/lib/spot-watch") + "/waiting.db", isolation_level=None)
        db.execute("PRAGMA synchronous = EXTRA")
        db.execute("CREATE TABLE IF NOT EXISTS waiting (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body TEXT)")
        return db.execute(query, values).fetchall()
    except sqlite3.Error as error:
        logging.warning("the disk refuses: %s", error)

def tell(name, message):
    """Keep it to be sent: of signs of life the newest, of all else the first 1,000. Without a disk, send it now."""
    verb, body = "REPLACE" if name == "alive" else "INSERT OR IGNORE", json.dumps(message)
    has_room = name == "alive" or kept("SELECT 1 WHERE (SELECT count(*) FROM waiting) <= 1000")
    is_kept = has_room and kept(verb + " INTO waiting (name, body) VALUES (?, ?)", name, body) is not None
    return is_kept or send(body) is None

def send(body):
    """None once the console has it or never will; else the seconds it asks to be left alone."""
    try:
        secret = open(os.environ["FEED_SECRET_FILE"]).read() if "FEED_SECRET_FILE" in os.environ else os.environ["FEED_SECRET"]
        headers = {"Authorization": "Bearer " + secret.strip(), "Content-Type": "application/json"}
        status, said, text = call(os.environ["FEED_ADDRESS"], headers, "POST", body.encode())
    except TROUBLE as error:
        status, said, text = 0, {}, error
    if status not in DONE:
        logging.warning("the console answers %s %s", status, text)
    if status not in DONE | FINAL:
        return min(int(said["Retry-After"]), 300) if str(said.get("Retry-After")).isdigit() else 0

def deliver():
    """All that waits, in order, signs of life last; up to the first that has to wait on, and for how long."""
    for number, body in kept("SELECT id, body FROM waiting ORDER BY name = 'alive', id LIMIT 200") or ():
        seconds = send(body)
        if seconds is not None:
            return seconds
        kept("DELETE FROM waiting WHERE id = ?", number)

def watch():
    own, told, tries, alive_at, retry_at = machine(), {}, 0, -60, 0
    while True:
        now = time.monotonic()
        try:
            if now - alive_at >= 60:
                alive_at, alive = now, {"reported_at": stamp(time.time()), "reports": [{"type": "heartbeat"}]}
                tell("alive", {"schema": "node-report/1", **own, **alive})
            own = own if "provider" in own else machine()
            for path in PATHS.get(own.get("provider"), ()):
                text = ask(own["provider"], path)
                if text and told.get(path) != text:
                    body = json.loads(text) if text[0] in "[{" else text
                    context = {**own, "first_seen_at": stamp(time.time())}
                    if tell(BOOT_ID + path + text, {"context": context, "path": path, "body": body}):
                        told[path], retry_at = text, 0  # what is new is tried at once
        except TROUBLE as error:
            logging.warning("the metadata service: %s", error)
        if now >= retry_at:
            seconds = deliver()
            tries = 0 if seconds is None else tries + 1
            retry_at = now + max(min(2 ** tries, 30) * random.uniform(0.5, 1), seconds or 0)
        time.sleep(max(0, 5 + now - time.monotonic()))

if __name__ == "__main__":
    watch(){% endautoescape %}
