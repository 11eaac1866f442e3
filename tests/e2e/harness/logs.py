"""What a stack's programs have logged."""

import shutil

from .client import JSON, send
from .credentials import KEY, SECRET, TOKEN, sound_key
from .place import OUTPUT
from .wait import wait_for


class WithLogs:
    """The part of a Stack that reads its logs."""

    def log(self, name="intake.log"):
        """All that this log says by now."""
        return (self.log_dir / name).read_text(errors="replace")

    def wait_logged(self, text, name="intake.log"):
        """A worker answers first and logs then, so a line is waited for."""
        wait_for(lambda: text in self.log(name), f"{text!r} in {name}")

    def settle_log(self):
        """Waits until a worker has logged all that it has answered: a line of our own is there."""
        marker = "settled-" + sound_key()[3:15]
        send(self, "/api/signal-staging/settled", headers={**JSON, "X-Request-Id": marker})
        self.wait_logged(f"request_id={marker} ")

    def keep_logs(self, name):
        """Copies what was logged to build/test-output/<name>/ and returns that directory."""
        target = OUTPUT / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        known = self.log_dir != self.dir
        for file in self.log_dir.rglob("*" if known else "*.log"):
            if file.is_file():
                shutil.copy(file, target / str(file.relative_to(self.log_dir)).replace("/", "_"))
        return target

    def credentials_in_logs(self):
        """Each (file, credential): those that were made, and whatever else looks like one."""
        found = set()
        for file in self.log_dir.rglob("*"):
            if file.is_file():
                text = file.read_text(errors="replace")
                found |= {(file.name, each) for each in self.credentials if each in text}
                found |= {(file.name, each) for pattern in (KEY, SECRET, TOKEN)
                          for each in pattern.findall(text)}
        return found
