{% autoescape off %}#!/usr/bin/env python3
"""Tells the spot console of this machine: a sign of life every minute, a notice the moment it appears."""
import json, os, time, urllib.error, urllib.request

ADDRESS = os.environ["FEED_ADDRESS"]
SECRET = os.environ["FEED_SECRET"]
METADATA = os.environ.get("METADATA_ADDRESS", "http://169.254.169.254")


def fetch(url, method="GET", body=None, headers={}):
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read().decode()


def metadata(path):
    """The document at this path, or None where there is none."""
    token = fetch(METADATA + "/latest/api/token", "PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    try:
        return fetch(METADATA + "/latest/" + path, headers={"X-aws-ec2-metadata-token": token})
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def tell(machine, report):
    message = {"schema": "node-report/1", "provider": "aws", **machine, "reports": [report],
               "reported_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    fetch(ADDRESS, "POST", json.dumps(message).encode(),
          {"Authorization": "Bearer " + SECRET, "Content-Type": "application/json"})


def watch():
    own = json.loads(metadata("dynamic/instance-identity/document"))
    with open("/proc/sys/kernel/random/boot_id") as boot:
        machine = {"account": own["accountId"], "region": own["region"], "zone": own["availabilityZone"],
                   "instance_id": own["instanceId"], "instance_type": own["instanceType"],
                   "boot_id": boot.read().strip()}
    told, alive_at = None, float("-inf")
    while True:
        try:
            notice = metadata("meta-data/spot/instance-action")
            if notice and notice != told:
                said = json.loads(notice)
                tell(machine, {"type": "notice", "action": said["action"], "deadline_at": said["time"]})
                told = notice
            if time.monotonic() - alive_at >= 60:
                tell(machine, {"type": "heartbeat"})
                alive_at = time.monotonic()
        except (OSError, ValueError) as error:
            print("spot-watch:", error, flush=True)
        time.sleep(5)


if __name__ == "__main__":
    watch(){% endautoescape %}
