/*
 * http/trace.h - the trace that a request belongs to, by W3C Trace Context.
 */
#ifndef HTTP_TRACE_H
#define HTTP_TRACE_H

#include "http/request.h"

/* The header traceparent if it has the form of version 00, and is there once; else absent. */
struct slice http_trace_parent(const struct http_request *request);

#endif
