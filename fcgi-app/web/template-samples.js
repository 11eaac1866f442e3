// @ts-check
// template-samples.js - templates to start from, each with a payload: the files of
// deploy/templates, word for word (a test compares them). They are texts, because 64-bit numbers
// are among them.

/** @type {Record<string, { label: string, template: string, payload: string }>} */
export const SAMPLES = {
	'segment-group': {
		label: 'Segment group call',
		template: String.raw`{
  "product_org_id": "groupId",
  "name": "traits.name",
  "plan_id": "traits.plan_id",
  "plan_name": "traits.plan",
  "user_count": "traits.user_count",
  "mrr": "traits.mrr",
  "trial_status": "traits.trial_status",
  "last_active_at": "timestamp",
  "feature_flags": "traits.feature_flags",
  "custom": {
    "industry": "traits.industry",
    "employees": "traits.employees",
    "website": "traits.website",
    "created_at": "traits.createdAt"
  }
}`,
		payload: String.raw`{
  "type": "group",
  "messageId": "ajs-next-1731578400000-7d6f1c9e",
  "userId": "user-4711",
  "groupId": "acct-2077",
  "traits": {
    "name": "Example Ltd",
    "industry": "Logistics",
    "employees": 329,
    "website": "https://www.example.com",
    "plan": "Enterprise",
    "plan_id": "ent-annual",
    "user_count": 42,
    "mrr": 129900,
    "trial_status": "converted",
    "feature_flags": { "beta_reports": true, "seats": 50 },
    "createdAt": "2021-03-04T09:00:00.000Z"
  },
  "context": { "library": { "name": "@segment/analytics-node", "version": "2.1.3" } },
  "integrations": {},
  "timestamp": "2026-11-14T10:00:00.250Z",
  "sentAt": "2026-11-14T10:00:01.004Z",
  "receivedAt": "2026-11-14T10:00:01.310Z",
  "originalTimestamp": "2026-11-14T10:00:00.249Z"
}`,
	},
	'rudderstack-group': {
		label: 'RudderStack group call',
		template: String.raw`{
  "product_org_id": "groupId",
  "name": "traits.name",
  "plan_id": "traits.plan_id",
  "plan_name": "traits.plan",
  "user_count": "traits.user_count",
  "mrr": "traits.mrr",
  "trial_status": "traits.trial_status",
  "last_active_at": "originalTimestamp",
  "feature_flags": "traits.feature_flags",
  "custom": {
    "industry": "traits.industry",
    "employees": "traits.employees",
    "website": "traits.website",
    "created_at": "traits.createdAt"
  }
}`,
		payload: String.raw`[
  {
    "type": "group",
    "channel": "server",
    "messageId": "5a1d1c54-c9f0-4f3a-9b62-bc041d1c54c9",
    "userId": "user-4711",
    "groupId": "acct-2077",
    "traits": {
      "name": "Example Ltd",
      "industry": "Logistics",
      "employees": "329",
      "plan": "Team",
      "user_count": "17",
      "mrr": "49900",
      "trial_status": "active",
      "feature_flags": { "beta_reports": false }
    },
    "context": { "library": { "name": "RudderLabs Node SDK", "version": "2.0.9" } },
    "originalTimestamp": "2026-11-14T10:00:00.250Z",
    "sentAt": "2026-11-14T10:00:01.004Z"
  },
  {
    "type": "group",
    "channel": "server",
    "messageId": "0c7d55de-6f8b-4b0f-a1e5-21d3b3f5a6aa",
    "userId": "user-12",
    "groupId": 31415,
    "traits": { "name": "Second Example", "plan": "Free", "mrr": 0 },
    "originalTimestamp": "2026-11-14T11:00:00+01:00"
  }
]`,
	},
	'hightouch-rows': {
		label: 'Hightouch rows',
		template: String.raw`{
  "product_org_id": "account_id",
  "name": "account_name",
  "plan_id": "plan_id",
  "plan_name": "plan_name",
  "user_count": "active_users",
  "mrr": "mrr_cents",
  "trial_status": "trial_status",
  "last_active_at": "last_active_at",
  "feature_flags": "feature_flags",
  "custom": {
    "projects": "total_projects",
    "region": "region"
  }
}`,
		payload: String.raw`[
  {
    "account_id": 9007199254740993,
    "account_name": "Example Ltd",
    "plan_id": 7,
    "plan_name": "Enterprise",
    "active_users": 42,
    "mrr_cents": "129900",
    "trial_status": null,
    "last_active_at": "2026-11-14 10:00:00",
    "feature_flags": { "beta_reports": true },
    "total_projects": 12,
    "region": "eu-central"
  },
  {
    "account_id": 9007199254740995,
    "account_name": "Second Example",
    "plan_id": 1,
    "plan_name": "Free",
    "active_users": 1,
    "mrr_cents": 0.0,
    "trial_status": "expired",
    "last_active_at": "2026-11-13",
    "feature_flags": {},
    "total_projects": 0,
    "region": "us-east"
  }
]`,
	},
	script: {
		label: 'Your own script',
		template: String.raw`{
  "product_org_id": "product_org_id",
  "name": "name",
  "plan_id": "plan_id",
  "plan_name": "plan_name",
  "user_count": "user_count",
  "mrr": "mrr",
  "trial_status": "trial_status",
  "last_active_at": "last_active_at",
  "feature_flags": "feature_flags"
}`,
		payload: String.raw`{
  "product_org_id": "acct-2077",
  "name": "Example Ltd",
  "plan_id": "ent-annual",
  "plan_name": "Enterprise",
  "user_count": 42,
  "mrr": 129900,
  "trial_status": "none",
  "last_active_at": 1794650400,
  "feature_flags": { "beta_reports": true }
}`,
	},
};
