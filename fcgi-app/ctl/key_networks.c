/*
 * ctl/key_networks.c - sluicectl key networks, and --allow of key create. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include "store/key.h"

enum { NETWORKS_BYTES_MAX = 4 << 20 };

enum ctl_exit ctl_read_networks(struct ctl *ctl, struct slice *networks)
{
	struct slice rest = ctl_value(ctl, CTL_ALLOW);
	struct buf json = buf_make(NETWORKS_BYTES_MAX);
	struct json_tree tree = {0};
	struct json_object *array = json_tree_array(&tree, NULL, NULL);

	*networks = SLICE_ABSENT;
	if (rest.p == NULL || slice_equal(rest, SLICE("all"))) {
		json_tree_free(&tree);
		return CTL_FINE;
	}
	/* What is no network, the database says. */
	do
		json_tree_text(&tree, array, NULL, slice_take(&rest, ','));
	while (rest.p != NULL);
	json_tree_write(&tree, &json);
	json_tree_free(&tree);
	*networks = arena_move(&ctl->arena, &json);
	return networks->p == NULL ? ctl_fail_status(ctl, STATUS_NO_MEMORY) : CTL_FINE;
}

enum ctl_exit ctl_key_networks(struct ctl *ctl)
{
	struct store_key key = {0};
	struct slice networks;
	int64_t id;
	enum ctl_exit read = ctl_read_id(ctl, "key", &id);

	if (read == CTL_FINE)
		read = ctl_read_networks(ctl, &networks);
	if (read != CTL_FINE)
		return read;
	enum status status = store_key_networks(&ctl->store, id, networks, &key);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON))
		return ctl_print_item(ctl, &store_key_entity, &key);
	ctl_add_key(&ctl->out, &key);
	buf_add_text(&ctl->out, " works from ");
	if (key.networks.p == NULL)
		buf_add_text(&ctl->out, "everywhere");
	for (size_t i = 1; i + 1 < key.networks.n; i++) {
		char c = key.networks.p[i];
		if (c == ',')
			buf_add_text(&ctl->out, ", ");
		else if (c != '"')
			buf_add_char(&ctl->out, c);
	}
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
}
