"""A cluster's API server as far as a watch needs one: lists in pages, watches with bookmarks, drops and 410."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Condition, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-the-cluster"
PATHS = {
    "/api/v1/events": "Event",
    "/api/v1/nodes": "Node",
    "/api/v1/pods": "Pod",
    "/apis/policy/v1/poddisruptionbudgets": "PodDisruptionBudget",
    "/apis/apps/v1/deployments": "Deployment",
    "/apis/apps/v1/statefulsets": "StatefulSet",
    "/apis/apps/v1/replicasets": "ReplicaSet",
}


class ClusterDouble:
    """Objects by kind, and a log of what changed since `oldest`."""

    def __init__(self) -> None:
        self.version = 100
        self.oldest = 0
        self.page = 500
        self.denied: set[str] = set()
        self.objects: dict[str, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
        self.log: list[tuple[int, str, str, dict[str, Any]]] = []
        self.drops = 0
        self.asked: list[str] = []
        self.watches = 0
        self.changed = Condition()
        self.url = ""

    def put(self, kind: str, body: dict[str, Any]) -> None:
        meta = body["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        what = "MODIFIED" if key in self.objects[kind] else "ADDED"
        self._log(what, kind, key, body)

    def remove(self, kind: str, name: str, namespace: str = "") -> None:
        self._log("DELETED", kind, (namespace, name), self.objects[kind][namespace, name])

    def _log(self, what: str, kind: str, key: tuple[str, str], body: dict[str, Any]) -> None:
        with self.changed:
            self.version += 1
            told = body | {"metadata": body["metadata"] | {"resourceVersion": str(self.version)}}
            if what == "DELETED":
                del self.objects[kind][key]
            else:
                self.objects[kind][key] = told
            self.log.append((self.version, what, kind, told))
            self.changed.notify_all()

    def forget(self) -> None:
        """The log is compacted: versions before now are too old to watch from."""
        with self.changed:
            self.log.clear()
            self.version += 1
            self.oldest = self.version
            self.changed.notify_all()

    def drop(self) -> None:
        """Every watch breaks off in the middle of a line."""
        with self.changed:
            self.drops += 1
            self.changed.notify_all()

    def watch_lines(self, kind: str, version: int) -> Iterator[bytes | None]:
        """Lines; an empty one asks whether the reader is still there; None: break off."""
        drops, oldest = self.drops, self.oldest
        while True:
            with self.changed:
                if self.drops != drops:
                    yield None
                    return
                news = [entry for entry in self.log if entry[0] > version and entry[2] == kind]
                if self.oldest != oldest and version < self.oldest:
                    yield _line(
                        "ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"}
                    )
                    return
                if not news:
                    self.changed.wait(0.2)
            for number, what, _, body in news:
                version = number
                yield _line(what, body)
            if not news:
                bookmark = {"kind": kind, "metadata": {"resourceVersion": str(version)}}
                yield _line("BOOKMARK", bookmark)


def _line(what: str, body: dict[str, Any]) -> bytes:
    return json.dumps({"type": what, "object": body}).encode() + b"\n"


@contextmanager
def serving(double: ClusterDouble, *, tls: SSLContext | None = None) -> Iterator[ClusterDouble]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            kind = PATHS.get(parts.path)
            double.asked.append(self.path)
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self._answer(401, {"message": "Unauthorized"})
            if kind is None or kind in double.denied:
                return self._answer(403, {"message": f"{parts.path} is forbidden"})
            if "watch" not in asked:
                return self._list(kind, asked)
            if int(asked["resourceVersion"]) < double.oldest:
                return self._answer(410, {"code": 410, "message": "too old resource version"})
            return self._watch(kind, int(asked["resourceVersion"]))

        def _list(self, kind: str, asked: dict[str, str]) -> None:
            with double.changed:
                items = [body for _, body in sorted(double.objects[kind].items())]
                version = str(double.version)
            start = int(asked.get("continue", "0"))
            rest = start + double.page < len(items)
            meta = {"resourceVersion": version} | ({"continue": str(start + double.page)} if rest else {})
            page = items[start : start + double.page]
            self._answer(200, {"kind": f"{kind}List", "metadata": meta, "items": page})

        def _watch(self, kind: str, version: int) -> None:
            double.watches += 1
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for line in double.watch_lines(kind, version):
                    part = b'{"type":"ADDED","obj' if line is None else line
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                    self.wfile.flush()
                    if line is None:
                        self.connection.close()
                        return
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                return
            finally:
                double.watches -= 1
                self.close_connection = True

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who does not trust it hangs up
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    double.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    try:
        yield double
    finally:
        double.drop()
        server.shutdown()
        server.server_close()
        thread.join(5)


def node_object(name: str, *, instance: str, zone: str = "eu-central-1b", uid: str = "", claim: str = "",
                spot: str = "spot") -> dict[str, Any]:  # fmt: skip
    meta: dict[str, Any] = {
        "name": name,
        "uid": uid or f"uid-of-{name}",
        "creationTimestamp": "2026-03-11T08:00:00Z",
        "labels": {
            "topology.kubernetes.io/zone": zone,
            "topology.kubernetes.io/region": zone[:-1],
            "node.kubernetes.io/instance-type": "m7i.large",
            "karpenter.sh/capacity-type": spot,
            "karpenter.sh/nodepool": "spot-pool",
        },
    }
    if claim:
        meta["ownerReferences"] = [{"kind": "NodeClaim", "name": claim, "uid": f"uid-of-{claim}"}]
    return {
        "metadata": meta,
        "spec": {"providerID": f"aws:///{zone}/{instance}"},
        "status": {"capacity": {"cpu": "2"}, "nodeInfo": {"operatingSystem": "linux"}},
    }


def pod_object(name: str, *, node: str = "", ready: bool = True, owner: str = "cart-6f9d8c5b7",
               phase: str = "", deleted: bool = False) -> dict[str, Any]:  # fmt: skip
    meta: dict[str, Any] = {
        "name": name,
        "namespace": "checkout",
        "uid": f"uid-of-{name}",
        "labels": {"app": "cart"},
        "ownerReferences": [
            {"kind": "ReplicaSet", "name": owner, "uid": f"uid-of-{owner}", "controller": True}
        ],
    }
    if deleted:
        meta["deletionTimestamp"] = "2026-03-11T12:00:00Z"
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": meta,
        "spec": {"nodeName": node},
        "status": {"phase": phase or ("Running" if node else "Pending"), "conditions": conditions},
    }


def event_object(number: int, *, reason: str = "SpotInterrupted", component: str = "karpenter",
                 about: dict[str, Any], at: str = "2026-03-11T12:00:06Z", message: str = "", host: str = "") -> dict[str, Any]:  # fmt: skip
    return {
        "kind": "Event",
        "metadata": {"name": f"e-{number}", "namespace": "default", "uid": f"event-{number}"},
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "source": {"component": component, "host": host},
        "lastTimestamp": at,
        "count": 1,
    }
