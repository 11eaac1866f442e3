/*
 * ctl/config.c - sluicectl config, version. See ctl/ctl.h.
 */
#include "ctl/ctl.h"

static const char *const origins[] = {
	[CONFIG_FROM_DEFAULT] = "default",
	[CONFIG_FROM_FILE] = "file",
	[CONFIG_FROM_ENVIRONMENT] = "environment",
};

static void add_settings_json(struct buf *out, const struct config_source *source,
			      const struct config_setting *settings, size_t count,
			      const struct slice *values)
{
	buf_add_char(out, '{');
	json_write_member(out, "file", slice_of(source->path));
	json_write_member_json(out, "settings", SLICE("["));
	for (size_t i = 0; i < count; i++) {
		json_write_comma(out);
		buf_add_char(out, '{');
		json_write_member(out, "key", slice_of(settings[i].key));
		json_write_member(out, "value", values[i]);
		json_write_member(out, "origin", slice_of(origins[source->origin[i]]));
		buf_add_char(out, '}');
	}
	buf_add_text(out, "]}\n");
}

static enum ctl_exit add_settings(struct ctl *ctl, const struct config_source *source,
				  const struct config_setting *settings, size_t count,
				  const struct slice *values)
{
	static const char *const heads[] = {"SETTING", "VALUE", "ORIGIN"};
	struct slice *cells = arena_array(&ctl->arena, 3 * count, sizeof(*cells));

	if (cells == NULL)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	for (size_t i = 0; i < count; i++) {
		cells[3 * i] = slice_of(settings[i].key);
		cells[3 * i + 1] = values[i];
		cells[3 * i + 2] = slice_of(origins[source->origin[i]]);
	}
	if (source->path != NULL) {
		buf_add_text(&ctl->out, "configuration file: ");
		ctl_add_escaped(&ctl->out, slice_of(source->path));
		buf_add_text(&ctl->out, "\n\n");
	} else {
		buf_add_text(&ctl->out, "no configuration file\n\n");
	}
	ctl_add_table(&ctl->out, heads, 3, cells, count);
	return CTL_FINE;
}

/* The value of each setting as one would write it. */
static enum status format_all(struct arena *arena, const struct config *config,
			      const struct config_setting *settings, size_t count,
			      struct slice **values)
{
	struct buf text = buf_make(1 << 20);

	*values = arena_array(arena, count, sizeof(**values));
	for (size_t i = 0; i < count && *values != NULL && text.status == STATUS_OK; i++) {
		buf_reset(&text, text.size);
		config_format(config, &settings[i], &text);
		(*values)[i] = (struct slice){arena_copy(arena, buf_slice(&text)), text.n};
		if ((*values)[i].p == NULL)
			text.status = STATUS_NO_MEMORY;
	}
	enum status status = *values == NULL ? STATUS_NO_MEMORY : text.status;
	buf_free(&text);
	return status;
}

static enum ctl_exit print_settings(struct ctl *ctl)
{
	struct config config;
	struct config_source source = {0};
	const char *message = NULL;
	size_t count = 0;
	const struct config_setting *settings = config_settings(&count);
	struct slice *values = NULL;
	enum status status =
		config_read(&ctl->arena, ctl->values[CTL_CONFIG], &config, &source, &message);

	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, NULL, "%s", message);
	if (status == STATUS_OK)
		status = format_all(&ctl->arena, &config, settings, count, &values);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_JSON))
		return add_settings(ctl, &source, settings, count, values);
	add_settings_json(&ctl->out, &source, settings, count, values);
	return CTL_FINE;
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
	if (ctl_has(ctl, CTL_JSON)) {
		buf_add_char(&ctl->out, '{');
		json_write_member(&ctl->out, "version", SLICE(SLUICE_VERSION));
		buf_add_text(&ctl->out, "}\n");
	} else {
		buf_add_text(&ctl->out, "sluicectl " SLUICE_VERSION "\n");
	}
	return CTL_FINE;
}
