/*
 * store/metrics.h - the text of GET /metrics, which the database writes.
 */
#ifndef STORE_METRICS_H
#define STORE_METRICS_H

#include "base/buf.h"
#include "pg/connection.h"

/* For callers that do not wait: what metrics_read() runs. */
extern const struct pg_statement metrics_statement;

/*
 * Appends the metrics in Prometheus' text format. Connects if there is no connection.
 * STATUS_OK, or as pg_connect() and pg_run(), with nothing appended.
 */
enum status metrics_read(struct pg_connection *db, struct buf *out, int64_t deadline_ms) MUST_CHECK;

#endif
