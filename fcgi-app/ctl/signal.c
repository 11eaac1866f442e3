/*
 * ctl/signal.c - sluicectl signal list, tail: signals that are looked for, and followed. See
 * ctl/ctl_internal.h.
 */
#define _GNU_SOURCE /* ppoll, which is POSIX only since 2024 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl_internal.h"
#include "store/document.h"
#include "store/export.h"
#include "store/search.h"

enum ctl_exit ctl_signal_list(struct ctl *ctl)
{
	static const struct ctl_field fields[] = {
		{"ID", "id"},	      {"RECEIVED", "received_at"},
		{"SOURCE", "source"}, {"EVENT", "event_name"},
		{"EMAIL", "email"},   {"STATUS", "status"},
		{"KEY", "key_name"},  {"PAYLOAD", "payload"},
	};

	return ctl_search(ctl, STORE_SIGNALS, &store_export_signals, fields, ARRAY_LENGTH(fields));
}

/* ---- tail ---- */

enum { TAIL_FIRST = 10, TAIL_PARTS_MAX = 50, TAIL_INTERVAL_S = 1, SINCE_BYTES_MAX = 1 << 16 };

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Waits. False once the tool was interrupted, or nobody reads the output any longer. */
static bool wait_for_more(int64_t seconds)
{
	struct pollfd fd = {.fd = STDOUT_FILENO};
	struct timespec span = clock_timespec(seconds * 1000);
	sigset_t blocked, before;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &blocked, &before);
	int n = interrupted != 0 ? -1 : ppoll(&fd, 1, &span, &before);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return n == 0 && interrupted == 0;
}

enum { RECEIVED, STATUS, SOURCE, EVENT, TYPE, EMAIL, USER, VISITOR, ID, WHOLE, TAIL_MEMBERS };

static void add_word(struct buf *out, struct slice text)
{
	(void)ctl_add_escaped(out, text.p == NULL ? SLICE("-") : text);
	buf_add_text(out, "  ");
}

static enum status add_signal(struct ctl *ctl, struct arena *arena, const struct slice *values)
{
	struct slice texts[TAIL_MEMBERS];
	enum status status = STATUS_OK;

	if (ctl_has(ctl, CTL_JSON)) {
		buf_add_slice(&ctl->out, values[WHOLE]);
		buf_add_char(&ctl->out, '\n');
		return ctl->out.status;
	}
	for (size_t i = 0; i < WHOLE && status == STATUS_OK; i++)
		status = store_answer_meaning(arena, values[i], &texts[i]);
	if (status != STATUS_OK)
		return status;
	add_word(&ctl->out, texts[RECEIVED]);
	add_word(&ctl->out, texts[STATUS]);
	add_word(&ctl->out, texts[SOURCE]);
	add_word(&ctl->out, texts[EVENT].p != NULL ? texts[EVENT] : texts[TYPE]);
	add_word(&ctl->out, texts[EMAIL].p != NULL  ? texts[EMAIL]
			    : texts[USER].p != NULL ? texts[USER]
						    : texts[VISITOR]);
	buf_add_slice(&ctl->out, texts[ID]);
	buf_add_char(&ctl->out, '\n');
	return ctl->out.status;
}

/* An answer's signals, the oldest first. */
static enum status add_signals(struct ctl *ctl, struct arena *arena, struct slice answer)
{
	static const char *const members[TAIL_MEMBERS] = {
		"received_at", "status",  "source",	  "event_name", "event_type",
		"email",       "user_id", "anonymous_id", "id",		""};
	struct slice *values =
		arena_array(arena, STORE_EXPORT_ROWS * TAIL_MEMBERS, sizeof(*values));
	enum status status = values == NULL ? STATUS_NO_MEMORY
					    : store_answer_rows(arena, answer, "signals", members,
								TAIL_MEMBERS, values);

	for (size_t i = STORE_EXPORT_ROWS; i-- > 0 && status == STATUS_OK;) {
		if (values[i * TAIL_MEMBERS + WHOLE].p != NULL)
			status = add_signal(ctl, arena, values + i * TAIL_MEMBERS);
	}
	return status;
}

/* Makes a "since" of what was given for the last one and the snapshot of a "live": between both. */
static enum status make_between(struct arena *arena, struct slice since, struct slice live,
				struct slice *between)
{
	const char *snapshot = strchr(live.p, '-');
	struct buf text = buf_make(SINCE_BYTES_MAX);

	buf_add_slice(&text, since);
	buf_add_text(&text, snapshot == NULL ? "" : snapshot);
	*between = arena_move(arena, &text);
	return between->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* The latest signals that it begins with are, of a text in the payload, those of a day. */
static enum ctl_exit read_filter(struct ctl *ctl, struct slice since, struct slice *filter)
{
	struct slice values[STORE_SEARCH_MEMBERS] = {[STORE_SEARCH_SINCE] = since};
	struct store_timestamp day = {0};
	enum status status = STATUS_OK;

	if (ctl_has(ctl, CTL_TEXT) && since.p == NULL)
		status = store_timestamp_read(&ctl->store, SLICE("-1d"), true, &day);
	values[STORE_SEARCH_FROM] = day.text;
	return status == STATUS_OK ? ctl_read_search(ctl, values, filter)
				   : ctl_fail_status(ctl, status);
}

/* Takes part after part of what is new since then, the newest first, and appends it. *live: what
 * the next round begins with. */
static enum ctl_exit take_new(struct ctl *ctl, struct arena *arena, struct slice since,
			      struct slice *live)
{
	struct slice answers[TAIL_PARTS_MAX], between = since, next = SLICE_ABSENT;
	size_t parts = 0;
	enum ctl_exit result;
	enum status status = STATUS_OK;

	do {
		struct store_question question = {.organization = ctl_value(ctl, CTL_ORGANIZATION),
						  .before = next,
						  .limit = SLICE("100")};
		if (since.p == NULL)
			question.limit = SLICE("10");
		result = read_filter(ctl, between, &question.filter);
		if (result == CTL_FINE)
			result = ctl_ask_document(ctl, STORE_SIGNALS, &question, &answers[parts]);
		if (result != CTL_FINE)
			return result;
		status = store_answer_text(arena, answers[parts], "next", &next);
		if (status == STATUS_OK && parts++ == 0)
			status = store_answer_text(arena, answers[0], "live", live);
		if (status == STATUS_OK && parts == 1 && since.p != NULL)
			status = make_between(arena, since, *live, &between);
	} while (status == STATUS_OK && since.p != NULL && next.p != NULL &&
		 parts < TAIL_PARTS_MAX);
	if (since.p != NULL && next.p != NULL)
		ctl_warn("more than %d signals at once: the older ones are skipped",
			 TAIL_PARTS_MAX * STORE_EXPORT_ROWS);
	while (parts-- > 0 && status == STATUS_OK)
		status = add_signals(ctl, arena, answers[parts]);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_tail(struct ctl *ctl)
{
	struct sigaction action = {.sa_handler = interrupt};
	struct arena rounds[2] = {{0}, {0}};
	struct slice live = SLICE_ABSENT;
	int64_t seconds = TAIL_INTERVAL_S;
	int round = 0;
	enum ctl_exit result = ctl_read_interval(ctl, &seconds);

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	while (result == CTL_FINE) {
		struct slice since = live;
		ctl->store.arena = &rounds[round];
		result = take_new(ctl, &rounds[round], since, &live);
		if (result == CTL_FINE)
			result = ctl_flush(ctl);
		round = 1 - round;
		arena_reset(&rounds[round]);
		if (result == CTL_FINE && !wait_for_more(seconds))
			break;
	}
	ctl->store.arena = &ctl->arena;
	arena_free(&rounds[0]);
	arena_free(&rounds[1]);
	return result;
}
