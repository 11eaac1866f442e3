/*
 * json/scan.h - the one implementation of JSON's grammar: RFC 8259 and UTF-8, strictly, in one
 * pass, pushed in pieces that may end anywhere.
 *
 * json/text checks whole texts with it, json/reader finds the items of a body, json/walk visits
 * members. It keeps no text and has no callbacks: it stops where its owner asked to be told that a
 * value or a key begins or ends.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* Why json_scan_feed returned. The next byte is the one after those used. */
enum json_scan_event {
	JSON_SCAN_MORE,	     /* all bytes were used */
	JSON_SCAN_VALUE,     /* the next byte begins a value, or is wrong */
	JSON_SCAN_VALUE_END, /* a value has ended before the next byte */
	JSON_SCAN_KEY,	     /* the next byte is the quote that begins a key */
	JSON_SCAN_KEY_END,   /* a key has ended with the quote before the next byte */
	JSON_SCAN_FAILED     /* at the next byte; see status and reason */
};

enum json_scan_state {
	JSON_SCAN_AT_VALUE,
	JSON_SCAN_AT_VALUE_OR_END, /* after an opening bracket */
	JSON_SCAN_IN_VALUE,	   /* at its first byte, which was announced */
	JSON_SCAN_AT_KEY,
	JSON_SCAN_AT_KEY_OR_END, /* after an opening brace */
	JSON_SCAN_IN_KEY,	 /* at its quote, which was announced */
	JSON_SCAN_AT_COLON,
	JSON_SCAN_AFTER_VALUE,
	JSON_SCAN_AFTER_ALL,
	JSON_SCAN_IN_STRING, /* the first of those within a string */
	JSON_SCAN_IN_UTF8,
	JSON_SCAN_IN_ESCAPE,
	JSON_SCAN_IN_HEX,
	JSON_SCAN_AFTER_HIGH,	    /* after the escape of a high surrogate */
	JSON_SCAN_AFTER_HIGH_SLASH, /* and a backslash; the last of those within a string */
	JSON_SCAN_IN_LITERAL,
	JSON_SCAN_NUMBER_SIGN,	   /* after the minus */
	JSON_SCAN_NUMBER_ZERO,	   /* after a leading zero */
	JSON_SCAN_NUMBER_INTEGER,  /* within or after the integer's digits */
	JSON_SCAN_NUMBER_POINT,	   /* after the point */
	JSON_SCAN_NUMBER_FRACTION, /* within or after the fraction's digits */
	JSON_SCAN_NUMBER_E,	   /* after the e */
	JSON_SCAN_NUMBER_E_SIGN,   /* after the exponent's sign */
	JSON_SCAN_NUMBER_EXPONENT, /* within or after the exponent's digits */
	JSON_SCAN_STOPPED
};

enum { JSON_SCAN_INLINE_WORDS = 4 };

struct json_scan {
	/* Set by the owner before a feed. */
	unsigned depth_limit;	 /* see json_scan_item */
	unsigned digit_limit;	 /* of a number, without its exponent */
	unsigned exponent_limit; /* absolute value */
	size_t watched;		 /* stop at values and keys within fewer containers than this */

	/* Read by the owner after a feed. */
	size_t level;	     /* open containers */
	uint64_t opened;     /* containers since json_scan_open */
	uint64_t offset;     /* of the next byte, counted from the first one fed */
	enum status status;  /* after a failure: STATUS_MALFORMED_JSON, STATUS_NO_MEMORY or
			      * STATUS_NESTING_TOO_DEEP (too deep to be followed at all) */
	uint64_t bad_offset; /* after a failure: offset, but of a sequence that is not UTF-8 where
			      * it begins */
	const char *reason;  /* a constant */
	bool needs_repair;   /* since json_scan_item: \u0000 or a lone surrogate was seen */
	enum status problem; /* since json_scan_item: the first limit exceeded, or STATUS_OK;
			      * the scan goes on after it */
	uint64_t problem_offset;
	const char *problem_reason;

	/* The scanner's own. */
	enum json_scan_state state;
	enum json_scan_state failed_in; /* the state before a failure */
	enum json_scan_event event;
	const unsigned char *piece; /* the bytes at offset, during a feed */
	size_t base;		    /* level at json_scan_item */
	bool in_object;		    /* the innermost container is an object */
	bool in_key;		    /* the string is a key */
	bool paired;		    /* the code unit follows the escape of a high surrogate */
	unsigned char utf8_more;    /* continuation bytes of the sequence … */
	unsigned char utf8_left;    /* … and of these to come */
	unsigned char utf8_low;	    /* range of the next one */
	unsigned char utf8_high;
	unsigned char hex_left;
	unsigned unit;	       /* UTF-16 code unit of an escape */
	const char *literal;   /* rest of true, false or null */
	uint64_t number_start; /* offset */
	uint64_t digits;
	unsigned exponent; /* stops rising far above any limit */
	uint64_t *heap;	   /* a bit for each open container, 1 for an object; NULL: inline_stack */
	size_t heap_words;
	uint64_t inline_stack[JSON_SCAN_INLINE_WORDS];
};

/* Gets ready for a text, with these limits and nothing watched. Allocates nothing. */
void json_scan_open(struct json_scan *scan, unsigned depth_limit, unsigned digit_limit,
		    unsigned exponent_limit);

/* Gets ready for another text, whose first byte has this offset. Limits and watched stay. */
void json_scan_restart(struct json_scan *scan, uint64_t offset);

/* An item begins: depth counts from the current level, needs_repair and problem are reset. */
void json_scan_item(struct json_scan *scan);

/* Consumes input up to the next event; *used is how much. */
enum json_scan_event json_scan_feed(struct json_scan *scan, const char *bytes, size_t n,
				    size_t *used) MUST_CHECK;

/* The text has ended. STATUS_OK, the status of an earlier failure, STATUS_MALFORMED_JSON, or
 * STATUS_EMPTY_BODY for nothing but white space. */
enum status json_scan_end(struct json_scan *scan) MUST_CHECK;

/* Frees what a deeply nested text took. */
void json_scan_close(struct json_scan *scan);

#endif
