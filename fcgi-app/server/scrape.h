/*
 * server/scrape.h - the database's part of GET /metrics, for the event loop: asked for without
 * waiting, on a connection of its own.
 *
 * One look-up at a time. Scrapes that come meanwhile get its answer, too, so however many there are
 * they cost the database one connection, which is made for the look-up and closed after it. After
 * SCRAPE_MS nobody waits any longer: the look-up is cancelled, and there is no other one before it
 * has ended, so that a stuck server does not get one backend after the other.
 */
#ifndef SERVER_SCRAPE_H
#define SERVER_SCRAPE_H

#include "config/config.h"
#include "pg/connection.h"

struct scrape;

/* How long the database may take, connecting included: half of what Prometheus waits. On a host
 * with more to do than it can, the look-up alone takes seconds, and there the numbers are wanted
 * most. */
enum { SCRAPE_MS = 5000 };

/* STATUS_OK or STATUS_NO_MEMORY. Connects to nothing yet. The configuration must outlive it; each
 * look-up goes to the database that it names by then. */
enum status scrape_open(struct scrape **scrape, const struct config *config) MUST_CHECK;

/* Cancels what is running; NULL is allowed. */
void scrape_close(struct scrape *scrape);

/* In a forked child: closes its copy of the connection; the parent's is unharmed. */
void scrape_abandon(struct scrape *scrape);

/* Begins a look-up, or joins the one under way. True: wait for scrape_step(). False: the database
 * cannot be asked now. */
bool scrape_ask(struct scrape *scrape, int64_t now_ms);

/* What to poll for: as pg_fd() and pg_events(); -1 and 0 without a look-up. */
int scrape_fd(const struct scrape *scrape);
short scrape_events(const struct scrape *scrape);

/* When scrape_step() has something to do even without events: a time of clock_now_ms(), INT64_MAX
 * for never. */
int64_t scrape_wake_ms(const struct scrape *scrape);

/* Does what can be done without waiting. True when those who wait are to be answered, with
 * scrape_text(). */
bool scrape_step(struct scrape *scrape, int64_t now_ms);

/* What the database says, until the next call of scrape_ask(); absent if it did not answer. */
struct slice scrape_text(const struct scrape *scrape);

#endif
