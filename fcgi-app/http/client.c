/*
 * http/client.c - see http/client.h.
 */
#include "http/client.h"

#include "base/ascii.h"
#include "http/header.h"

enum { HOPS_MAX = 64 }; /* more proxies than there are in front of anything */

/* Takes the last element off a list, and the comma before it. */
static struct slice take_last(struct slice *list)
{
	size_t start = list->n;

	while (start > 0 && list->p[start - 1] != ',')
		start--;
	struct slice last = {list->p + start, list->n - start};
	list->n = start > 0 ? start - 1 : 0;
	return slice_trim(last);
}

/* Nothing, or a colon and a port. */
static bool is_port(struct slice text)
{
	for (size_t i = 1; i < text.n; i++) {
		if (!ascii_is_digit(text.p[i]))
			return false;
	}
	return text.n == 0 || (text.p[0] == ':' && text.n > 1);
}

/* An address, address:port of IPv4, or [address] and [address]:port of IPv6. */
static bool read_hop(struct slice text, struct address *address)
{
	const char *colon = memchr(text.p, ':', text.n);
	const char *bracket = memchr(text.p, ']', text.n);
	struct slice inner = text, port = {text.p + text.n, 0};

	if (text.p[0] == '[' && bracket != NULL) {
		inner = (struct slice){text.p + 1, (size_t)(bracket - text.p - 1)};
		port = (struct slice){bracket + 1, text.n - inner.n - 2};
		if (memchr(inner.p, ':', inner.n) == NULL)
			return false;
	} else if (colon != NULL &&
		   memchr(colon + 1, ':', text.n - (size_t)(colon + 1 - text.p)) == NULL) {
		inner = (struct slice){text.p, (size_t)(colon - text.p)};
		port = (struct slice){colon, text.n - inner.n};
	}
	return is_port(port) && address_read(inner, address);
}

struct address http_client_address(const struct http_request *request,
				   const struct network_list *proxies)
{
	struct address address;
	struct slice text;
	unsigned hops = 0;

	if (http_header(request, "REMOTE_ADDR", &text) != 1 || !address_read(text, &address))
		return ADDRESS_UNKNOWN;
	if (!network_list_has(proxies, &address))
		return address;
	if (http_header(request, "HTTP_X_FORWARDED_FOR", &text) > 1)
		return ADDRESS_UNKNOWN;
	while (text.n > 0 && network_list_has(proxies, &address)) {
		struct slice hop = take_last(&text);
		if (hop.n == 0)
			continue;
		if (hops++ == HOPS_MAX || !read_hop(hop, &address))
			return ADDRESS_UNKNOWN;
	}
	return address;
}
