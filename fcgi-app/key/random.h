/*
 * key/random.h - random bytes from OpenSSL's CSPRNG.
 */
#ifndef KEY_RANDOM_H
#define KEY_RANDOM_H

#include <stddef.h>

#include "base/status.h"

enum { RANDOM_UNIQUE_BYTES = 12 };

/* Fills n bytes from the CSPRNG. STATUS_OK or STATUS_INTERNAL. */
enum status random_bytes(void *bytes, size_t n) MUST_CHECK;

/* Fills in bytes that no other call gives, in any process: for names, not for secrets, because they
 * lie in memory before they are asked for. STATUS_OK or STATUS_INTERNAL. */
enum status random_unique(unsigned char bytes[RANDOM_UNIQUE_BYTES]) MUST_CHECK;

#endif
