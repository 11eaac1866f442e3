// types.d.ts - the shapes of what the API answers and takes, and of what modules hand to each
// other. Only tests/lint-page reads it: no module loads it, and it is not installed.

import type { Api, JsonText } from './api.js';
import type { Digits } from './json.js';

// ---- JSON ----

/** A number; one that JavaScript would not write the same keeps its digits (json.js). */
export type Integer = number | Digits;
export type Id = Integer;
/** RFC 3339, in UTC. */
export type Timestamp = string;
export type Json = null | boolean | number | string | Digits | Json[] | JsonObject;
export type JsonObject = { [name: string]: Json };

// ---- what the API answers and takes ----

export type Role = 'owner' | 'admin' | 'editor' | 'viewer';
export type EndpointType = 'signal_staging' | 'product_orgs';
export type KeyStatus = 'active' | 'expired' | 'deactivated';
export type StagingStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'skipped'
	| 'permanently_failed';
export type StatisticsWindow = '24h' | '7d' | '30d';

/** An organization, as one of its members sees it. */
export interface Organization {
	id: Id;
	name: string;
	role: Role;
	may_manage_keys: boolean;
}

export interface Me {
	user: string;
	/** How the web server has signed the user in: `Basic`. */
	auth_type: string;
	csrf_token: string;
	csrf_expires_at: Timestamp;
	/** At least one: without any, the answer is the problem `not_a_member`. */
	organizations: [Organization, ...Organization[]];
}

export interface Key {
	id: Id;
	organization: string;
	name: string;
	/** The beginning and the end of the key. */
	display: string;
	endpoint_type: EndpointType;
	has_secret: boolean;
	status: KeyStatus;
	/** Null: never. */
	expires_at: Timestamp | null;
	created_at: Timestamp;
	created_by: string | null;
	last_used_at: Timestamp | null;
	deactivated_at: Timestamp | null;
	deactivated_by: string | null;
	last_refused_at: Timestamp | null;
	last_refused_reason: string | null;
	payload_template: JsonObject | null;
	/** Null: the members that all senders share. */
	delivery_id_member: string | null;
	/** The key that this one replaces by rotation. */
	successor_of: Id | null;
	/** The key that replaces this one. */
	successor: Id | null;
	secret_made_at: Timestamp | null;
	/** Until then the previous secret is valid, too. */
	old_secret_until: Timestamp | null;
	/** Until then requests are accepted without the secret, too. */
	secret_needed_from: Timestamp | null;
	/** That requests are accepted from; null: everywhere. */
	networks: string[] | null;
}

/** What is to be changed of a key. */
export interface KeyEdit {
	name?: string;
	expires_at?: Timestamp | null;
	payload_template?: JsonText;
	networks?: string[] | null;
}

export type SecretAction = 'enable' | 'rotate' | 'retire' | 'remove';

/** A key whose secret was changed; in clear if a new one was made. */
export interface ChangedSecret extends Key {
	secret: string | null;
}

/** A key to be created. */
export interface NewKey {
	name: string;
	endpoint_type: EndpointType;
	expires_at: Timestamp | null | undefined;
	secret: boolean;
	payload_template: JsonText | null;
	delivery_id_member: string | null;
	networks: string[] | null;
}

/** The answer to a creation: the only one with key and secret in clear. */
export interface CreatedKey extends Key {
	key: string;
	secret: string | null;
	webhook_path: string;
	/** To paste, curl first; for product orgs the body is the file `payload.json`. */
	snippets: { name: string; title: string; text: string }[];
}

/** A value of a payload that a template could not use. */
export interface Warning {
	field: string;
	reason: string;
}

export interface Signal {
	id: Id;
	received_at: Timestamp;
	occurred_at: Timestamp | null;
	source: string;
	event_type: string | null;
	event_name: string | null;
	email: string | null;
	user_id: string | null;
	anonymous_id: string | null;
	message_id: string | null;
	status: StagingStatus | 'cold_storage';
	error: string | null;
	key_id: Id;
	key_name: string | null;
	request_id: string | null;
	payload_bytes: number;
	/** Null when it is too large for a list. */
	payload: Json;
}

/** What a product org's latest update says. */
export interface ProductOrgState {
	product_org_id: string;
	name: string | null;
	plan_id: string | null;
	plan_name: string | null;
	user_count: Integer | null;
	/** In the smallest unit of the currency. */
	mrr: Integer | null;
	/** In the currency: "1299.00". */
	mrr_amount: string | null;
	/** ISO 4217. */
	currency: string;
	trial_status: string | null;
	last_active_at: Timestamp | null;
	feature_flags: Json;
	custom: Json;
	received_at: Timestamp;
	/** Of the update. */
	id: Id;
	key_id: Id;
	key_name: string | null;
}

/** One update of a product org: what it says, and what became of it. */
export interface ProductOrg extends ProductOrgState {
	warnings: Warning[];
	status: StagingStatus;
	error: string | null;
	request_id: string | null;
	/** Null when it is too large for a list. */
	payload: Json;
}

/** A bad item of a batch, or an unreadable body, that is kept. */
export interface Reject {
	id: Id;
	received_at: Timestamp;
	organization: string;
	key_id: Id;
	key_name: string | null;
	source: string | null;
	kind: string;
	code: string;
	/** The code in words. */
	why: string;
	detail: string;
	/** Of the item in its batch, from 0. */
	position: number | null;
	payload_bytes: number;
	request_id: string | null;
	/** The first bytes, as text. */
	preview: string;
	truncated: boolean;
	/** Where the payload is bad, from 0. */
	bad_byte: number | null;
	/** The same for people, unless it is behind what is kept. */
	place: Place | null;
	state: 'open' | 'replayed' | 'discarded';
	replayed_at: Timestamp | null;
	replayed_by: string | null;
	discarded_at: Timestamp | null;
	discarded_by: string | null;
}

/** One with all its bytes. */
export interface WholeReject {
	reject: Reject;
	/** The bytes as text. */
	payload: string;
	/** Whether the text is all of the bytes: what is not UTF-8 is U+FFFD in it. */
	exact: boolean;
	/** Whether all is kept that arrived. */
	whole: boolean;
}

/** What would become of a payload if it were replayed. */
export interface RejectTrial {
	good: boolean;
	/** How many rows would be stored. */
	items: number;
	error?: { code: string; why: string; detail: string; place: Place | null };
}

/** The open rejects with a reason and a key. */
export interface RejectKind {
	code: string;
	why: string;
	key_id: Id;
	key_name: string | null;
	key_status: KeyStatus | null;
	open: number;
	/** The latest. */
	until: Id;
	last_at: Timestamp;
}

/** A place in a payload: the bad character, with what stands around it in its line. */
export interface Place {
	line: number;
	column: number;
	before: string;
	/** Empty where the payload ends. */
	bad: string;
	after: string;
}

/** Signals of one source in one bucket of time. */
export interface SeriesEntry {
	at: Timestamp;
	source: string;
	signals: number;
}

export interface Statistics {
	window: StatisticsWindow;
	from: Timestamp;
	to: Timestamp;
	as_of: Timestamp;
	bucket_seconds: number;
	totals: Partial<Record<StagingStatus, number>>;
	cold_storage: number;
	rejected: number;
	duplicates: number;
	series: SeriesEntry[];
}

export interface MonthUsage {
	/** YYYY-MM */
	month: string;
	signals: number;
	duplicates: number;
}

export interface Usage extends MonthUsage {
	/** 0: unlimited. */
	signal_limit: Integer;
	overages: boolean;
	/** Of product orgs' money, ISO 4217. */
	currency: string;
	/** The latest first. */
	months: MonthUsage[];
	/** The `before` of the months that follow; null at the end. */
	next: string | null;
}

export interface Member {
	user: string;
	role: Role;
	added_at: Timestamp;
	added_by: string;
}

export type Scope = 'read' | 'keys' | 'rejects' | 'organization';
export type TokenStatus = 'active' | 'expired' | 'revoked';

/** By which a program uses this API. */
export interface Token {
	id: Id;
	organization: string;
	name: string;
	/** The beginning and the end of the token. */
	display: string;
	/** For whom it acts. */
	user: string;
	scopes: Scope[];
	status: TokenStatus;
	expires_at: Timestamp;
	last_used_at: Timestamp | null;
	created_at: Timestamp;
	created_by: string;
	revoked_at: Timestamp | null;
	revoked_by: string | null;
}

/** With the token itself. */
export interface CreatedToken extends Token {
	token: string;
	/** A first request with it, to paste. */
	curl: string;
}

export interface AuditEntry {
	id: Id;
	occurred_at: Timestamp;
	actor: string;
	action: string;
	object_kind: string;
	object_id: string;
	details: JsonObject | null;
}

/** An entry about one key, with its template in lines where that was changed. */
export interface KeyChange extends AuditEntry {
	template_before: string | null;
	template_after: string | null;
}

/** Requests with one key that were refused for one reason. */
export interface Refusal {
	/** An outcome of intake, such as `secret_missing`. */
	reason: string;
	/** What the sender was answered. */
	http_status: number;
	code: string;
	why: string;
	/** What to do about it. */
	advice: string;
	requests: Integer;
	requests_today: Integer;
	/** YYYY-MM-DD, UTC */
	first_day: string;
	last_at: Timestamp;
}

export interface Refusals {
	/** The latest reason first. */
	refusals: Refusal[];
	last_used_at: Timestamp | null;
	/** For a key with which nothing can arrive, or nothing has. */
	advice: string | null;
}

/** What came with a key today and on the six days before (UTC). */
export interface KeyVolume {
	key_id: Id;
	key_name: string;
	accepted_today: Integer;
	accepted_7_days: Integer;
	/** The oldest day first, seven of them. */
	accepted_by_day: Integer[];
	/** Bad items, and bodies that could not be read. */
	rejected_today: Integer;
	rejected_7_days: Integer;
	/** Requests. */
	refused_today: Integer;
	refused_7_days: Integer;
	last_accepted_at: Timestamp | null;
	last_rejected_at: Timestamp | null;
	last_refused_at: Timestamp | null;
}

/** What a template makes of one item of a payload: a row, or the error that would reject it. */
export interface Trial {
	row?: JsonObject;
	warnings?: Warning[];
	error?: { code: string; detail: string };
}

/** What is wrong with one member of a request: "name", "payload_template.custom.seats". */
export interface FieldError {
	place: string;
	/** A word for programs, such as `missing`. */
	code: string;
	detail: string;
}

/** The members of an RFC 9457 problem that the page reads. */
export interface ProblemMembers {
	status?: number;
	code?: string;
	title?: string;
	detail?: string;
	errors?: FieldError[];
	request_id?: string;
	/** What is shown is no longer so: the page has to be loaded anew. */
	stale?: boolean;
	/** A change may have been made all the same. */
	lost?: boolean;
}

/** Part of a list, the newest entry first; `next` is the `before` of the part that follows. */
type Part<Name extends string, Row> = Record<Name, Row[]> & { next: Id | null };

/** What a search has found so far. */
type Found<Name extends string, Row> = Record<Name, Row[]> & {
	/** The `before` of what follows; null at the end. */
	next: Id | string | null;
	/** How far the search has come, if not to the end. */
	searched_until: Timestamp | null;
};

/** The answers of GET by path, below /api/settings/. */
export interface Gets {
	me: Me;
	keys: Part<'keys', Key>;
	[key: `keys/${string}`]: Key;
	/** `live` is the `since` of a later request. */
	signals: Found<'signals', Signal> & { live: string };
	'product-orgs': Found<'product_orgs', ProductOrg>;
	/** By their ids. */
	'product-org-states': { product_orgs: ProductOrgState[]; next: string | null };
	rejects: Found<'rejects', Reject>;
	[reject: `rejects/${string}`]: WholeReject;
	'reject-kinds': { kinds: RejectKind[]; next: string | null };
	statistics: Statistics;
	usage: Usage;
	/** Of the keys that `keys` answers to the same query, or of the one that was asked for. */
	'key-volumes': Part<'volumes', KeyVolume> & { as_of: Timestamp; first_day: string };
	/** The owner first. */
	members: { members: Member[]; next: string | null };
	tokens: Part<'tokens', Token>;
	audit: Part<'entries', AuditEntry>;
}

/** The answers of GET below `keys/{id}/`. */
export interface OfKey {
	history: Part<'entries', KeyChange>;
	refusals: Refusals;
	/** The latest that came with the key; nulls if there is none. */
	payload: { received_at: Timestamp | null; payload: Json };
}

/** Bodies and answers of POST by path. */
export interface Posts {
	keys: { body: NewKey; answer: CreatedKey };
	[edit: `keys/${string}/edit`]: { body: KeyEdit; answer: Key };
	[rotate: `keys/${string}/rotate`]: {
		body: { overlap_seconds: number; expires_at?: Timestamp | null | undefined };
		answer: CreatedKey;
	};
	[secret: `keys/${string}/secret`]: {
		body: { action: SecretAction; overlap_seconds?: number };
		answer: ChangedSecret;
	};
	[deactivate: `keys/${string}/deactivate`]: { body: Record<string, never>; answer: Key };
	members: { body: { user: string; role: Role }; answer: Member };
	'members/role': { body: { user: string; role: Role }; answer: Member };
	'members/remove': { body: { user: string }; answer: { user: string; removed: boolean } };
	currency: { body: { currency: string }; answer: Usage };
	tokens: {
		body: { name: string; scopes: Scope[]; expires_at: Timestamp };
		answer: CreatedToken;
	};
	[revoke: `tokens/${string}/revoke`]: { body: Record<string, never>; answer: Token };
	limit: { body: { signal_limit?: JsonText; overages?: boolean }; answer: Usage };
	[trial: `rejects/${string}/try`]: { body: { payload?: string }; answer: RejectTrial };
	[replay: `rejects/${string}/replay`]: {
		body: { payload?: string; again?: boolean };
		answer: { id: Id; ids: Id[]; edited: boolean };
	};
	[discard: `rejects/${string}/discard`]: { body: Record<string, never>; answer: { id: Id } };
	/** As many as there is time for; `next` is the `after` with which to go on. */
	'replay-rejects': {
		body: { code: string; key_id: Id; until: Id; after?: Id | undefined };
		answer: { replayed: number; failed: { id: Id; code: string; detail: string }[];
			next: Id | null };
	};
	'find-key': { body: { key_hash: string }; answer: { key: Key | null } };
	'templates/try': {
		body: { payload_template: JsonText; payload: JsonText };
		answer: { results: Trial[] };
	};
}

/** Members that are null or empty are left out. */
export type Query = Record<string, string | Integer | null | undefined>;

// ---- elements (dom.js) ----

export type Child = Node | string | null | undefined | Child[];

/** Opens a dialog whose button sends something, and shows what was wrong with it. */
export type Ask = (options: {
	title: string;
	body: Child;
	label: string;
	danger?: boolean;
	send: () => Promise<unknown>;
	done: () => void;
	/** Shows what is wrong at its fields; whether that was all. */
	complain?: (faults: Record<string, string>) => boolean;
}) => void;

type Handlers<Target> = {
	[Type in keyof HTMLElementEventMap]?:
		(event: HTMLElementEventMap[Type] & { currentTarget: Target }) => void;
};

/** Null, undefined and false leave an attribute out, true gives it an empty value. */
export type Attributes<Target> = { on?: Handlers<Target> | undefined }
	& { [name: string]: string | Integer | boolean | null | undefined | Handlers<Target> };

// ---- views (main.js) ----

/** What a view is rendered with. */
export interface ViewContext {
	api: Api;
	/** The element that the view fills. */
	root: HTMLElement;
	/** Aborts when the view is left. */
	signal: AbortSignal;
	/** Of the address. */
	parameters: URLSearchParams;
	organization: Organization;
	/** The name of the user. */
	user: string;
	/** Parameters that every address of this view keeps. */
	fixed: Query;
}

export interface View {
	name: string;
	label: string;
	/** Whether the view is for those who may manage keys only. */
	manages?: boolean;
	load(): Promise<{ render(context: ViewContext): void }>;
}

// ---- tables (table.js) ----

export interface Column<Row> {
	label: string;
	class?: string;
	/** Whether the label is for screen readers only. */
	silent?: boolean;
	cell(row: Row): Child;
}

export interface TableOptions<Row> {
	caption: string;
	columns: Column<Row>[];
	/** What the row is about, in words: completes "Details of …". */
	about(row: Row): string;
	/** What an opened row shows; called when it is first opened. */
	detail(row: Row): Child;
}

/** Rows to be shown, and the `before` with which to load those that follow. */
export interface Page<Row> {
	rows: Row[];
	next: Id | string | null;
}

export interface PageOptions<Row> {
	load(before: Id | string | null): Promise<Page<Row>>;
	/** Makes what is shown instead of a list without rows. */
	nothing(): Node | Node[];
	signal: AbortSignal;
}

export interface PagedTableOptions<Row> extends TableOptions<Row>, PageOptions<Row> {}

// ---- dialogs (dialog.js) ----

export interface DialogOptions {
	title: string;
	body: Child;
	foot: Child;
	class?: string;
	/** Called instead of closing the dialog when Escape is pressed: only close() does. */
	keep?(): void;
	/** Closes the dialog when it aborts. */
	signal?: AbortSignal;
	/** Called once, however the dialog was closed. */
	closed?(): void;
}

export interface Dialog {
	element: HTMLDialogElement;
	close(): void;
}
