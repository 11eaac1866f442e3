/*
 * base/network.c - see base/network.h.
 */
#include "base/network.h"

#include <arpa/inet.h>
#include <string.h>

enum { IPV4_BYTES = 4, IPV6_BYTES = 16, MAPPED_BYTES = 12 };

static const unsigned char mapped[MAPPED_BYTES] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* ---- addresses ---- */

/* ::ffff:a.b.c.d to a.b.c.d; true if it was one. */
static bool unmap(struct address *address)
{
	struct address inner = {.size = IPV4_BYTES};

	if (address->size != IPV6_BYTES || memcmp(address->bytes, mapped, MAPPED_BYTES) != 0)
		return false;
	memcpy(inner.bytes, address->bytes + MAPPED_BYTES, IPV4_BYTES);
	*address = inner;
	return true;
}

static bool read_as_written(struct slice text, struct address *address)
{
	char terminated[ADDRESS_CHARS];

	*address = ADDRESS_UNKNOWN;
	if (text.n == 0 || text.n >= sizeof(terminated) || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(terminated, text.p, text.n);
	terminated[text.n] = '\0';
	bool is_ipv4 = memchr(text.p, ':', text.n) == NULL;
	if (inet_pton(is_ipv4 ? AF_INET : AF_INET6, terminated, address->bytes) != 1) {
		*address = ADDRESS_UNKNOWN;
		return false;
	}
	address->size = is_ipv4 ? IPV4_BYTES : IPV6_BYTES;
	return true;
}

bool address_read(struct slice text, struct address *address)
{
	const char *zone = text.n == 0 ? NULL : memchr(text.p, '%', text.n);

	if (zone != NULL)
		text.n = (size_t)(zone - text.p);
	if (!read_as_written(text, address))
		return false;
	if (zone != NULL && address->size == IPV4_BYTES) {
		*address = ADDRESS_UNKNOWN;
		return false;
	}
	(void)unmap(address);
	return true;
}

bool address_is_same(const struct address *a, const struct address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

void address_add(struct buf *out, const struct address *address)
{
	char text[ADDRESS_CHARS];

	if (address->size > 0 && inet_ntop(address->size == IPV4_BYTES ? AF_INET : AF_INET6,
					   address->bytes, text, sizeof(text)) != NULL)
		buf_add_text(out, text);
}

/* ---- networks ---- */

/* True if the address has the network's first bits. */
static bool has(const struct network *network, const struct address *address)
{
	size_t whole = network->bits / 8U;
	unsigned rest = network->bits % 8U;

	if (network->address.size != address->size ||
	    memcmp(network->address.bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

/* True if all bits to the right of the mask are zero. */
static bool is_masked(const struct network *network)
{
	for (size_t i = network->bits; i < network->address.size * 8U; i++) {
		if ((network->address.bytes[i / 8] >> (7 - i % 8) & 1) != 0)
			return false;
	}
	return true;
}

bool network_read(struct slice text, struct network *network)
{
	const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
	struct slice address = {text.p, slash == NULL ? text.n : (size_t)(slash - text.p)};
	int64_t bits;

	*network = (struct network){.bits = 0};
	if (!read_as_written(address, &network->address))
		return false;
	int64_t most = network->address.size * 8;
	if (slash == NULL)
		bits = most;
	else if (!slice_to_int((struct slice){slash + 1, text.n - address.n - 1}, &bits) ||
		 bits > most)
		return false;
	network->bits = (unsigned char)bits;
	if (!is_masked(network))
		return false;
	if (unmap(&network->address))
		network->bits = (unsigned char)(bits - MAPPED_BYTES * 8);
	return true;
}

/* ---- lists ---- */

bool network_list_read(struct slice text, struct network_list *list)
{
	memset(list, 0, sizeof(*list));
	text = slice_trim(text);
	while (text.n > 0) {
		if (list->count == NETWORK_LIST_MAX ||
		    !network_read(slice_take(&text, ','), &list->items[list->count]))
			return false;
		list->count++;
	}
	return true;
}

void network_list_add(struct buf *out, const struct network_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct network *network = &list->items[i];
		if (i > 0)
			buf_add_text(out, ", ");
		address_add(out, &network->address);
		if (network->bits < network->address.size * 8)
			buf_add_format(out, "/%d", network->bits);
	}
}

bool network_list_has(const struct network_list *list, const struct address *address)
{
	for (size_t i = 0; i < list->count; i++) {
		if (has(&list->items[i], address))
			return true;
	}
	return false;
}
