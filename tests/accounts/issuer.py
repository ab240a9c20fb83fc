"""A small OpenID Connect issuer on loopback: discovery, authorise, token (RS256, PKCE), keys, userinfo."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "spot-console"
CLIENT_SECRET = "a secret between the two"


class Issuer:
    """Whoever comes is the person in `claims`. `told` in the token, `userinfo` behind the access token."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.claims: dict[str, Any] = {}
        self.id_token_claims: dict[str, Any] = {}
        self.audience = CLIENT_ID
        self.codes: dict[str, str] = {}
        self.is_down = False

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorise",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def authorise(self, query: dict[str, str]) -> str:
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query["code_challenge"]
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        known = self.codes.pop(form["code"], None)
        is_right = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == known
        if not is_right or form["client_secret"] != CLIENT_SECRET:
            return None
        now = int(time.time())
        told = {"iss": self.url, "aud": self.audience, "sub": self.claims["sub"], "iat": now, "exp": now + 60}
        id_token = jwt.encode(
            told | self.id_token_claims, self.key, algorithm="RS256", headers={"kid": "one"}
        )
        return {"access_token": "let-me-in", "token_type": "Bearer", "expires_in": 60, "id_token": id_token}

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": "one", "alg": "RS256", "use": "sig"}]}


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            if issuer.is_down:
                self.send_error(503)
            elif address.path == "/.well-known/openid-configuration":
                self._json(issuer.discovery())
            elif address.path == "/authorise":
                self.send_response(302)
                self.send_header("Location", issuer.authorise(query))
                self.end_headers()
            elif address.path == "/keys":
                self._json(issuer.keys())
            elif address.path == "/userinfo" and self.headers["Authorization"] == "Bearer let-me-in":
                self._json(issuer.claims)
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = issuer.token({name: values[0] for name, values in parse_qs(body).items()})
            self._json(answer or {"error": "invalid_grant"}, status=200 if answer else 400)

        def _json(self, body: dict[str, Any], *, status: int = 200) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    issuer = Issuer(server.server_address[1])
    server.RequestHandlerClass = _handler(issuer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
