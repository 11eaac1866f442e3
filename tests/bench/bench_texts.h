/*
 * bench_texts.h - what the benchmarks of single modules read: the seed request, and a payload
 * template of ten fields with a call of Segment's "group" for it.
 */
#ifndef BENCH_TEXTS_H
#define BENCH_TEXTS_H

#define BENCH_SEED                                                                                 \
	"{\"email\": \"lead@example.com\", \"event\": \"form_submission\", \"properties\": "       \
	"{\"form_name\": \"Contact Form\", \"page_url\": \"https://yoursite.com/contact\"}}"

#define BENCH_TEN_FIELDS                                                                           \
	"{\"product_org_id\":\"groupId\",\"name\":\"traits.name\",\"plan_id\":\"traits.plan_id\"," \
	"\"plan_name\":\"traits.plan\",\"user_count\":\"traits.user_count\",\"mrr\":\"traits."     \
	"mrr\","                                                                                   \
	"\"trial_status\":\"traits.trial_status\",\"last_active_at\":\"timestamp\","               \
	"\"feature_flags\":\"traits.feature_flags\",\"custom\":{\"industry\":\"traits.industry\"}" \
	"}"

#define BENCH_GROUP_CALL                                                                           \
	"{\"type\":\"group\",\"messageId\":\"ajs-next-1731578400000-7d6f1c9e\",\"userId\":"        \
	"\"user-4711\",\"groupId\":\"acct-2077\",\"traits\":{\"name\":\"Example "                  \
	"Ltd\",\"industry\":"                                                                      \
	"\"Logistics\",\"employees\":329,\"website\":\"https://www.example.com\",\"plan\":"        \
	"\"Enterprise\",\"plan_id\":\"ent-annual\",\"user_count\":42,\"mrr\":\"129900\",\"trial_"  \
	"status\":"                                                                                \
	"\"converted\",\"feature_flags\":{\"beta_reports\":true,\"seats\":50},\"createdAt\":"      \
	"\"2021-03-04T09:00:00.000Z\"},\"context\":{\"library\":{\"name\":\"@segment/"             \
	"analytics-node\","                                                                        \
	"\"version\":\"2.1.3\"},\"ip\":\"192.0.2.7\"},\"integrations\":{},\"timestamp\":"          \
	"\"2026-11-14T10:00:00.250Z\",\"sentAt\":\"2026-11-14T10:00:01.004Z\",\"receivedAt\":"     \
	"\"2026-11-14T10:00:01.310Z\",\"originalTimestamp\":\"2026-11-14T10:00:00.249Z\"}"

#endif
