/*
 * fuzz.h - what the fuzz targets share.
 *
 * A target is one file fuzz_<what>.c. It is given any bytes, calls what the worker calls, and
 * checks what must hold for every input. It draws whatever else it needs (where to cut, which
 * limit) from the input itself, so that the same input always does the same and the corpora
 * (corpus/<what>) stay readable.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "json/reader.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Ends the program, and so tells the fuzzer, unless the condition holds. */
#define CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

_Noreturn void fuzz_fail(const char *file, int line, const char *what);

/* Numbers that follow from the input. */
struct fuzz_random {
	uint64_t state;
};

struct fuzz_random fuzz_random_of(struct slice input);
/* 0 .. below - 1 */
size_t fuzz_random_next(struct fuzz_random *random, size_t below);

/*
 * Gives text to feed in pieces: all at once, byte by byte, or in random ones, some of them empty.
 * Each piece is a block of memory of its own that is gone after the call, so that no byte behind it
 * and no byte of an earlier one can be read unseen. Stops at the first status that is not OK.
 */
typedef enum status fuzz_feed(void *context, const char *bytes, size_t n);
enum status fuzz_in_pieces(struct fuzz_random *random, struct slice text, fuzz_feed *feed,
			   void *context);

/* Takes off what stands before the separator, and the separator; all when there is none. */
struct slice fuzz_take(struct slice *text, char separator);

/* The text in memory of its own, terminated; free() it. */
char *fuzz_copy(struct slice text);

/* The defaults of the settings that concern JSON. */
extern const struct json_limits fuzz_limits;

/* A key whose checksum is right. */
#define FUZZ_KEY "sk_0123456789ABCDEFGHIJKLMNOPQRSTUV1cwdir"

#endif
