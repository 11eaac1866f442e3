/*
 * ctl/config.c - sluicectl config, version. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include "config/config.h"

static const char *const origins[] = {
	[CONFIG_FROM_DEFAULT] = "default",
	[CONFIG_FROM_FILE] = "file",
	[CONFIG_FROM_ENVIRONMENT] = "environment",
};

/* A setting as it takes effect. */
struct effective {
	struct slice key, value, origin;
};

static const struct store_column columns[] = {
	STORE_COLUMN(struct effective, key, .member = "key", .heading = "SETTING"),
	STORE_COLUMN(struct effective, value, .member = "value", .heading = "VALUE"),
	STORE_COLUMN(struct effective, origin, .member = "origin", .heading = "ORIGIN"),
};
static const struct store_entity effective_entity = STORE_ENTITY(struct effective, columns);

/* Writes each value as it would be in the file. */
static enum status list_settings(struct arena *arena, const struct config *config,
				 const struct config_source *source, struct store_list *list)
{
	struct buf text = buf_make(1 << 20);
	const struct config_setting *settings = config_settings(&list->count);
	struct effective *items = arena_array(arena, list->count, sizeof(*items));

	list->entity = &effective_entity;
	list->items = items;
	for (size_t i = 0; i < list->count && items != NULL && text.status == STATUS_OK; i++) {
		buf_reset(&text, text.size);
		config_format(config, &settings[i], &text);
		items[i].key = slice_of(settings[i].key);
		items[i].value = (struct slice){arena_copy(arena, buf_slice(&text)), text.n};
		items[i].origin = slice_of(origins[source->origin[i]]);
		if (items[i].value.p == NULL)
			text.status = STATUS_NO_MEMORY;
	}
	enum status status = items == NULL ? STATUS_NO_MEMORY : text.status;
	buf_free(&text);
	return status;
}

static enum ctl_exit add_settings_json(struct ctl *ctl, const char *path,
				       const struct store_list *list)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	json_tree_text(&tree, root, "file", slice_of(path));
	store_list_json(list, &tree, json_tree_array(&tree, root, "settings"));
	return ctl_add_tree(ctl, &tree);
}

static enum ctl_exit add_settings(struct ctl *ctl, const char *path, const struct store_list *list)
{
	if (path != NULL) {
		buf_add_text(&ctl->out, "configuration file: ");
		ctl_add_escaped(&ctl->out, slice_of(path));
		buf_add_text(&ctl->out, "\n\n");
	} else {
		buf_add_text(&ctl->out, "no configuration file\n\n");
	}
	return ctl_add_list(ctl, list);
}

static enum ctl_exit print_settings(struct ctl *ctl)
{
	struct config config;
	struct config_source source = {0};
	struct store_list list = {0};
	const char *message = NULL;
	enum status status =
		config_read(&ctl->arena, ctl->values[CTL_CONFIG], &config, &source, &message);

	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, NULL, "%s", message);
	if (status == STATUS_OK)
		status = list_settings(&ctl->arena, &config, &source, &list);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	return (ctl_has(ctl, CTL_JSON) ? add_settings_json : add_settings)(ctl, source.path, &list);
}

enum ctl_exit ctl_config(struct ctl *ctl)
{
	bool example = ctl_has(ctl, CTL_EXAMPLE);
	bool manual = ctl_has(ctl, CTL_MANUAL);

	if (!example && !manual)
		return print_settings(ctl);
	if ((example && manual) || ctl_has(ctl, CTL_JSON))
		return ctl_fail(CTL_USAGE, NULL, "%s cannot be combined with %s",
				example ? "--example" : "--manual",
				example && manual ? "--manual" : "--json");
	if (example)
		config_example(&ctl->out);
	else
		config_manual(&ctl->out);
	return CTL_FINE;
}

enum ctl_exit ctl_version(struct ctl *ctl)
{
	struct json_tree tree = {0};

	if (ctl_has(ctl, CTL_JSON)) {
		json_tree_text(&tree, json_tree_object(&tree, NULL, NULL), "version",
			       SLICE(SLUICE_VERSION));
		return ctl_add_tree(ctl, &tree);
	}
	buf_add_text(&ctl->out, "sluicectl " SLUICE_VERSION "\n");
	return CTL_FINE;
}
