"""What one request, and all of them together, may take. A photo's own limits are in `answer/limits.py`."""

from ..page.assets import MAX_BYTES

MAX_PHOTO_BYTES = MAX_BYTES
MAX_BODY_BYTES = MAX_PHOTO_BYTES * 4 // 3 + 2**16  # a photo in base64, and what is around it
MAX_HELD_BYTES = 4 * MAX_BODY_BYTES  # of all bodies that are arriving or waiting
MAX_PHOTOS = 32  # in a request
MAX_JSON_PARTS = 1000  # lists, objects and their members: a few bytes of JSON become hundreds in memory
MAX_WAITING = 256  # photos; a crowd of small ones is answered within seconds
MAX_RETRY_AFTER_S = 30
BYTES_PER_WORKER = 10**9  # see MAX_MEGABYTES in answer/limits.py

HEAD_TIMEOUT_S = 10  # for the first line and the headers
BODY_TIMEOUT_S = 60  # for the body to arrive
REQUEST_TIMEOUT_S = 180  # from the headers to the end of the response
SHUTDOWN_S = 30  # for requests in progress when the server is asked to stop
