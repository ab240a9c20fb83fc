{% autoescape off %}#!/usr/bin/env python3
"""Tells the spot console what this machine's metadata service announces. Needs Python 3.8 and nothing else.

spot-watch                          asks every 5 s, tells what changed, gives a sign of life every minute
spot-watch run-hook -- COMMAND ...  runs it and reports when it began, when it ended and how
spot-watch hook --started TIME [--finished TIME] --outcome complete|partial|failed [--message TEXT]

FEED_ADDRESS, FEED_SECRET (or FEED_SECRET_FILE) and PROVIDER (aws, gcp, azure; found out if not given) come from the
environment or /etc/spot-watch.env. What the console has not taken yet waits in STATE_DIRECTORY/waiting.db.
"""
import http.client, json, os, random, signal, socket, sqlite3, subprocess, sys, threading, time, urllib.request
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

LINES = open("/etc/spot-watch.env").readlines() if os.access("/etc/spot-watch.env", os.R_OK) else []
ENV = {**dict(line.strip().split("=", 1) for line in LINES if "=" in line), **os.environ}
HEADERS = {"aws": {}, "gcp": {"Metadata-Flavor": "Google"}, "azure": {"Metadata": "true"}}
PATHS = {"aws": ("latest/meta-data/spot/instance-action", "latest/meta-data/events/recommendations/rebalance",
                 "latest/meta-data/events/maintenance/scheduled", "latest/meta-data/autoscaling/target-lifecycle-state"),
         "gcp": ("computeMetadata/v1/instance/preempted",), "azure": ("metadata/scheduledevents?api-version=2020-07-01",)}
IDENTITY = {"aws": "latest/dynamic/instance-identity/document", "azure": "metadata/instance/compute?api-version=2021-02-01"}
FIELDS = {"aws": ("accountId", "region", "availabilityZone", "instanceId", "instanceType"),
          "azure": ("subscriptionId", "location", "", "name", "vmSize"),
          "gcp": ("project/project-id", "", "instance/zone", "instance/id", "instance/machine-type")}
TROUBLE = (OSError, ValueError, TypeError, KeyError, AttributeError, sqlite3.Error, http.client.HTTPException)
LATER = (401, 403, 404, 408, 425, 429)  # of 4xx: the secret, the address or the moment is wrong, not the message
clock = {"behind": 0}  # seconds by which this machine's clock is behind its metadata service's

class AsItIs(urllib.request.HTTPErrorProcessor):  # no redirects: the secret goes to FEED_ADDRESS and nowhere else
    http_response = https_response = lambda self, request, answer: answer

def log(*words):
    print("spot-watch:", *words, file=sys.stderr, flush=True)

def call(url, headers, method="GET", body=None, proxies=None):
    request = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.build_opener(AsItIs, urllib.request.ProxyHandler(proxies)).open(request, timeout=4) as answer:
        return answer.status, answer.headers, answer.read(262144).decode()

def ask(cloud, path, headers=None, method="GET"):
    """What the metadata service says there; None for 404. AWS answers 401 to a token that ran out: the next is new."""
    if cloud == "aws" and not headers and not HEADERS["aws"]:
        token = ask("aws", "latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}, "PUT")
        HEADERS["aws"] = {"X-aws-ec2-metadata-token": token}
    address = ENV.get("METADATA_ADDRESS", "http://169.254.169.254") + "/" + path
    status, said, text = call(address, headers or HEADERS[cloud], method, proxies={})
    if status not in (200, 404):
        HEADERS["aws"] = {}
        raise OSError(f"{path} answers {status}")
    behind = parsedate_to_datetime(said["Date"]).timestamp() - time.time() if said["Date"] else 0
    clock["behind"] = behind if abs(behind) > 5 else 0
    return text if status == 200 else None

def machine():
    """Who this machine is, by the first metadata service that knows; its name and boot alone where none does."""
    own = {"node_name": ENV.get("NODE_NAME") or socket.gethostname(),
           "boot_id": open("/proc/sys/kernel/random/boot_id").read().strip()}
    for cloud in [ENV["PROVIDER"]] if ENV.get("PROVIDER") else PATHS:
        try:
            if cloud == "gcp":
                said = {at: ask(cloud, "computeMetadata/v1/" + at).rpartition("/")[2] for at in FIELDS[cloud] if at}
            else:
                said = json.loads(ask(cloud, IDENTITY[cloud]))
            fields = zip(("account", "region", "zone", "instance_id", "instance_type"), FIELDS[cloud])
            return {"provider": cloud, **{field: said[name] for field, name in fields if name}, **own}
        except TROUBLE:
            HEADERS["aws"] = {}
    return own

def stamp(at):
    return datetime.fromtimestamp(at + clock["behind"], timezone.utc).isoformat(timespec="milliseconds")

def kept():
    """What waits to be sent. A commit is on the disk before it returns: neither kill -9 nor a reboot loses it."""
    rows = sqlite3.connect(ENV.get("STATE_DIRECTORY", "/var/lib/spot-watch") + "/waiting.db", isolation_level=None)
    rows.execute("PRAGMA synchronous = EXTRA")
    rows.execute("CREATE TABLE IF NOT EXISTS waiting (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body TEXT)")
    return rows

def tell(name, message):
    """Keep it to be sent: of signs of life the newest only, of all else the first 1,000. Without a disk, send it now."""
    body = json.dumps(message)
    try:
        if name == "alive":
            kept().execute("REPLACE INTO waiting (name, body) VALUES (?, ?)", (name, body))
        elif kept().execute("SELECT count(*) FROM waiting").fetchone()[0] > 1000:
            raise OSError("1,000 messages wait")
        else:
            kept().execute("INSERT OR IGNORE INTO waiting (name, body) VALUES (?, ?)", (name, body))
    except TROUBLE as error:
        log("not kept:", error)
        return send(body) is None
    return True

def tell_report(own, name, entry):
    message = {"schema": "node-report/1", **own, "reported_at": stamp(time.time()), "reports": [entry]}
    return tell(name, message if name == "alive" else {**message, "report_id": name.partition(" ")[0]})

def send(body):
    """None once the console has it or never will (4xx); else the seconds it asks to be left alone."""
    try:
        secret = open(ENV["FEED_SECRET_FILE"]).read().strip() if "FEED_SECRET_FILE" in ENV else ENV["FEED_SECRET"]
        headers = {"Authorization": "Bearer " + secret, "Content-Type": "application/json"}
        status, said, text = call(ENV["FEED_ADDRESS"], headers, "POST", body.encode())
    except TROUBLE as error:
        status, said, text = 0, {}, error
    if 200 <= status < 300:
        return None
    log("the console answers", status, text)
    seconds = said.get("Retry-After") or ""
    return None if 400 <= status < 500 and status not in LATER else min(int(seconds), 300) if seconds.isdigit() else 0

def deliver():
    """All that waits, in order, signs of life last; up to the first that has to wait on."""
    try:
        rows = kept()
        for number, body in rows.execute("SELECT id, body FROM waiting ORDER BY name = 'alive', id LIMIT 200").fetchall():
            seconds = send(body)
            if seconds is not None:
                return seconds
            rows.execute("DELETE FROM waiting WHERE id = ?", (number,))
    except sqlite3.Error as error:
        log("cannot read what waits:", error)
    return None

def watch():
    own, told, tries, alive_at, retry_at, hold_until = machine(), {}, 0, float("-inf"), 0, 0
    while True:
        now = time.monotonic()
        try:
            own = own if "provider" in own else machine()
            for path in PATHS.get(own.get("provider"), ()):
                text = ask(own["provider"], path)
                if text and told.get(path) != text:
                    body = json.loads(text) if text[0] in "[{" else text
                    wrapper = {"context": {**own, "first_seen_at": stamp(time.time())}, "path": path, "body": body}
                    if tell(own["boot_id"] + path + text, wrapper):
                        told[path], retry_at = text, 0  # what is new is tried at once
        except TROUBLE as error:
            log("the metadata service:", error)
        if now - alive_at >= 60:
            tell_report(own, "alive", {"type": "heartbeat"})
            alive_at = now
        if now >= max(retry_at, hold_until):
            seconds = deliver()
            tries = 0 if seconds is None else tries + 1
            retry_at, hold_until = now + min(2 ** tries, 30) * random.uniform(0.5, 1), now + (seconds or 0)
        time.sleep(max(0, 5 + now - time.monotonic()))

def run_hook(command):
    """The beginning is kept before the end is known: a hook that is cut short is told as partial all the same."""
    began, since, name = time.time(), time.monotonic(), "hook-" + os.urandom(12).hex()
    child = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" "$@"', *command])
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    own, entry = {}, {"type": "hook", "outcome": "partial", "message": "began, and nothing was told of its end"}

    def tell_of_beginning():
        own.update(machine())
        entry["started_at"] = stamp(began)
        tell_report(own, name, entry)
        deliver()

    telling = threading.Thread(target=tell_of_beginning)
    telling.start()
    code = child.wait()
    ended = began + time.monotonic() - since
    telling.join()
    entry["outcome"] = "complete" if code == 0 else "partial" if code < 0 or code in (124, 137, 143) else "failed"
    tell_report(own, name + " end", {**entry, "finished_at": stamp(ended), "message": f"exit code {code}"})
    deliver()
    sys.exit(code if code >= 0 else 128 - code)

if __name__ == "__main__":
    if sys.argv[1:3] == ["run-hook", "--"] and sys.argv[3:]:
        run_hook(sys.argv[3:])
    elif sys.argv[1:2] == ["hook"] and "--outcome" in sys.argv:
        given = {"--started": "started_at", "--finished": "finished_at", "--outcome": "outcome", "--message": "message"}
        entry = {given[word]: text for word, text in zip(sys.argv[2::2], sys.argv[3::2])}
        tell_report(machine(), "hook-" + os.urandom(12).hex(), {"type": "hook", **entry})
        sys.exit(deliver() is not None)
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        watch(){% endautoescape %}
