/*
 * server/metrics.h - what the workers of a service have counted (base/stats), in Prometheus' text
 * format. The database's part of GET /metrics is store/metrics.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "base/buf.h"

/* For stats_open(): changes with the meaning of the numbers. */
uint64_t metrics_layout(void);

/* Appends the metrics of all workers. database_up says whether those of the database follow. */
void metrics_add(struct buf *out, bool database_up);

#endif
