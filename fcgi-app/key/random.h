/*
 * key/random.h - random bytes, from OpenSSL's generator (CSPRNG).
 */
#ifndef KEY_RANDOM_H
#define KEY_RANDOM_H

#include <stddef.h>

#include "base/status.h"

enum { RANDOM_UNIQUE_BYTES = 12 };

/* Fills n bytes, fit for secrets. STATUS_OK or STATUS_INTERNAL (logged). */
enum status random_bytes(void *bytes, size_t n) MUST_CHECK;

/* Fills in bytes that no other call in any process gives, such as for request ids. Not for secrets:
 * they wait in memory until they are used. STATUS_OK or STATUS_INTERNAL (logged). */
enum status random_unique(unsigned char bytes[RANDOM_UNIQUE_BYTES]) MUST_CHECK;

#endif
