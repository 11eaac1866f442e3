/*
 * ctl/key_test.c - sluicectl key test. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"
#include "store/key_change.h"

static enum ctl_exit say(struct ctl *ctl, struct slice json)
{
	enum { ID, MESSAGE_ID, PRODUCT_ORG_ID, CELLS };
	char paths[CELLS][CTL_PATH_BYTES] = {"id", "message_id", "product_org_id"};
	struct slice cells[CELLS];
	enum status status = ctl_find_cells(&ctl->arena, json, paths, CELLS, cells);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	bool of_product_org = cells[PRODUCT_ORG_ID].p != NULL;
	buf_add_text(&ctl->out, of_product_org ? "stored product org update " : "stored signal ");
	ctl_add_escaped(&ctl->out, cells[ID]);
	buf_add_text(&ctl->out, of_product_org ? " of product org " : " with message id ");
	ctl_add_escaped(&ctl->out, cells[of_product_org ? PRODUCT_ORG_ID : MESSAGE_ID]);
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
}

enum ctl_exit ctl_key_test(struct ctl *ctl)
{
	struct slice json;
	int64_t id;
	enum ctl_exit result = ctl_read_id(ctl, "key", &id);

	if (result != CTL_FINE)
		return result;
	enum status status = store_key_test(&ctl->store, id, &json);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_JSON))
		return say(ctl, json);
	return ctl_add_document(ctl, json);
}
