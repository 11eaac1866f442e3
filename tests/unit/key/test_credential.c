/*
 * test_credential.c - keys and secrets. The vectors were computed with Python's zlib.crc32 and
 * hashlib, not with the code under test.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"
#include "key/credential.h"

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct {
	const char *key;
	bool sound;
} keys[] = {
	{"sk_Sluice0Test1Key2That3Nobody4Uses31E9ZB", true},
	{"sk_0000000000000000000000000000000030OBQY", true},
	{"sk_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz4RCg9w", true},
	{"sk_0123456789ABCDEFGHIJKLMNOPQRSTUV1cwdir", true},
	{"sk_0000000000000000000000000000037600LLft", true},
	{"sk_Sluice0Test1Key2That3Nobody4Uses31E9Z", false},
	{"sk_Sluice0Test1Key2That3Nobody4Uses31E9ZB0", false},
	{"sk_Sluice0Test1Key2That3Nobody4Uses31E9 ", false},
	{"sk_Sluice0Test1Key2That3Nobody4Use12A9kx", false},
	{"sk_4luice0Test1Key2That3Nobody4UsesA0wKWHl", false},
	{"SK_4luice0Test1Key2That3Nobody4Uses2TY8La", false},
	{"pk_4luice0Test1Key2That3Nobody4Uses3xmG03", false},
	{"sk-4luice0Test1Key2That3Nobody4Uses1jS7wv", false},
	{"sk_Sluice0Test1Key2That3Nobody4Use_2kaRL8", false},
	{"sk_Sluice0Test1Key2That3Nobody4Use-0jeTjm", false},
	{"sk_Sluice0Test1Key2That3Nobody4Use/3d4aBC", false},
	{"sk_Sluice0Test1Key2That3Nobody4Use:39B6Sb", false},
	{"sk_Sluice0Test1Key2That3Nobody4Use@0Utbsl", false},
	{"sk_Sluice0Test1Key2That3Nobody4Use[2f0JIR", false},
	{"sk_Sluice0Test1Key2That3Nobody4Use`0aiyE3", false},
	{"sk_Sluice0Test1Key2That3Nobody4Use{37IBPX", false},
	{"sk_ luice0Test1Key2That3Nobody4Uses1A3ga1", false},
	{" sk_Sluice0Test1Key2That3Nobody4Uses31E9Z", false},
	{"sk_sluice0test1key2that3nobody4uses31e9zb", false},
	{"sk_Sluice0Test1Key2That3Nobody4Uses000000", false},
	{"", false},
	{"sk_", false},
};

START_TEST(fixed_keys)
{
	ck_assert_uint_le(strlen(keys[_i].key), 42);
	ck_assert_msg(credential_key_is_sound(slice_of(keys[_i].key)) == keys[_i].sound, "%s",
		      keys[_i].key);
}
END_TEST

START_TEST(absent_key_is_not_sound)
{
	ck_assert(!credential_key_is_sound(slice_of(NULL)));
}
END_TEST

/* Whatever single byte is changed, at whatever place. */
START_TEST(every_change_is_refused)
{
	char key[CREDENTIAL_KEY_CHARS + 1];

	memcpy(key, keys[0].key, sizeof(key));
	for (int byte = 0; byte < 256; byte++) {
		key[_i] = (char)byte;
		bool same = key[_i] == keys[0].key[_i];
		ck_assert_msg(credential_key_is_sound((struct slice){key, CREDENTIAL_KEY_CHARS}) ==
				      same,
			      "byte %d at %d", byte, _i);
	}
}
END_TEST

/* CRC-32 finds every request of two neighbours that differ. */
START_TEST(swapped_neighbours_are_refused)
{
	char key[CREDENTIAL_KEY_CHARS + 1];

	memcpy(key, keys[0].key, sizeof(key));
	char kept = key[_i];
	key[_i] = key[_i + 1];
	key[_i + 1] = kept;
	ck_assert(credential_key_is_sound(slice_of(key)) == (key[_i] == key[_i + 1]));
}
END_TEST

START_TEST(made_keys_are_sound_and_differ)
{
	char first[CREDENTIAL_KEY_CHARS + 1];
	char second[CREDENTIAL_KEY_CHARS + 1];

	ck_assert_int_eq(credential_make_key(first), STATUS_OK);
	ck_assert_int_eq(credential_make_key(second), STATUS_OK);
	ck_assert_uint_eq(strlen(first), 41);
	ck_assert_uint_eq(strspn(first + 3, base62), 38);
	ck_assert(credential_key_is_sound(slice_of(first)));
	ck_assert(credential_key_is_sound(slice_of(second)));
	ck_assert(!credential_key_is_sound((struct slice){first, 40}));
	ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(made_secrets_have_their_form)
{
	char first[CREDENTIAL_SECRET_CHARS + 1];
	char second[CREDENTIAL_SECRET_CHARS + 1];

	ck_assert_int_eq(credential_make_secret(first), STATUS_OK);
	ck_assert_int_eq(credential_make_secret(second), STATUS_OK);
	ck_assert_uint_eq(strlen(first), 44);
	ck_assert_int_eq(strncmp(first, "whs_", 4), 0);
	ck_assert_uint_eq(strspn(first + 4, base62), 40);
	ck_assert_str_ne(first, second);
}
END_TEST

/*
 * 50,000 secrets give 2,000,000 digits, 32,258 of each on average with a standard deviation of
 * 178. Eight of them are passed by chance once in 10^13 runs; without rejection sampling the first
 * eight digits would come 23 % too often.
 */
START_TEST(digits_are_spread_evenly)
{
	enum { SECRETS = 50000, EXPECTED = SECRETS * 40 / 62, SLACK = 8 * 178 };
	int counts[256] = {0};

	for (int i = 0; i < SECRETS; i++) {
		char secret[CREDENTIAL_SECRET_CHARS + 1];
		enum status status = credential_make_secret(secret);
		if (status != STATUS_OK)
			ck_abort_msg("%s", status_name(status));
		for (const char *c = secret + 4; *c != '\0'; c++)
			counts[(unsigned char)*c]++;
	}
	for (const char *c = base62; *c != '\0'; c++) {
		int count = counts[(unsigned char)*c];
		ck_assert_msg(count > EXPECTED - SLACK && count < EXPECTED + SLACK,
			      "'%c' came %d times", *c, count);
	}
}
END_TEST

static const struct {
	const char *text;
	size_t repeat;
	const char *hex;
} hashes[] = {
	{"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	{"a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
	{"a", 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
	{"a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
	{"sk_Sluice0Test1Key2That3Nobody4Uses31E9ZB", 1,
	 "29647fbeed3b666079be3b87ec9b87fdffbabe57b73b0552470859fb1c4e6152"},
};

START_TEST(known_hashes)
{
	struct buf text = buf_make(2000000);
	struct credential_hash hash;
	char hex[2 * CREDENTIAL_HASH_BYTES + 1];

	for (size_t i = 0; i < hashes[_i].repeat; i++)
		buf_add_text(&text, hashes[_i].text);
	ck_assert_int_eq(credential_hash(buf_slice(&text), &hash), STATUS_OK);
	for (size_t i = 0; i < CREDENTIAL_HASH_BYTES; i++) {
		hex[2 * i] = "0123456789abcdef"[hash.bytes[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[hash.bytes[i] & 15];
	}
	hex[sizeof(hex) - 1] = '\0';
	ck_assert_str_eq(hex, hashes[_i].hex);
	buf_free(&text);
}
END_TEST

START_TEST(display_shows_both_ends)
{
	char display[CREDENTIAL_DISPLAY_BYTES + 1];

	credential_display(slice_of(keys[0].key), display);
	ck_assert_str_eq(display, "sk_Slui\xe2\x80\xa6"
				  "E9ZB");
}
END_TEST

static const size_t random_sizes[] = {0, 1, 12, 31, 1000};

START_TEST(random_fills_exactly)
{
	size_t n = random_sizes[_i];
	unsigned char bytes[1002];
	unsigned char seen[1000] = {0};

	/* A byte that stays zero in 64 rounds was not written (by chance: 2^-512). */
	for (int round = 0; round < 64; round++) {
		memset(bytes, 0, sizeof(bytes));
		ck_assert_int_eq(credential_random(bytes + 1, n), STATUS_OK);
		ck_assert_uint_eq(bytes[0], 0);
		ck_assert_uint_eq(bytes[n + 1], 0);
		for (size_t i = 0; i < n; i++)
			seen[i] |= bytes[i + 1];
	}
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_ne(seen[i], 0);
}
END_TEST

START_TEST(random_refuses_what_openssl_cannot_count)
{
	unsigned char byte = 7;

	ck_assert_int_eq(credential_random(&byte, (size_t)INT32_MAX + 1), STATUS_INTERNAL);
	ck_assert_uint_eq(byte, 7);
}
END_TEST

enum { NAMES = 150 }; /* more than are drawn at a time */

static void draw_names(unsigned char (*names)[CREDENTIAL_UNIQUE_BYTES])
{
	for (int i = 0; i < NAMES; i++)
		ck_assert_int_eq(credential_unique(names[i]), STATUS_OK);
}

START_TEST(no_two_names_are_equal)
{
	unsigned char names[3 * NAMES][CREDENTIAL_UNIQUE_BYTES];
	size_t size = NAMES * sizeof(names[0]);
	int ends[2];

	draw_names(names);
	ck_assert_int_eq(pipe(ends), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	draw_names(names + NAMES);
	if (child == 0)
		_exit(write(ends[1], names + NAMES, size) == (ssize_t)size ? 0 : 1);
	ck_assert_int_eq(read(ends[0], names + (size_t)2 * NAMES, size), (ssize_t)size);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	for (int i = 0; i < 3 * NAMES; i++) {
		for (int j = 0; j < i; j++)
			ck_assert_mem_ne(names[i], names[j], sizeof(names[0]));
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

START_TEST(forgotten_is_gone)
{
	char secret[] = "xsecretx";

	credential_forget(secret + 1, 6);
	ck_assert_mem_eq(secret, "x\0\0\0\0\0\0x", 9);
	credential_forget(secret, 0);
	ck_assert_int_eq(secret[0], 'x');
}
END_TEST

/* ---- tokens ---- */

/* Of Python's hmac, over "1893456000 olga". */
#define TOKEN "1893456000.e7fda1ef6eeb3bd19a3e615b2300dd9e8a41c0b68256d7b468d2b165d31d26e5"

static struct credential_token_key token_key(void)
{
	struct credential_token_key key;

	for (size_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = (unsigned char)i;
	return key;
}

START_TEST(a_token_is_its_users_until_its_end)
{
	const struct credential_token_key key = token_key();
	char token[CREDENTIAL_TOKEN_CHARS + 1];

	ck_assert_int_eq(credential_make_token(&key, SLICE("olga"), 1893456000, token), STATUS_OK);
	ck_assert_str_eq(token, TOKEN);
	ck_assert(credential_token_is_good(&key, SLICE("olga"), 0, slice_of(token)));
	ck_assert(credential_token_is_good(&key, SLICE("olga"), 1893455999, slice_of(token)));
	ck_assert(!credential_token_is_good(&key, SLICE("olga"), 1893456000, slice_of(token)));
	ck_assert(!credential_token_is_good(&key, SLICE("olga"), 1893456001, slice_of(token)));
	ck_assert(!credential_token_is_good(&key, SLICE("Olga"), 0, slice_of(token)));
	ck_assert(!credential_token_is_good(&key, SLICE("olg"), 0, slice_of(token)));
	ck_assert(!credential_token_is_good(&key, SLICE(""), 0, slice_of(token)));
	struct credential_token_key other = key;
	other.bytes[31] ^= 1;
	ck_assert(!credential_token_is_good(&other, SLICE("olga"), 0, slice_of(token)));
}
END_TEST

START_TEST(every_change_of_a_token_is_refused)
{
	const struct credential_token_key key = token_key();
	char token[] = TOKEN;
	char kept = token[_i];

	for (int c = 1; c < 256; c++) {
		token[_i] = (char)c;
		ck_assert_msg(credential_token_is_good(&key, SLICE("olga"), 0, slice_of(token)) ==
				      ((char)c == kept),
			      "%s", token);
	}
}
END_TEST

START_TEST(what_is_no_token_is_refused)
{
	static const char *const bad[] = {"",
					  ".",
					  "0",
					  "1893456000",
					  "1893456000.",
					  TOKEN "0",
					  " " TOKEN,
					  "0" TOKEN,
					  "+" TOKEN,
					  "-" TOKEN,
					  "99999999999999999999999999.0"};
	const struct credential_token_key key = token_key();

	for (int i = 0; i < LENGTH(bad); i++)
		ck_assert_msg(!credential_token_is_good(&key, SLICE("olga"), 0, slice_of(bad[i])),
			      "%s", bad[i]);
	ck_assert(!credential_token_is_good(&key, SLICE("olga"), 0, slice_of(NULL)));
}
END_TEST

START_TEST(a_user_is_not_part_of_the_time)
{
	const struct credential_token_key key = token_key();
	char a[CREDENTIAL_TOKEN_CHARS + 1], b[CREDENTIAL_TOKEN_CHARS + 1];
	char longest[1025] = {0};

	ck_assert_int_eq(credential_make_token(&key, SLICE("23 x"), 1, a), STATUS_OK);
	ck_assert_int_eq(credential_make_token(&key, SLICE("3 x"), 12, b), STATUS_OK);
	ck_assert_str_ne(strchr(a, '.'), strchr(b, '.'));
	memset(longest, 'x', sizeof(longest));
	ck_assert_int_eq(credential_make_token(&key, (struct slice){longest, 1024}, 1, a),
			 STATUS_OK);
	ck_assert_int_eq(credential_make_token(&key, (struct slice){longest, 1025}, 1, a),
			 STATUS_INTERNAL);
	ck_assert_int_eq(credential_make_token(&key, SLICE("x"), -1, a), STATUS_INTERNAL);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("credential");
	TCase *tests = tcase_create("credential");

	tcase_add_loop_test(tests, fixed_keys, 0, LENGTH(keys));
	tcase_add_test(tests, absent_key_is_not_sound);
	tcase_add_loop_test(tests, every_change_is_refused, 0, CREDENTIAL_KEY_CHARS);
	tcase_add_loop_test(tests, swapped_neighbours_are_refused, 0, CREDENTIAL_KEY_CHARS - 1);
	tcase_add_loop_test(tests, made_keys_are_sound_and_differ, 0, 50);
	tcase_add_test(tests, made_secrets_have_their_form);
	tcase_add_test(tests, digits_are_spread_evenly);
	tcase_add_loop_test(tests, known_hashes, 0, LENGTH(hashes));
	tcase_add_test(tests, display_shows_both_ends);
	tcase_add_loop_test(tests, random_fills_exactly, 0, LENGTH(random_sizes));
	tcase_add_test(tests, random_refuses_what_openssl_cannot_count);
	tcase_add_test(tests, no_two_names_are_equal);
	tcase_add_test(tests, forgotten_is_gone);
	tcase_add_test(tests, a_token_is_its_users_until_its_end);
	tcase_add_loop_test(tests, every_change_of_a_token_is_refused, 0, LENGTH(TOKEN) - 1);
	tcase_add_test(tests, what_is_no_token_is_refused);
	tcase_add_test(tests, a_user_is_not_part_of_the_time);
	suite_add_tcase(suite, tests);
	return suite;
}
