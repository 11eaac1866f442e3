/*
 * store/metrics.h - what GET /metrics answers: one question to the database, which writes the text.
 */
#ifndef STORE_METRICS_H
#define STORE_METRICS_H

#include "base/buf.h"
#include "pg/connection.h"

/*
 * Appends the metrics in Prometheus' text format. Connects when there is no connection. STATUS_OK,
 * or as pg_connect and pg_run; then nothing is appended.
 */
enum status metrics_read(struct pg_connection *db, struct buf *out, int64_t deadline_ms) MUST_CHECK;

#endif
