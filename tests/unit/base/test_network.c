/*
 * test_network.c - addresses and networks are read, written, and held against each other.
 */
#include <string.h>

#include "base/network.h"
#include "check_main.h"

static const char *written(const struct address *address)
{
	static char text[ADDRESS_CHARS + 1];
	struct buf out = buf_make(ADDRESS_CHARS);

	memset(text, 0, sizeof(text));
	address_add(&out, address);
	ck_assert_int_eq(out.status, STATUS_OK);
	memcpy(text, out.n == 0 ? "" : out.p, out.n);
	buf_free(&out);
	return text;
}

/* ---- addresses ---- */

static const struct {
	const char *text;
	const char *address; /* "": none */
} addresses[] = {
	{"192.0.2.1", "192.0.2.1"},
	{"255.255.255.255", "255.255.255.255"},
	{"0.0.0.0", "0.0.0.0"},
	{"2001:DB8::0:1", "2001:db8::1"},
	{"::", "::"},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"::ffff:192.0.2.1", "192.0.2.1"},
	{"::ffff:c000:201", "192.0.2.1"},
	{"0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255"},
	{"::192.0.2.1", "::192.0.2.1"},
	{"fe80::1%eth0", "fe80::1"},
	{"fe80::1%", "fe80::1"},
	{"::ffff:192.0.2.1%eth0", "192.0.2.1"},
	{"fe80::1%an interface with a very long name, as nobody has one", "fe80::1"},
	{"", ""},
	{"%eth0", ""},
	{"192.0.2.1%eth0", ""},
	{" 192.0.2.1", ""},
	{"192.0.2.1 ", ""},
	{"192.0.2.1:80", ""},
	{"[2001:db8::1]", ""},
	{"192.0.2", ""},
	{"192.0.2.256", ""},
	{"192.0.2.1.1", ""},
	{"192.0.2.01", ""},
	{"0x7f.0.0.1", ""},
	{"3221225985", ""},
	{"1::2::3", ""},
	{":::", ""},
	{"12345::", ""},
	{"unix:", ""},
	{"localhost", ""},
	{"unknown", ""},
	{"0000:0000:0000:0000:0000:0000:255.255.255.2555", ""},
};

START_TEST(addresses_are_read)
{
	struct address address, again;
	bool good = address_read(slice_of(addresses[_i].text), &address);

	ck_assert_int_eq(good, *addresses[_i].address != '\0');
	ck_assert_str_eq(written(&address), addresses[_i].address);
	ck_assert(good || address_is_same(&address, &ADDRESS_UNKNOWN));
	if (good) {
		ck_assert(address_read(slice_of(written(&address)), &again));
		ck_assert(address_is_same(&address, &again));
	}
}
END_TEST

START_TEST(an_address_ends_with_its_slice)
{
	struct address address;

	ck_assert(address_read((struct slice){"192.0.2.123", 9}, &address));
	ck_assert_str_eq(written(&address), "192.0.2.1");
	ck_assert(!address_read((struct slice){"192.0.2.1\0", 10}, &address));
	ck_assert(!address_read(SLICE_ABSENT, &address));
}
END_TEST

/* ---- networks ---- */

static const struct {
	const char *network;
	const char *inside; /* addresses, with blanks between them */
	const char *outside;
} networks[] = {
	{"192.0.2.0/24", "192.0.2.0 192.0.2.255 ::ffff:192.0.2.7", "192.0.1.255 192.0.3.0 ::"},
	{"192.0.2.128/25", "192.0.2.128 192.0.2.255", "192.0.2.127 192.0.3.128"},
	{"10.0.0.0/8", "10.0.0.0 10.255.255.255", "11.0.0.0 9.255.255.255 a00::"},
	{"128.0.0.0/1", "128.0.0.0 255.255.255.255", "127.255.255.255 8000::"},
	{"192.0.2.7", "192.0.2.7", "192.0.2.6 192.0.2.8"},
	{"192.0.2.6/31", "192.0.2.6 192.0.2.7", "192.0.2.5 192.0.2.8"},
	{"0.0.0.0/0", "0.0.0.0 255.255.255.255 ::ffff:1.2.3.4", ":: 2001:db8::1"},
	{"2001:db8::/32", "2001:db8:: 2001:db8:ffff::1", "2001:db9:: 2001:db7:ffff:: 32.1.13.184"},
	{"2001:db8:0:8000::/49", "2001:db8:0:8000:: 2001:db8:0:ffff::", "2001:db8:0:7fff::"},
	{"::1", "::1", ":: ::2 0.0.0.1"},
	{"::/0", ":: ffff::", "0.0.0.0 ::ffff:1.2.3.4"},
	{"::ffff:192.0.2.0/120", "192.0.2.9 ::ffff:192.0.2.9", "192.0.3.9"},
	{"::ffff:0:0/96", "1.2.3.4", "::1"},
};

static void check_each(const struct network_list *list, const char *texts, bool inside)
{
	struct address address;

	while (*texts != '\0') {
		size_t n = strcspn(texts, " ");
		ck_assert(address_read((struct slice){texts, n}, &address));
		ck_assert_msg(network_list_has(list, &address) == inside, "%.*s", (int)n, texts);
		texts += texts[n] == ' ' ? n + 1 : n;
	}
}

START_TEST(a_network_has_its_addresses)
{
	struct network_list list;

	ck_assert(network_list_read(slice_of(networks[_i].network), &list));
	ck_assert_uint_eq(list.count, 1);
	check_each(&list, networks[_i].inside, true);
	check_each(&list, networks[_i].outside, false);
	ck_assert(!network_list_has(&list, &ADDRESS_UNKNOWN));
}
END_TEST

static const char *const no_networks[] = {"",
					  "/",
					  "/8",
					  "10.0.0.0/",
					  "10.0.0.0/33",
					  "::/129",
					  "10.0.0.0/-1",
					  "10.0.0.0/ 8",
					  "10.0.0.0 /8",
					  "10.0.0.0/8/8",
					  "10.0.0.1/8",
					  "192.0.2.1/31",
					  "::1/127",
					  "2001:db8::/28",
					  "10/8",
					  "10.0.0.0/99999999999999999999",
					  "fe80::1%eth0",
					  "::ffff:10.0.0.0/95",
					  "all",
					  "10.0.0.0/255.0.0.0"};

START_TEST(what_is_no_network)
{
	struct network network;

	ck_assert_msg(!network_read(slice_of(no_networks[_i]), &network), "%s", no_networks[_i]);
}
END_TEST

/* ---- lists ---- */

static const struct {
	const char *text;
	const char *list; /* NULL: refused */
} lists[] = {
	{"", ""},
	{"  ", ""},
	{"192.0.2.1", "192.0.2.1"},
	{"192.0.2.1/32", "192.0.2.1"},
	{" 10.0.0.0/8 ,2001:DB8::/32,::1 ", "10.0.0.0/8, 2001:db8::/32, ::1"},
	{"0.0.0.0/0", "0.0.0.0/0"},
	{"::ffff:0:0/96", "0.0.0.0/0"},
	{"10.0.0.0/8, 10.0.0.0/8", "10.0.0.0/8, 10.0.0.0/8"},
	{"10.0.0.0/8,", "10.0.0.0/8"},
	{"10.0.0.0/8 11.0.0.0/8", NULL},
	{",10.0.0.0/8", NULL},
	{"10.0.0.0/8,,11.0.0.0/8", NULL},
	{"10.0.0.0/8, proxy", NULL},
};

START_TEST(lists_are_read_and_written)
{
	struct network_list list;
	struct buf out = buf_make(1000);
	bool good = network_list_read(slice_of(lists[_i].text), &list);

	ck_assert_int_eq(good, lists[_i].list != NULL);
	if (good) {
		network_list_add(&out, &list);
		ck_assert(slice_equal(buf_slice(&out), slice_of(lists[_i].list)));
	}
	buf_free(&out);
}
END_TEST

START_TEST(a_list_has_a_most)
{
	struct buf text = buf_make(10000);
	struct network_list list;
	struct address last;

	for (int i = 0; i < NETWORK_LIST_MAX; i++)
		buf_add_format(&text, "%s10.0.0.%d", i == 0 ? "" : ",", i);
	ck_assert(network_list_read(buf_slice(&text), &list));
	ck_assert_uint_eq(list.count, NETWORK_LIST_MAX);
	ck_assert(address_read(SLICE("10.0.0.63"), &last) && network_list_has(&list, &last));
	buf_add_text(&text, ",10.0.1.0");
	ck_assert(!network_list_read(buf_slice(&text), &list));
	buf_free(&text);
}
END_TEST

/* config/reload compares lists as memory. */
START_TEST(equal_lists_are_equal_as_memory)
{
	struct network_list a, b;

	memset(&a, 0x55, sizeof(a));
	memset(&b, 0xaa, sizeof(b));
	ck_assert(network_list_read(SLICE("10.0.0.0/8, ::ffff:192.0.2.1"), &a));
	ck_assert(network_list_read(SLICE("10.0.0.0/8,192.0.2.1/32"), &b));
	ck_assert_mem_eq(&a, &b, sizeof(a));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("network");
	TCase *tests = tcase_create("network");

	tcase_add_loop_test(tests, addresses_are_read, 0, LENGTH(addresses));
	tcase_add_test(tests, an_address_ends_with_its_slice);
	tcase_add_loop_test(tests, a_network_has_its_addresses, 0, LENGTH(networks));
	tcase_add_loop_test(tests, what_is_no_network, 0, LENGTH(no_networks));
	tcase_add_loop_test(tests, lists_are_read_and_written, 0, LENGTH(lists));
	tcase_add_test(tests, a_list_has_a_most);
	tcase_add_test(tests, equal_lists_are_equal_as_memory);
	suite_add_tcase(suite, tests);
	return suite;
}
