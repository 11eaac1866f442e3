/*
 * test_client.c - which address is a client's, behind proxies and whatever it says of itself.
 */
#include "base/buf.h"
#include "http/client.h"
#include "http/request_of.h"

#define PROXIES "10.0.0.0/8, 2001:db8::/32, 192.0.2.7"

static const struct {
	const char *peer;      /* REMOTE_ADDR; NULL: none */
	const char *forwarded; /* X-Forwarded-For; NULL: none */
	const char *client;    /* "": not known */
} clients[] = {
	{"203.0.113.1", NULL, "203.0.113.1"},
	{"203.0.113.1", "198.51.100.1", "203.0.113.1"}, /* of no proxy */
	{"203.0.113.1", "garbage", "203.0.113.1"},
	{"192.0.2.8", "198.51.100.1", "192.0.2.8"},
	{"10.0.0.1", "198.51.100.1", "198.51.100.1"},
	{"::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"},
	{"2001:db8::5", "2001:db9::1", "2001:db9::1"},
	{"10.0.0.1", NULL, "10.0.0.1"}, /* asks for itself */
	{"10.0.0.1", "", "10.0.0.1"},
	{"10.0.0.1", " , ,", "10.0.0.1"},
	{"10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"}, /* the first is made up */
	{"10.0.0.1", "1.1.1.1,198.51.100.1, 10.2.0.1,192.0.2.7", "198.51.100.1"},
	{"10.0.0.1", "10.9.9.9, 198.51.100.1", "198.51.100.1"},
	{"10.0.0.1", "x, 198.51.100.1, , 10.2.0.1 ,", "198.51.100.1"},
	{"10.0.0.1", "10.3.0.1, 10.2.0.1", "10.3.0.1"}, /* a client inside */
	{"10.0.0.1", "198.51.100.1, unknown", ""},
	{"10.0.0.1", "198.51.100.1, unknown, 10.2.0.1", ""},
	{"10.0.0.1", "198.51.100.1 10.2.0.1", ""},
	{"10.0.0.1", "_hidden", ""},
	{"10.0.0.1", "for=198.51.100.1", ""},
	{"10.0.0.1", "\"198.51.100.1\"", ""},
	{"10.0.0.1", "198.51.100.1:4711", "198.51.100.1"},
	{"10.0.0.1", "198.51.100.1:", ""},
	{"10.0.0.1", "198.51.100.1:http", ""},
	{"10.0.0.1", ":80", ""},
	{"10.0.0.1", ":", ""},
	{"10.0.0.1", "[2001:db9::1]:4711", "2001:db9::1"},
	{"10.0.0.1", "[2001:db9::1]", "2001:db9::1"},
	{"10.0.0.1", "[2001:db9::1%eth0]:80", "2001:db9::1"},
	{"10.0.0.1", "2001:db9::1%eth0", "2001:db9::1"},
	{"10.0.0.1", "2001:db9::1", "2001:db9::1"},
	{"10.0.0.1", "[2001:db9::1]x", ""},
	{"10.0.0.1", "[2001:db9::1]:", ""},
	{"10.0.0.1", "[2001:db9::1", ""},
	{"10.0.0.1", "2001:db9::1]", ""},
	{"10.0.0.1", "[198.51.100.1]:80", ""},
	{"10.0.0.1", "[]", ""},
	{"10.0.0.1", "[", ""},
	{"10.0.0.1", "]", ""},
	{"unix:", "198.51.100.1", ""},
	{"/run/front.sock", "198.51.100.1", ""},
	{"", "198.51.100.1", ""},
	{NULL, "198.51.100.1", ""},
};

static void check_client(const struct http_request *request, const char *client)
{
	struct network_list proxies;
	struct buf out = buf_make(ADDRESS_CHARS);

	ck_assert(network_list_read(SLICE(PROXIES), &proxies));
	struct address address = http_client_address(request, &proxies);
	address_add(&out, &address);
	ck_assert_msg(slice_equal(buf_slice(&out), slice_of(client)), "%.*s, not %s", (int)out.n,
		      out.n == 0 ? "" : out.p, client);
	buf_free(&out);
}

static char peer[200], forwarded[4000];

static const char *variable(char *out, size_t size, const char *name, const char *value)
{
	if (value == NULL)
		return NULL;
	(void)snprintf(out, size, "%s=%s", name, value);
	return out;
}

#define PEER(value)	 variable(peer, sizeof(peer), "REMOTE_ADDR", value)
#define FORWARDED(value) variable(forwarded, sizeof(forwarded), "HTTP_X_FORWARDED_FOR", value)

START_TEST(a_client_is_found)
{
	struct http_request request =
		request_of(PEER(clients[_i].peer), FORWARDED(clients[_i].forwarded), NULL);

	check_client(&request, clients[_i].client);
}
END_TEST

/* lighttpd before 1.4.83 makes the same variable of X_Forwarded-For, which a proxy passes on. */
START_TEST(a_second_header_makes_the_client_unknown)
{
	struct http_request request =
		request_of("REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=198.51.100.1",
			   "HTTP_X_FORWARDED_FOR=10.1.1.1");

	check_client(&request, "");
	request = request_of("REMOTE_ADDR=203.0.113.1", "HTTP_X_FORWARDED_FOR=198.51.100.1",
			     "HTTP_X_FORWARDED_FOR=10.1.1.1");
	check_client(&request, "203.0.113.1");
	request = request_of("REMOTE_ADDR=10.0.0.1", "REMOTE_ADDR=203.0.113.1", NULL);
	check_client(&request, "");
}
END_TEST

START_TEST(without_proxies_nothing_is_believed)
{
	struct http_request request =
		request_of("REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=198.51.100.1", NULL);
	const struct network_list none = {0};
	struct address address = http_client_address(&request, &none), peer_address;

	ck_assert(address_read(SLICE("10.0.0.1"), &peer_address));
	ck_assert(address_is_same(&address, &peer_address));
}
END_TEST

/* So many addresses, the client's before them: up to 64 are looked at. */
START_TEST(a_long_way)
{
	struct buf value = buf_make(4000);

	buf_add_text(&value, "198.51.100.1");
	for (int i = 0; i < _i; i++)
		buf_add_text(&value, ",10.1.1.1");
	buf_add_char(&value, '\0');
	struct http_request request = request_of("REMOTE_ADDR=10.0.0.1", FORWARDED(value.p), NULL);
	check_client(&request, _i < 64 ? "198.51.100.1" : "");
	buf_free(&value);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("client");
	TCase *tests = tcase_create("client");

	tcase_add_loop_test(tests, a_client_is_found, 0, LENGTH(clients));
	tcase_add_test(tests, a_second_header_makes_the_client_unknown);
	tcase_add_test(tests, without_proxies_nothing_is_believed);
	tcase_add_loop_test(tests, a_long_way, 62, 67);
	suite_add_tcase(suite, tests);
	return suite;
}
