/*
 * server/share.c - see server/share.h.
 */
#include "server/share.h"

#include <sys/stat.h>

#include "base/stats.h"

enum {
	SHARE_US = SHARE_MS * 1000,
	WAIT_US = 20,	    /* less is no wait: something was there already */
	WINDOW_US = 100000, /* of the load */
	BUSY_PARTS = 4,	    /* light: it waits for at least one such part of the time, … */
	FEW_PARTS = 4,	/* … and has no more than such a part of the requests that it may have */
	FULL_PARTS = 2, /* others take requests beyond such a part */
	SEEN_US = 3 * SHARE_LOOK_MS * 1000
};

void share_open(struct share *share, int listening, size_t capacity, int64_t now_us)
{
	struct stats *mine = stats_mine();
	struct stat is;

	*share = (struct share){.capacity = capacity, .window_us = now_us, .keeps = true};
	stats_set(&mine->kept_up_us, 0);
	stats_set(&mine->is_light, 0);
	stats_set(&mine->socket, fstat(listening, &is) == 0 ? (uint64_t)is.st_ino : 0);
}

void share_close(void)
{
	stats_set(&stats_mine()->socket, 0);
}

static void end_window(struct share *share, int64_t now_us)
{
	int64_t window_us = now_us - share->window_us;
	bool waits = share->waited_us >= window_us / BUSY_PARTS;

	stats_set(&stats_mine()->is_light, waits && share->most <= share->capacity / FEW_PARTS);
	share->window_us = now_us;
	share->waited_us = 0;
	share->most = 0;
}

/* No longer ago than limit_us. A time to come is one of another boot. */
static bool is_recent(const stats_number *time, int64_t now_us, int64_t limit_us)
{
	int64_t past_us = now_us - (int64_t)stats_get(time);

	return past_us >= 0 && past_us < limit_us;
}

/* What the slots say of the other workers of this socket. */
struct others {
	const struct stats *taker; /* of those before us: the one that has kept up last, if any */
	bool any;
	bool run; /* one has run lately */
};

static void take_one(struct others *others, const struct stats *each, bool before_us,
		     int64_t now_us)
{
	others->any = true;
	others->run |= is_recent(&each->seen_us, now_us, SEEN_US);
	if (before_us && is_recent(&each->kept_up_us, now_us, SHARE_US) &&
	    (others->taker == NULL ||
	     stats_get(&each->kept_up_us) > stats_get(&others->taker->kept_up_us)))
		others->taker = each;
}

static struct others find_others(int64_t now_us)
{
	const struct stats *mine = stats_mine();
	uint64_t socket = stats_get(&mine->socket);
	struct others others = {0};
	bool before_us = true;

	for (unsigned i = 0; i < STATS_WORKERS && socket != 0; i++) {
		const struct stats *each = stats_slot(i);
		if (each == mine)
			before_us = false;
		else if (stats_get(&each->socket) == socket)
			take_one(&others, each, before_us, now_us);
	}
	return others;
}

static void look(struct share *share, int64_t now_us)
{
	struct others others = find_others(now_us);

	share->has_others = others.any;
	share->yield_until_us =
		others.taker == NULL ? 0 : (int64_t)stats_get(&others.taker->kept_up_us) + SHARE_US;
	if (others.taker != NULL)
		share->keeps = stats_get(&others.taker->is_light) == 0;
	else
		share->keeps =
			!others.run || is_recent(&stats_mine()->kept_up_us, now_us, SHARE_US);
}

void share_waited(struct share *share, bool takes, uint64_t requests, int64_t before_us,
		  int64_t now_us)
{
	struct stats *mine = stats_mine();
	int64_t waited_us = now_us - before_us;

	stats_set(&mine->seen_us, (uint64_t)now_us);
	if (takes && waited_us >= WAIT_US && requests <= share->capacity / FULL_PARTS)
		stats_set(&mine->kept_up_us, (uint64_t)now_us);
	share->waited_us += waited_us;
	if (requests > share->most)
		share->most = requests;
	if (now_us - share->window_us >= WINDOW_US)
		end_window(share, now_us);
	look(share, now_us);
}
