/*
 * key/cross_out.h - crosses the presented key out of what is to be stored or logged. The only place
 * where this is done.
 *
 * A key is found in any spelling that a reader may undo: each character as itself, also of UTF-16
 * or UTF-32, as a JSON escape (\u0073) or percent-encoded (%73), in text of any kind. What is
 * crossed out keeps its length, its "sk_" and its spelling, so that JSON stays JSON and all other
 * bytes keep their place.
 */
#ifndef KEY_CROSS_OUT_H
#define KEY_CROSS_OUT_H

#include "base/slice.h"

/* True if the key is in the text, or if the text ends within the key, behind the characters of it
 * that may be shown. */
bool cross_out_finds(struct slice text, struct slice key);

/* Crosses out what cross_out_finds() finds. True if that was anything. */
bool cross_out(char *text, size_t n, struct slice key);

/*
 * For text that comes in pieces: crosses out the whole keys in it, and returns how many bytes at
 * its end, at most CROSS_OUT_OPEN_MAX, may be the beginning of one, to stand before the next piece.
 */
enum { CROSS_OUT_OPEN_MAX = 6 * 64 };
size_t cross_out_piece(char *text, size_t n, struct slice key, bool *found);

/* True if the text holds what has the form of a key, a secret or a token, whosever it is. */
bool cross_out_suspects(struct slice text);

#endif
