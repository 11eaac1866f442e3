"""The web servers, and how they differ in what no setting of theirs changes.

A test asks these tables for the one right value of the front at hand.
"""

import os

from .place import VARIANT

ALL_FRONTS = ("lighttpd", "apache", "nginx", "apache-fcgid", "cgi", "cgi-apache")
# Every case goes through FRONTS; those marked "each_front" go through OTHER_FRONTS, too.
MAIN_FRONTS = ["lighttpd", "apache"] if VARIANT == "release" else ["lighttpd"]
FRONTS = os.environ.get("SLUICE_FRONTS", " ".join(MAIN_FRONTS)).replace(",", " ").split()
# With sanitizers what matters is how connections and processes are used: kept, or one a request.
MORE_FRONTS = ["nginx", "apache-fcgid", "cgi"] if VARIANT == "release" else ["nginx", "cgi"]
OTHER_FRONTS = MORE_FRONTS if "SLUICE_FRONTS" not in os.environ else []


def per_front(lighttpd, apache, nginx, **others):
    """{front: value}; what is behind FastCGI or CGI matters only where others says so."""
    table = {"lighttpd": lighttpd, "cgi": lighttpd, "apache": apache, "apache-fcgid": apache,
             "cgi-apache": apache, "nginx": nginx}
    return {**table, **{name.replace("_", "-"): value for name, value in others.items()}}


STREAMING = {"apache", "nginx"}  # pass a body on as it arrives; the others when they have it all
LOOPLESS = {  # why what is about many requests in one worker's loop is skipped there
    "apache-fcgid": "mod_fcgid gives each worker one request at a time",
    "cgi": "each request has a process of its own",
    "cgi-apache": "each request has a process of its own",
}
SETTINGS_FRONTS = {"lighttpd", "apache", "nginx"}  # those that serve the settings
STREAMING_SETTINGS = {"apache"}  # as STREAMING, for the settings; nginx has them whole
NEEDS_LENGTH = {"cgi-apache"}  # answers 411 to a body of unknown length
PLAIN_ERRORS = {"lighttpd", "cgi"}  # their own answers are HTML, not problems
PLAIN_ENCODED_SLASH = {"apache", "apache-fcgid", "cgi-apache"}  # refuse %2F in a path by themselves
MERGES_LOOK_ALIKES = {"lighttpd", "cgi"}  # X_Api_Secret is X-Api-Secret; the others drop it
NO_BODY_OF_GET = {"lighttpd", "cgi"}  # answer 400 to a GET or HEAD with a body
EARLY_ANSWERS = {"nginx"}  # passes an answer on before the body has been read

# The status of their own answers.
ENCODED_ZERO = per_front(400, 404, 400)  # %00 in a path
ANOTHER_HOST = per_front(404, 403, 403)  # the metrics are asked for from elsewhere
UNKNOWN_CODING = per_front(501, 400, 501)  # Transfer-Encoding: gzip
WITHOUT_SLASH = per_front(301, 302, 301)  # /settings
ENCODED_SLASH = per_front(401, 404, 401)  # Apache looks for no such path
# The process that was to answer a request is killed.
WORKER_LOST = per_front(500, 503, 503, apache_fcgid=500, cgi_apache=500)
# No process can be had that would answer.
WITHOUT_WORKERS = per_front(503, 503, 503, apache_fcgid=500, cgi_apache=500)
# Half closed before the body is whole; None: the connection is closed without an answer.
CUT_BODY = per_front(None, 400, None, apache_fcgid=500)
