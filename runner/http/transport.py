"""What carries requests where ours do not, and what proves a server's certificate."""

import ssl
from functools import cache

import httpx

from jobs.errors import UsageProblem

Transport = httpx.AsyncBaseTransport
"""What carries requests: ours, or a test's."""

SYSTEM_AUTHORITIES = "system"


@cache
def tls_context(more_authorities: str | None = None) -> ssl.SSLContext:
    """The usual certificate authorities, and those of a PEM file or of the system; read once for all.

    Raises:
        UsageProblem: there are none in the file.
    """
    context = httpx.create_ssl_context(trust_env=False)
    if more_authorities is None:
        return context
    # From Python 3.13 on, a certificate has to say what those of companies' proxies often do not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if more_authorities == SYSTEM_AUTHORITIES:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(more_authorities)
    except OSError as error:  # OpenSSL's errors are some, too, and speak in numbers
        why = "there is no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageProblem(
            f"The certificate authorities in {more_authorities} cannot be used: {why}.",
            hint="ca is a file of certificates in PEM form, or `system`.",
        ) from error
    return context
