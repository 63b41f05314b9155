"""gunicorn's worker, which leaves it to the site to say that an address is too long.

gunicorn answers a line of more than 8,190 bytes itself, in HTML that no program of the API can read, and takes no
higher limit; the site's own answer (`dashboard.web.refusals`) is a page or a problem.
"""

from gunicorn.http import message
from gunicorn.workers.gthread import ThreadWorker

# Bytes of "GET /address HTTP/1.1"; `--limit-request-line` is this, and what is longer gunicorn still refuses.
LONGEST_LINE = 65_536
message.MAX_REQUEST_LINE = LONGEST_LINE + 1


class Worker(ThreadWorker):
    """A worker with threads."""
