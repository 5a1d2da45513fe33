"""Whether traces are taken where they are to be sent."""

import httpx

from server.app.findings import Finding, bad, good

_ANSWERS_WITHIN_S = 5.0
_OTHERS = "correct PICKY_OTLP_ENDPOINT, which is without /v1/traces, or the OTEL_* variables"


async def examine_collector(endpoint: str) -> Finding:
    """Send it no span at all, as those that there are would be sent."""
    try:
        from server.app.otlp import headers, traces_url
    except ImportError:
        return bad("traces", "the extra `traces` is missing", "pip install 'picky[traces]'")
    url = traces_url(endpoint)
    try:
        async with httpx.AsyncClient(timeout=_ANSWERS_WITHIN_S) as web:
            answer = await web.post(url, headers=headers(), content=b"")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        state = f"{url} does not answer: {type(error).__name__}"
        return bad("traces", state, "start the collector, or correct PICKY_OTLP_ENDPOINT")
    if not answer.is_success:
        return bad("traces", f"{url} answers HTTP {answer.status_code}", _OTHERS)
    return good("traces", "the collector takes them")
