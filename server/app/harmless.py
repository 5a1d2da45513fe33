"""Addresses as they may be shown: without what signs in."""

import re

_USER_INFO = re.compile(r"(?<=//)[^/\s]*@")
_SECRET_PARAMETER = re.compile(r"(?i)((?:password|secret|token|key)[^=&\s]*=)[^&\s]*")


def harmless(text: str) -> str:
    """The text without the passwords that addresses may carry."""
    return _SECRET_PARAMETER.sub(r"\1***", _USER_INFO.sub("***@", text))
