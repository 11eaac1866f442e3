"""fronts.py - each web server as Debian installs it, and Sluice enabled in it as its file says."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

import machine

SHARE = pathlib.Path("/usr/share/sluice")
WWW = pathlib.Path("/var/www/html")
# A site's own pages, under names that Sluice once took.
PAGES = {"/api/mine.txt": "an API of the site", "/health": "fit", "/metrics": "the site's",
         "/settings.html": "the site's", "/task_list_of_1234567890abcdefghij": "no key"}


class Setup:
    """How Sluice is reached: on which host, below which path, over TLS, behind another proxy."""

    def __init__(self, name, base="", only_host=False, tls=False, proxy=False, address="127.0.0.1"):
        self.name, self.base, self.only_host = name, base, only_host
        self.tls, self.proxy, self.address = tls, proxy, address
        self.port = 443 if tls else 8080 if proxy else 80

    def url(self, path, host=machine.HOST):
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"


SETUPS = [Setup("global"), Setup("host", only_host=True), Setup("base", base="/hooks"),
          Setup("tls", tls=True, address="[::1]"), Setup("proxied", proxy=True)]

PROXY = """
pid /run/proxy.pid; error_log /dev/null crit;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:8080;
        client_max_body_size 0;
        location / {
            proxy_pass http://127.0.0.1:80;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }
    }
}
"""


class Front:
    name = ""
    pid_file = ""
    # Where the answers of the front itself differ.
    html_errors = False
    metrics_refused = 403

    def __init__(self, setup):
        self.setup = setup
        self.logs = machine.LOGS / self.package
        self.access_log = self.logs / "access.log"

    def restore(self):
        """The configuration as installed, nothing enabled, no logs, the site's own pages."""
        shutil.rmtree(f"/etc/{self.package}")
        shutil.copytree(machine.PRISTINE / self.package, f"/etc/{self.package}", symlinks=True)
        for path in self.logs.glob("*"):
            path.unlink()
        for path, text in PAGES.items():
            (WWW / path[1:]).parent.mkdir(exist_ok=True)
            (WWW / path[1:]).write_text(text)
            # Of a file that has just changed Apache gives a weak tag, which is longer.
            os.utime(WWW / path[1:], (10 ** 9, 10 ** 9))

    def start(self):
        self.check()
        machine.run(*self.command)
        if self.setup.proxy:
            pathlib.Path("/root/proxy.conf").write_text(PROXY)
            machine.run("nginx", "-c", "/root/proxy.conf")

    def stop(self):
        """Ends the server; its logs are complete then."""
        if self.setup.proxy:
            end(pathlib.Path("/run/proxy.pid"))
        end(pathlib.Path(self.pid_file))

    @contextlib.contextmanager
    def serving(self, settings=False):
        """As installed, with Sluice enabled, and if asked the settings page."""
        self.restore()
        self.enable()
        if settings:
            self.enable_settings()
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def request(self, path, *options, host=machine.HOST):
        return machine.request(self.setup.url(path, host), *options, address=self.setup.address)

    def post(self, path, *options, body=machine.SIGNAL):
        return self.request(self.setup.base + path, "-d", body, *options)

    def try_request(self, path, *options):
        """Whatever comes of it: curl fails where a server closes the connection early."""
        machine.run(*machine.curl(self.setup.url(path), *options, address=self.setup.address),
                    check=False)

    def raw(self, text, answer=True):
        return machine.raw(self.setup.port, text, self.setup.tls, answer)

    def lines(self):
        return self.access_log.read_text().splitlines()


def has_ended(pid):
    try:
        return "State:\tZ" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def end(pid_file):
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGTERM)
    machine.wait_for(f"{pid_file} ends", lambda: has_ended(pid))
    pid_file.unlink(missing_ok=True)


def edit(path, old, new):
    text = pathlib.Path(path).read_text()
    assert old in text, f"{path}: {old}"
    pathlib.Path(path).write_text(text.replace(old, new))


class Apache(Front):
    name = "apache"
    package = "apache2"
    pid_file = "/run/apache2/apache2.pid"
    command = ("apachectl", "start")

    def enable(self):
        conf = "/etc/apache2/conf-available/sluice.conf"
        machine.run("a2enmod", "headers", "proxy_fcgi", "substitute")
        machine.run("a2enconf", "sluice")
        if self.setup.base:
            edit(conf, "#Define SLUICE_BASE", "Define SLUICE_BASE")
        if self.setup.only_host:
            edit(conf, "#Define SLUICE_VIRTUAL", "Define SLUICE_VIRTUAL")
            self.site(80, f"ServerName {machine.HOST}",
                      f"IncludeOptional {SHARE}/apache/virtual-host.conf")
        if self.setup.tls:
            machine.run("a2enmod", "ssl", "http2")
            self.site(443, "SSLEngine on", f"SSLCertificateFile {machine.CERTIFICATE}",
                      "Protocols h2 http/1.1")

    def site(self, port, *lines):
        """A virtual host like Debian's own."""
        pathlib.Path("/etc/apache2/sites-available/test.conf").write_text("\n".join([
            f"<VirtualHost *:{port}>", f"DocumentRoot {WWW}",
            "ErrorLog ${APACHE_LOG_DIR}/error.log",
            "CustomLog ${APACHE_LOG_DIR}/access.log combined", *lines, "</VirtualHost>", ""]))
        machine.run("a2ensite", "test")

    def enable_settings(self):
        machine.run("a2enconf", "sluice-settings")

    def check(self):
        machine.run("apachectl", "configtest")


class Lighttpd(Front):
    name = package = "lighttpd"
    pid_file = "/run/lighttpd.pid"
    command = ("lighttpd", "-f", "/etc/lighttpd/lighttpd.conf")
    html_errors = True
    metrics_refused = 404

    def enable(self):
        conf = "/etc/lighttpd/conf-available/95-sluice.conf"
        machine.run("lighty-enable-mod", "accesslog", "sluice")
        if self.setup.base:
            edit(conf, 'sluice_base = ""', 'sluice_base = "/hooks"')
        if self.setup.only_host:
            edit(conf, 'sluice_host = ""', r'sluice_host = "^hooks\.example\.com(?::|$)"')
        if self.setup.tls:
            shutil.copy(machine.CERTIFICATE, "/etc/lighttpd/server.pem")
            machine.run("lighty-enable-mod", "ssl")

    def enable_settings(self):
        machine.run("lighty-enable-mod", "sluice-settings")

    def check(self):
        done = machine.run("lighttpd", "-tt", "-f", "/etc/lighttpd/lighttpd.conf", check=False)
        assert (done.returncode, done.stderr) == (0, "")


class Nginx(Front):
    name = package = "nginx"
    pid_file = "/run/nginx.pid"
    command = ("nginx",)

    def enable(self):
        if self.setup.only_host:
            self.site("80", f"server_name {machine.HOST};")
            edit("/etc/nginx/sites-available/default", "server_name _;",
                 "server_name _;\n\taccess_log /var/log/nginx/access.log sluice;")
        elif self.setup.tls:
            http2 = "http2" if "1.22" in subprocess.run(
                ["nginx", "-v"], capture_output=True, text=True, check=True).stderr else ""
            self.site(f"443 ssl {http2}", f"ssl_certificate {machine.CERTIFICATE};",
                      f"ssl_certificate_key {machine.CERTIFICATE};", *(
                          [] if http2 else ["http2 on;"]))
        else:
            edit("/etc/nginx/sites-available/default", "server_name _;",
                 "server_name _;\n\tinclude snippets/sluice[.]conf;")

    def site(self, listen, *lines):
        """A server block like Debian's own."""
        pathlib.Path("/etc/nginx/sites-enabled/test").write_text("\n".join([
            "server {", f"listen {listen};", f"listen [::]:{listen};", f"root {WWW};",
            "location / { try_files $uri $uri/ =404; }", "include snippets/sluice[.]conf;", *lines,
            "}", ""]))

    def enable_settings(self):
        edit("/etc/nginx/sites-available/default", "server_name _;",
             "server_name _;\n\tinclude snippets/sluice-settings[.]conf;")

    def check(self):
        machine.run("nginx", "-t")


class ApacheCgi(Apache):
    name = "apache-cgi"

    def enable(self):
        super().enable()
        machine.run("a2enmod", "cgid")
        machine.run("a2enconf", "sluice-cgi")


class ApacheFcgid(Apache):
    name = "apache-fcgid"

    def enable(self):
        super().enable()
        machine.run("a2enmod", "fcgid")
        machine.run("a2enconf", "sluice-fcgid", "sluice-connections")


class LighttpdCgi(Lighttpd):
    name = "lighttpd-cgi"

    def enable(self):
        super().enable()
        machine.run("lighty-enable-mod", "sluice-cgi")


FRONTS = [Apache, Lighttpd, Nginx]
# Those that start the program themselves.
STARTING_FRONTS = [ApacheCgi, ApacheFcgid, LighttpdCgi]
