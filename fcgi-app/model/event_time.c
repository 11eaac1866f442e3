/*
 * model/event_time.c - see model/event_time.h.
 */
#include "model/event_time.h"

#include "base/timestamp.h"
#include "base/unicode.h"
#include "json/text.h"

#define YEAR_1990_US (INT64_C(631152000) * 1000000)

static const char unreadable[] =
	"is not a valid timestamp: neither ISO 8601 nor RFC 2822 nor Unix time";

static const char early[] = "lies before 1990";

/* Why a text or number is no timestamp, when the reader has left *us as base/timestamp.h says. */
static const char *why_not(int64_t us)
{
	return us < 0 ? early : unreadable;
}

const char *event_time_of_text(struct slice text, int64_t *us)
{
	/* Nearly all have no blanks around them. */
	return timestamp_read(text, us) || timestamp_read(unicode_trim(text), us) ? NULL
										  : why_not(*us);
}

enum status event_time_read(struct arena *arena, struct slice value, int64_t *us,
			    const char **reason)
{
	struct slice text = SLICE_ABSENT;

	*reason = unreadable;
	if (*value.p != '"') {
		if (json_text_is_number(value))
			*reason = timestamp_of_number(value, us) ? NULL : why_not(*us);
		return STATUS_OK;
	}
	enum status status = json_text_string(arena, value, &text);
	if (status == STATUS_OK)
		*reason = event_time_of_text(text, us);
	return status;
}

const char *event_time_fault(int64_t us, int64_t received_us)
{
	if (us < YEAR_1990_US)
		return early;
	if (us - received_us > EVENT_TIME_DAY_US)
		return "lies more than a day ahead of receipt";
	return NULL;
}
