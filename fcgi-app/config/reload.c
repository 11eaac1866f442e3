/*
 * config/reload.c - see config/reload.h.
 */
#include "config/reload.h"

#include <string.h>

/* Of these, memory or a connection is made at the start. Texts are pointed to from elsewhere; the
 * database is the caller's. */
static const char *const fixed[] = {"requests_in_flight", "large_body", "prepared_statements",
				    "kept_connections"};

static bool is_fixed(const struct config_setting *setting)
{
	for (size_t i = 0; i < ARRAY_LENGTH(fixed); i++) {
		if (strcmp(setting->key, fixed[i]) == 0)
			return true;
	}
	return setting->type == CONFIG_TEXT;
}

static size_t size_of(const struct config_setting *setting)
{
	switch (setting->type) {
	case CONFIG_BOOL:
		return sizeof(bool);
	case CONFIG_CHOICE:
		return sizeof(int);
	case CONFIG_COUNT:
	case CONFIG_BYTES:
	case CONFIG_DURATION_MS:
		return sizeof(int64_t);
	case CONFIG_NETWORKS:
		return sizeof(struct network_list);
	case CONFIG_TEXT:
	default:
		return sizeof(const char *);
	}
}

static bool is_same(const struct config_setting *setting, const void *member, const void *fresh)
{
	if (setting->type != CONFIG_TEXT)
		return memcmp(member, fresh, size_of(setting)) == 0;
	return strcmp(*(const char *const *)member, *(const char *const *)fresh) == 0;
}

bool config_database_differs(const struct config *config, const struct config *fresh)
{
	return strcmp(config->database, fresh->database) != 0;
}

static bool is_database(const struct config_setting *setting)
{
	return setting->offset == offsetof(struct config, database);
}

void config_reload(struct config *config, const struct config *fresh, struct buf *taken,
		   struct buf *kept)
{
	size_t count;
	const struct config_setting *setting = config_settings(&count);

	for (; count > 0; count--, setting++) {
		void *member = (char *)config + setting->offset;
		const void *value = (const char *)fresh + setting->offset;
		if (is_database(setting) || is_same(setting, member, value))
			continue;
		struct buf *list = is_fixed(setting) ? kept : taken;
		if (list->n > 0)
			buf_add_char(list, ' ');
		buf_add_text(list, setting->key);
		if (list == taken)
			memcpy(member, value, size_of(setting));
	}
}
