"""TLS between clients and nginx: its lines of the configuration."""

from dataclasses import dataclass

from prodigon_lib.stack.nginx.quoting import quoted

HTTPS = 443
CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for key in ("ECDSA", "RSA")
)
"""For TLS 1.2, those with forward secrecy and authenticated encryption, as Mozilla's "intermediate" has them.
All of TLS 1.3's have both."""

STRICT = 'add_header Strict-Transport-Security "max-age=31536000" always;'


@dataclass(frozen=True, slots=True)
class Tls:
    """Who listens with TLS, and who only says that it is there.

    Args:
        certificate, key: PEM files; the certificate with those that vouch for it.
        plain: where requests without TLS come in.
        port: where clients find the one with TLS.
    """

    certificate: str
    key: str
    plain: str
    port: int = HTTPS

    @property
    def lines(self) -> tuple[str, ...]:
        return (
            f"ssl_certificate {quoted(self.certificate)};",
            f"ssl_certificate_key {quoted(self.key)};",
            "ssl_protocols TLSv1.2 TLSv1.3;",
            f"ssl_ciphers {CIPHERS};",
            "ssl_prefer_server_ciphers off; # all are good: a client knows which is fastest for it",
            "ssl_session_cache shared:tls:10m;",
            "ssl_session_timeout 1d;",
            "ssl_session_tickets off; # their key would live as long as nginx, and open what was recorded",
            STRICT,
            "error_page 497 =400 /nginx/error; # plain HTTP, where TLS is spoken",
        )

    @property
    def suffix(self) -> str:
        """Of a host in an address."""
        return "" if self.port == HTTPS else f":{self.port}"
