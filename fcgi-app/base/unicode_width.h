/*
 * base/unicode_width.h - how many columns of a terminal a character takes. Independent of the
 * locale.
 */
#ifndef BASE_UNICODE_WIDTH_H
#define BASE_UNICODE_WIDTH_H

#include "base/slice.h"

/* 2 for those of East Asian scripts and most pictographs, 0 for those that are written over their
 * neighbour, else 1. A control character is the caller's to escape. */
size_t unicode_width(uint32_t point);

#endif
