{% autoescape off %}#!/usr/bin/env python3
"""Tells the spot console how a shutdown hook went. Lies beside spot-watch, keeps and sends as it does.

spot-hook run -- COMMAND ...   runs it and reports when it began, when it ended and how
spot-hook report --started TIME [--finished TIME] --outcome complete|partial|failed [--message TEXT]

Its settings come from the environment or /etc/spot-watch.env.
"""
import os, runpy, signal, subprocess, sys, threading, time

if os.access("/etc/spot-watch.env", os.R_OK):
    lines = [line.strip() for line in open("/etc/spot-watch.env") if "=" in line]
    os.environ.update({**dict(line.split("=", 1) for line in lines), **os.environ})
watch = runpy.run_path(os.path.join(os.path.dirname(os.path.realpath(__file__)), "spot-watch"))
machine, stamp, tell, deliver = (watch[name] for name in ("machine", "stamp", "tell", "deliver"))
NAME = "hook-" + os.urandom(12).hex()
WORDS = {"--started": "started_at", "--finished": "finished_at", "--outcome": "outcome", "--message": "message"}

def report(own, entry, name=NAME):
    told = {"schema": "node-report/1", **own, "report_id": NAME, "reported_at": stamp(time.time()), "reports": [entry]}
    tell(name, told)
    return deliver()

def run(command):
    """The beginning is kept before the end is known: a hook that is cut short is told as partial all the same."""
    began, since = time.time(), time.monotonic()
    child = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" "$@"', *command])
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    own, entry = {}, {"type": "hook", "outcome": "partial", "message": "began, and nothing was told of its end"}

    def tell_of_beginning():
        own.update(machine())
        entry["started_at"] = stamp(began)
        report(own, entry)

    telling = threading.Thread(target=tell_of_beginning)
    telling.start()
    code = child.wait()
    ended = began + time.monotonic() - since
    telling.join()
    outcome = "complete" if code == 0 else "partial" if code < 0 or code in (124, 137, 143) else "failed"
    end = {"outcome": outcome, "finished_at": stamp(ended), "message": f"exit code {code}"}
    report(own, {**entry, **end}, NAME + " end")
    return code if code >= 0 else 128 - code

if sys.argv[1:3] == ["run", "--"] and sys.argv[3:]:
    sys.exit(run(sys.argv[3:]))
if sys.argv[1:2] == ["report"] and "--outcome" in sys.argv:
    entry = {WORDS[word]: text for word, text in zip(sys.argv[2::2], sys.argv[3::2])}
    sys.exit(report(machine(), {"type": "hook", **entry}) is not None)
sys.exit(__doc__){% endautoescape %}
