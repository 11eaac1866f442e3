/*
 * key/fingerprint.h - the fingerprint of a delivery, by which the database recognises its repeats
 * (CONTRACT.md, section 5).
 *
 * Sixteen bytes of the SHA-256 of its id, the second half XORed with the first eight of the SHA-256
 * of kind and content. Deliveries that share an id are found by the first half; with the second it
 * tells different ids apart as 16 bytes of SHA-256 do. sluice.fingerprint() makes the same.
 */
#ifndef KEY_FINGERPRINT_H
#define KEY_FINGERPRINT_H

#include "base/slice.h"
#include "base/status.h"

enum { FINGERPRINT_BYTES = 16 };

struct fingerprint {
	unsigned char bytes[FINGERPRINT_BYTES];
};

/* Of a signal whose repeats have its event type and event name; absent is the same as empty. None
 * of the texts holds a zero byte. Each returns STATUS_OK or STATUS_INTERNAL (logged). */
enum status fingerprint_of_event(struct slice id, struct slice event_type, struct slice event_name,
				 struct fingerprint *out) MUST_CHECK;

/* Of a product-org update, whose repeats are of its product org. */
enum status fingerprint_of_product_org(struct slice id, struct slice product_org_id,
				       struct fingerprint *out) MUST_CHECK;

/* Of either, when repeats have the same bytes. */
enum status fingerprint_of_bytes(struct slice id, struct slice bytes,
				 struct fingerprint *out) MUST_CHECK;

#endif
