"""The web servers, and how they differ in what no setting of theirs changes.

A test asks these tables for the one right value of the front at hand.
"""

import os

from .place import VARIANT

ALL_FRONTS = ("lighttpd", "apache", "nginx", "apache-fcgid", "cgi", "cgi-apache")
# Every case goes through FRONTS; those marked "each_front" go through OTHER_FRONTS, too.
MAIN_FRONTS = ["lighttpd", "apache"] if VARIANT == "release" else ["lighttpd"]
FRONTS = os.environ.get("SLUICE_FRONTS", " ".join(MAIN_FRONTS)).replace(",", " ").split()
OTHER_FRONTS = [name for name in ("apache", "nginx", "apache-fcgid", "cgi")
                if name not in FRONTS and "SLUICE_FRONTS" not in os.environ]

STREAMING = {"apache", "nginx"}  # pass a body on as it arrives; the others when they have it all
LOOPLESS = {  # why what is about many requests in one worker's loop is skipped there
    "apache-fcgid": "mod_fcgid gives each worker one request at a time",
    "cgi": "each request has a process of its own",
    "cgi-apache": "each request has a process of its own",
}
SETTINGS_FRONTS = {"lighttpd", "apache", "nginx"}  # those that serve the settings
NEEDS_LENGTH = {"cgi-apache"}  # answers 411 to a body of unknown length
PLAIN_ERRORS = {"lighttpd", "cgi"}  # their own answers are HTML, not problems
