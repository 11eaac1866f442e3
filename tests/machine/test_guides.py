"""The guides of deploy/README.md."""


def test_one_host(boot):
    site = boot({"web.example.com": ("192.0.2.10", "postgresql", "nginx")})
    site.follow("One host")
