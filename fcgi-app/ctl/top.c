/*
 * ctl/top.c - sluicectl top: one screen that answers whether Sluice is up, whether it keeps up, and
 * who fails and why. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "config/config.h"
#include "ctl/top_internal.h"
#include "server/metrics.h"
#include "store/health.h"
#include "store/metrics.h"

enum { METRICS_BYTES_MAX = 1 << 20, INTERVAL_S = 2, INTERVAL_S_MAX = 3600 };

/* What the database says; texts in the arena. */
struct database {
	struct slice trouble; /* absent: it answered */
	struct slice metrics; /* in Prometheus' text format */
	struct store_list keys;
};

/* ---- the database ---- */

static enum status read_metrics(struct ctl *ctl, struct database *database)
{
	struct buf text = buf_make(METRICS_BYTES_MAX);
	enum status status = metrics_read(ctl->db, &text, ctl_deadline());

	buf_add_char(&text, '\0');
	if (status == STATUS_OK) {
		database->metrics = arena_move(&ctl->arena, &text);
		status = database->metrics.p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	}
	buf_free(&text);
	return status;
}

/* On a connection for each screen: it may go away in between. */
static void ask_database(struct ctl *ctl, struct database *database)
{
	*database = (struct database){.trouble = SLICE("it cannot be reached")};
	if (ctl_connect(ctl) != CTL_FINE)
		return;
	enum status status = read_metrics(ctl, database);
	if (status == STATUS_OK)
		status = store_key_health_list(&ctl->store, &database->keys);
	database->trouble =
		status == STATUS_OK
			? SLICE_ABSENT
			: slice_of(arena_copy(&ctl->arena, slice_of(pg_message(ctl->db))));
}

/* The value of a sample, named with its labels, up to the end of the line. */
static struct slice sample_of(const struct database *database, const char *name)
{
	size_t n = strlen(name);
	const char *at = database->metrics.p;

	while (at != NULL && (strncmp(at, name, n) != 0 || at[n] != ' ')) {
		at = strchr(at, '\n');
		at = at == NULL ? NULL : at + 1;
	}
	if (at == NULL)
		return SLICE("?");
	return (struct slice){at + n + 1, strcspn(at + n + 1, "\n")};
}

/* ---- the screen ---- */

static void add_bound(struct buf *out, uint64_t us)
{
	if (us == UINT64_MAX)
		buf_add_text(out, "over 10 s");
	else if (us == 0)
		buf_add_text(out, "-");
	else if (us < 1000000)
		buf_add_format(out, "%g ms", (double)us / 1000);
	else
		buf_add_format(out, "%g s", (double)us / 1000000);
}

static void add_times(struct buf *out, uint64_t half_us, uint64_t most_us)
{
	buf_add_text(out, "half within ");
	add_bound(out, half_us);
	buf_add_text(out, ", 99 % within ");
	add_bound(out, most_us);
}

#define NUMBER(value) ((unsigned long long)(value))

static void add_workers(struct buf *out, const struct top_sample *s)
{
	buf_add_format(out, "up        %u worker%s, %llu connected to the database; ", s->workers,
		       s->workers == 1 ? "" : "s", NUMBER(s->connected));
	buf_add_format(out, "%llu of %llu slots in use, %llu wait for a commit, %llu children\n",
		       NUMBER(s->in_flight), NUMBER(s->slots), NUMBER(s->waiting),
		       NUMBER(s->children));
	buf_add_format(out,
		       "requests  %.1f/s accepted, %.1f/s refused, %.1f/s failed; %.1f/s items "
		       "stored; ",
		       s->accepted, s->refused, s->failed, s->stored);
	add_times(out, s->request_half_us, s->request_most_us);
	buf_add_text(out, "\ngroups    ");
	add_times(out, s->statement_half_us, s->statement_most_us);
	buf_add_format(out, " in the database; %.1f requests in a group\n", s->group);
	buf_add_format(out,
		       "trouble   %llu connections made, %llu unknown commits, %llu shed, %llu "
		       "expired, %llu children failed, %llu log lines lost\n",
		       NUMBER(s->connections), NUMBER(s->unknown), NUMBER(s->shed),
		       NUMBER(s->expired), NUMBER(s->failed_children), NUMBER(s->lost_lines));
}

static void add_database(struct ctl *ctl, const struct database *database)
{
	struct buf *out = &ctl->out;

	if (database->trouble.p != NULL) {
		buf_add_text(out, "database  ");
		ctl_add_escaped(out, database->trouble);
		buf_add_char(out, '\n');
		return;
	}
	struct slice signals =
		sample_of(database, "sluice_oldest_pending_age_seconds{table=\"signal_staging\"}");
	struct slice orgs = sample_of(
		database, "sluice_oldest_pending_age_seconds{table=\"product_org_staging\"}");
	struct slice maintained = sample_of(database, "sluice_maintenance_age_seconds");
	buf_add_format(out,
		       "database  oldest pending signal %.*s s, product-org update %.*s s; "
		       "maintained %.*s s ago\n",
		       (int)signals.n, signals.p, (int)orgs.n, orgs.p, (int)maintained.n,
		       maintained.p);
}

static void add_problems(struct ctl *ctl, const struct top_sample *sample)
{
	static const char *const headings[] = {"PROBLEM", "NOW", "IN ALL"};
	struct slice cells[TOP_PROBLEMS * ARRAY_LENGTH(headings)];

	for (unsigned i = 0; i < sample->problem_count; i++) {
		const struct top_problem *problem = &sample->problems[i];
		cells[3 * i] = slice_of(problem->code);
		cells[3 * i + 1] = slice_of(arena_format(&ctl->arena, "%.1f/s", problem->rate));
		cells[3 * i + 2] =
			slice_of(arena_format(&ctl->arena, "%llu", NUMBER(problem->total)));
	}
	if (sample->problem_count == 0)
		return;
	buf_add_char(&ctl->out, '\n');
	const struct ctl_table table = {headings, ARRAY_LENGTH(headings), cells,
					sample->problem_count, .wraps = false};
	ctl_add_table(&ctl->out, &ctl->screen, &table);
}

static enum ctl_exit add_screen(struct ctl *ctl, const struct top_sample *sample,
				const struct database *database)
{
	enum ctl_exit result = CTL_FINE;

	buf_add_text(&ctl->out, "sluice " SLUICE_VERSION "  ");
	timestamp_add(&ctl->out, clock_unix_us() / 1000000 * 1000000);
	buf_add_text(&ctl->out, "\n\n");
	if (sample == NULL)
		buf_add_text(&ctl->out, "up        ? (the workers' counters cannot be read: run "
					"it on their host, as root or their user)\n");
	else
		add_workers(&ctl->out, sample);
	add_database(ctl, database);
	if (sample != NULL)
		add_problems(ctl, sample);
	if (database->keys.count > 0) {
		buf_add_char(&ctl->out, '\n');
		result = ctl_add_list(ctl, &database->keys);
	}
	return result;
}

/* ---- JSON ---- */

static void add_rate(struct json_tree *tree, struct json_object *object, const char *name,
		     double value)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%.3f", value);

	json_tree_json(tree, object, name, (struct slice){text, (size_t)n});
}

static void add_workers_json(struct json_tree *tree, struct json_object *object,
			     const struct top_sample *s)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {{"workers", s->workers},
		       {"connected", s->connected},
		       {"slots", s->slots},
		       {"in_flight", s->in_flight},
		       {"waiting", s->waiting},
		       {"children", s->children},
		       {"connections", s->connections},
		       {"unknown_commits", s->unknown},
		       {"shed", s->shed},
		       {"expired", s->expired},
		       {"failed_children", s->failed_children},
		       {"lost_log_lines", s->lost_lines}};

	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
		json_tree_int(tree, object, numbers[i].name, (int64_t)numbers[i].value);
	add_rate(tree, object, "accepted_per_second", s->accepted);
	add_rate(tree, object, "refused_per_second", s->refused);
	add_rate(tree, object, "failed_per_second", s->failed);
	add_rate(tree, object, "stored_per_second", s->stored);
	add_rate(tree, object, "group_requests", s->group);
	struct json_object *problems = json_tree_array(tree, object, "problems");
	for (unsigned i = 0; i < s->problem_count; i++) {
		struct json_object *problem = json_tree_object(tree, problems, NULL);
		json_tree_text(tree, problem, "code", slice_of(s->problems[i].code));
		add_rate(tree, problem, "per_second", s->problems[i].rate);
		json_tree_int(tree, problem, "total", (int64_t)s->problems[i].total);
	}
}

static enum ctl_exit add_json(struct ctl *ctl, const struct top_sample *sample,
			      const struct database *database)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	if (sample != NULL)
		add_workers_json(&tree, json_tree_object(&tree, root, "service"), sample);
	json_tree_bool(&tree, root, "database", database->trouble.p == NULL);
	struct json_object *keys = json_tree_array(&tree, root, "keys");
	if (database->keys.count > 0)
		store_list_json(&database->keys, &tree, keys);
	return ctl_add_tree(ctl, &tree);
}

/* ---- the command ---- */

enum ctl_exit ctl_read_interval(const struct ctl *ctl, int64_t *seconds)
{
	struct slice text = ctl_value(ctl, CTL_INTERVAL);

	if (text.p != NULL &&
	    (!slice_to_int(text, seconds) || *seconds < 1 || *seconds > INTERVAL_S_MAX))
		return ctl_fail(CTL_USAGE, NULL, "--interval takes 1 to %d, not \"%s\"",
				INTERVAL_S_MAX, text.p);
	return CTL_FINE;
}

/* Whether the workers' counters can be read. The configuration is read for where they are. */
static enum ctl_exit attach(struct ctl *ctl, bool *attached)
{
	struct config config;
	struct config_source source;
	const char *message;
	enum status status =
		config_read(&ctl->arena, ctl->values[CTL_CONFIG], &config, &source, &message);

	if (status != STATUS_OK)
		return ctl_fail(CTL_FAILED, NULL, "%s", message);
	*attached = stats_attach(config.metrics_file, metrics_layout()) == STATUS_OK;
	return CTL_FINE;
}

/* One screen, or one object. */
static enum ctl_exit show(struct ctl *ctl, bool attached, struct top_reading readings[2],
			  int64_t seconds)
{
	struct top_sample sample;
	struct database database;

	clock_sleep_ms(seconds * 1000);
	if (attached) {
		top_read(&readings[1]);
		top_measure(&readings[0], &readings[1], &sample);
		readings[0] = readings[1];
	}
	ask_database(ctl, &database);
	enum ctl_exit result = (ctl_has(ctl, CTL_JSON) ? add_json : add_screen)(
		ctl, attached ? &sample : NULL, &database);
	pg_close(ctl->db);
	ctl->db = NULL;
	return result;
}

enum ctl_exit ctl_top(struct ctl *ctl)
{
	static struct top_reading readings[2];
	bool once = ctl_has(ctl, CTL_ONCE) || ctl_has(ctl, CTL_JSON), attached = false;
	int64_t seconds = INTERVAL_S;
	enum ctl_exit result = ctl_read_interval(ctl, &seconds);

	if (result == CTL_FINE)
		result = attach(ctl, &attached);
	if (attached)
		top_read(&readings[0]);
	while (result == CTL_FINE) {
		if (!once && isatty(STDOUT_FILENO) != 0)
			buf_add_text(&ctl->out, "\033[H\033[2J");
		result = show(ctl, attached, readings, seconds);
		if (once)
			break;
		if (result == CTL_FINE)
			result = ctl_flush(ctl);
		arena_reset(&ctl->arena);
	}
	stats_close();
	return result;
}
