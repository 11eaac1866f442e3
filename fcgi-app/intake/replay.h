/*
 * intake/replay.h - a rejected payload read once more, as it was kept or as somebody has repaired
 * it: for the tool and for the settings service.
 *
 * The bytes are read by the workers' own code. The sender is not authenticated again: it was when
 * the bytes were kept. Asks the database nothing; what is read is stored with
 * store_rejected_replay().
 */
#ifndef INTAKE_REPLAY_H
#define INTAKE_REPLAY_H

#include "intake/intake.h"
#include "store/key.h"
#include "store/rejected.h"

/* What is still wrong with the bytes, and where. */
struct replay_fault {
	enum status status; /* STATUS_OK: nothing, intake->commit can be stored */
	const char *detail; /* in words, with the place if it is known */
	int64_t bad_byte;   /* from 0; -1: not known */
};

/*
 * Reads bytes in the place of those that are kept of an entry, with the entry's key as it is now.
 * Either all of them become rows, or there is a fault. What *intake points to lives in the arena
 * and in bytes; call intake_free() in either case. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status replay_read(struct intake *intake, const struct config *config, struct arena *arena,
			const struct store_rejected *entry, const struct store_key *key,
			struct slice bytes, struct replay_fault *fault) MUST_CHECK;

/* The fault of an entry of which only the beginning is kept: that may be good by itself, but is not
 * what was sent. STATUS_OK or STATUS_NO_MEMORY. */
enum status replay_in_part(struct arena *arena, const struct store_rejected *entry,
			   struct replay_fault *fault) MUST_CHECK;

#endif
