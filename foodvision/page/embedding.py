"""Which other sites may show the page in a frame: one setting, however the page is served."""

import os
import re

SETTING = "FOODVISION_FRAMES"
POLICY = "Content-Security-Policy"
RULE = "frame-ancestors"
SITE = re.compile(r"(?:(https?)://)?((?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?)/?", re.IGNORECASE)
EXAMPLE = "https://blog.example.org https://*.example.com"


def framing_sites() -> list[str]:
    """The sites named by FOODVISION_FRAMES, as a Content-Security-Policy writes them; https unless they say http.

    Raises ValueError for anything that isn't a site. The message says what to write.
    """
    return [_site(text) for text in re.split(r"[\s,]+", os.environ.get(SETTING, "")) if text]


def allow_frames(policy: str) -> str:
    """A Content-Security-Policy that also lets the sites named by FOODVISION_FRAMES frame the page."""
    sites = framing_sites()
    if not sites:
        return policy
    rules = [rule.strip() for rule in policy.split(";") if rule.strip()]
    framing = next((rule for rule in rules if rule.split()[0] == RULE), f"{RULE} 'self'")
    sources = [source for source in framing.split()[1:] if source != "'none'"]
    others = [rule for rule in rules if rule != framing]
    return "; ".join([*others, " ".join([RULE, *dict.fromkeys([*sources, *sites])])])


def allow_frames_in_voila(page_config: dict, settings: dict, **_: object) -> dict:
    """`VoilaConfiguration.page_config_hook` for the plain `voila` command, which takes headers from its settings alone.

    Jupyter's own server gets them from `foodvision.page.extension`, for Voilà's pages only.
    """
    headers = settings.get("headers", {})
    if "voila" in settings and POLICY in headers:
        headers[POLICY] = allow_frames(headers[POLICY])
    return page_config


def _site(text: str) -> str:
    if text == "*":  # any site
        return text
    if not (site := SITE.fullmatch(text)):
        raise ValueError(f"{SETTING} names {text!r}, which is not a site. Write sites like this: {EXAMPLE}")
    return f"{site[1] or 'https'}://{site[2]}".lower()
