/*
 * metrics.h - what GET /metrics answers: one question to the database, which writes the text.
 */
#ifndef METRICS_H
#define METRICS_H

#include "db.h"

/*
 * Appends the metrics in Prometheus' text format. Connects when there is no connection. STATUS_OK,
 * or as db_connect and db_run; then nothing is appended.
 */
enum status metrics_read(struct db *db, struct buf *out, int64_t deadline_ms) MUST_CHECK;

#endif
