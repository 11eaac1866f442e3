/*
 * settings_template.c - payload templates: whether one is right. See settings.h.
 */
#include "settings.h"

#include "template.h"

/* ---- compiling ---- */

static void add_step(struct buf *out, struct slice name)
{
	if (name.p == NULL)
		return;
	if (out->n > 0)
		buf_add_char(out, '.');
	buf_add_slice(out, name);
}

enum status settings_template_compile(struct settings *settings, const char *member,
				      struct slice text, struct template **compiled)
{
	struct template_fault fault;
	struct buf place = buf_make(4096);
	enum status status = template_compile(&settings->arena, text, compiled, &fault);

	if (status == STATUS_OK)
		return status;
	if (status != STATUS_INVALID_TEMPLATE)
		return settings_fail(settings, status, NULL);
	add_step(&place, slice_of(member));
	add_step(&place, fault.field);
	add_step(&place, fault.custom);
	buf_add_char(&place, '\0');
	status = settings_refuse_as(settings, member == NULL ? status : STATUS_INVALID_REQUEST,
				    place.status == STATUS_OK ? place.p : "", fault.message);
	buf_free(&place);
	return status;
}
