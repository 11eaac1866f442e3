/*
 * base/network.h - addresses of IPv4 and IPv6, and networks of them. Reads text; resolves no names.
 */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include <stdbool.h>

#include "base/buf.h"

enum { ADDRESS_BYTES_MAX = 16, ADDRESS_CHARS = 46 };

/* The other bytes are zero, so that two addresses can be compared as memory. */
struct address {
	unsigned char size; /* bytes: 4 or 16; 0: not known */
	unsigned char bytes[ADDRESS_BYTES_MAX];
};

#define ADDRESS_UNKNOWN ((struct address){.size = 0})

struct network {
	struct address address; /* its first */
	unsigned char bits;	/* of its mask */
};

enum { NETWORK_LIST_MAX = 64 };

struct network_list {
	size_t count;
	struct network items[NETWORK_LIST_MAX];
};

/*
 * Reads an address as inet_pton() does. An IPv4-mapped one (::ffff:192.0.2.1) is of IPv4, so that
 * it does not matter on what socket a web server listens. A zone (fe80::1%eth0) is left out, as it
 * is another on each host. False for anything else; *address is unknown then.
 */
bool address_read(struct slice text, struct address *address);

bool address_is_same(const struct address *a, const struct address *b);

/* Appends an address as PostgreSQL writes it; nothing if it is not known. */
void address_add(struct buf *out, const struct address *address);

/* Reads 192.0.2.0/24, 2001:db8::/32 or a lone address. False for anything else, and for bits to the
 * right of the mask, of which PostgreSQL's cidr thinks the same. */
bool network_read(struct slice text, struct network *network);

/* Reads a list with commas between the networks, which may be empty. False if a network is wrong or
 * there are too many. */
bool network_list_read(struct slice text, struct network_list *list);

/* Appends the list as it is read. */
void network_list_add(struct buf *out, const struct network_list *list);

/* True if one of the networks has the address; never if it is not known. */
bool network_list_has(const struct network_list *list, const struct address *address);

#endif
