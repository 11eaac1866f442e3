"""The tool of a stack: sluicectl with the stack's environment, and the keys it makes."""

import functools
import json
import subprocess
import tempfile

from .credentials import KEY, SECRET, TOKEN
from .place import ENVIRONMENT


class WithTool:
    """The part of a Stack that runs sluicectl; `credentials` gathers what it has shown."""

    @functools.cached_property
    def names_given(self):
        return {}

    def ctl_run(self, *arguments, stdin=None):
        """Runs the tool and returns the finished process, whatever its exit code."""
        done = subprocess.run([self.env["SLUICECTL"], *map(str, arguments)],
                              env={**ENVIRONMENT, **self.env}, input=stdin, capture_output=True,
                              text=True, check=False)
        self.credentials.update(KEY.findall(done.stdout), SECRET.findall(done.stdout),
                                TOKEN.findall(done.stdout))
        return done

    def ctl(self, *arguments, check=True):
        done = self.ctl_run(*arguments)
        if check and done.returncode:
            raise AssertionError(f"sluicectl {' '.join(map(str, arguments))}: "
                                 f"exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def ctl_json(self, *arguments):
        return json.loads(self.ctl(*arguments, "--json"))

    def new_key(self, organization=None, name="test", endpoint=None, expires=None, secret=False,
                template=None, delivery_id=None):
        """Options as those of `sluicectl key create`; template is a dict. A name that was given
        before gets a number behind it: names are unique."""
        place = (organization or self.organization, name)
        given = self.names_given[place] = 1 + self.names_given.get(place, 0)
        if given > 1:
            name = f"{name} {given}"
        arguments = ["key", "create", "--organization", organization or self.organization,
                     "--name", name]
        if endpoint:
            arguments += ["--endpoint", endpoint]
        if expires:
            arguments += ["--expires", expires]
        if secret:
            arguments += ["--secret"]
        if delivery_id:
            arguments += ["--delivery-id", delivery_id]
        if template is None:
            return self.ctl_json(*arguments)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(template, file)
            file.flush()
            return self.ctl_json(*arguments, "--template", file.name)

    def new_product_key(self, **options):
        return self.new_key(endpoint="product_orgs", template={"product_org_id": "groupId"},
                            **options)

    def new_expired_key(self, **options):
        """A key that was good for a moment and is not any more."""
        key = self.new_key(expires="1h", **options)
        self.psql("update sluice.api_key set expires_at = now() where id = %s", key["id"])
        return key

    @functools.cached_property
    def one_of_each_key(self):
        """A key of every kind."""
        made = {
            "plain": self.new_key(name="plain"),
            "secret": self.new_key(name="with secret", secret=True),
            "product": self.new_product_key(name="product orgs"),
            "expired": self.new_expired_key(name="expired"),
            "deactivated": self.new_key(name="deactivated"),
        }
        self.ctl("key", "deactivate", made["deactivated"]["id"])
        return made

    def key_status(self, key_id):
        return {key["id"]: key for key in self.ctl_json("key", "list")["keys"]}[key_id]["status"]
