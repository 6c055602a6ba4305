"""What a client of a storage service got, line by line, so that two services can be compared.

A line is `what was asked: what came`, without anything that is new each time (ids, moments, receipts). An error is
`! status code`, as the service named it.
"""

import json
import sys

from azure.core.exceptions import HttpResponseError


def code_of(error):
    """The service's own word for an error: as the client understood it, else from the answer."""
    code = getattr(error, "error_code", None) or getattr(getattr(error, "error", None), "code", None)
    if code is None and error.response is not None:
        code = error.response.headers.get("x-ms-error-code")
        try:
            code = json.loads(error.response.text())["odata.error"]["code"]
        except (ValueError, KeyError, TypeError):
            pass
    return getattr(code, "value", code)


def step(asked, call, show=lambda value: value):
    """Asks, prints what came, and answers it; None after an error."""
    try:
        value = call()
    except HttpResponseError as error:
        print(f"{asked}: ! {error.status_code} {code_of(error)}")
        return None
    except Exception as error:  # whatever a client makes of an answer that it does not understand
        print(f"{asked}: ! client {type(error).__name__}")
        return None
    shown = show(value)
    print(f"{asked}: {'ok' if shown is None else shown}")
    return value


def connection_string():
    """The only argument."""
    if len(sys.argv) != 2:
        sys.exit("usage: SCRIPT CONNECTION-STRING")
    return sys.argv[1]
