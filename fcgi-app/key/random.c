/*
 * key/random.c - see key/random.h.
 */
#include "key/random.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <openssl/rand.h>

#include "base/log.h"

enum status random_bytes(void *bytes, size_t n)
{
	if (n <= INT_MAX && RAND_bytes(bytes, (int)n) == 1)
		return STATUS_OK;
	log_event(LOG_LEVEL_ERROR, "could not get random bytes", LOG_INT("bytes", n));
	return STATUS_INTERNAL;
}

/* Draws many at a time: OpenSSL takes 2 µs for a dozen bytes and hardly more for hundreds. */
enum status random_unique(unsigned char bytes[RANDOM_UNIQUE_BYTES])
{
	static struct {
		pid_t owner; /* a forked child must not use its parent's */
		size_t left;
		unsigned char bytes[64 * RANDOM_UNIQUE_BYTES];
	} drawn;
	enum status status = STATUS_OK;

	if (drawn.left == 0 || drawn.owner != getpid()) {
		status = random_bytes(drawn.bytes, sizeof(drawn.bytes));
		drawn.left = status == STATUS_OK ? sizeof(drawn.bytes) : 0;
		drawn.owner = getpid();
	}
	if (status != STATUS_OK)
		return status;
	drawn.left -= RANDOM_UNIQUE_BYTES;
	memcpy(bytes, drawn.bytes + drawn.left, RANDOM_UNIQUE_BYTES);
	return STATUS_OK;
}
