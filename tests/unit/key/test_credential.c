/*
 * test_credential.c - the form of keys and secrets, their hashes, and what is shown of them. The
 * vectors were computed with Python's zlib.crc32 and hashlib, not with the code under test.
 */
#include <string.h>

#include "base/buf.h"
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
	ck_assert(!credential_key_is_sound(SLICE_ABSENT));
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

	ck_assert_int_eq(credential_make_key(NULL, first), STATUS_OK);
	ck_assert_int_eq(credential_make_key(NULL, second), STATUS_OK);
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

	ck_assert_int_eq(credential_make_secret(NULL, first), STATUS_OK);
	ck_assert_int_eq(credential_make_secret(NULL, second), STATUS_OK);
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
		enum status status = credential_make_secret(NULL, secret);
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

#define TOKEN "slt_Sluice0Test1Token2That3Nobody4Us2jvX4y"

START_TEST(a_token_is_no_key_and_a_key_no_token)
{
	char made[CREDENTIAL_TOKEN_CHARS + 1], display[CREDENTIAL_TOKEN_DISPLAY_BYTES + 1];

	ck_assert(credential_token_is_sound(SLICE(TOKEN)));
	ck_assert(!credential_key_is_sound(SLICE(TOKEN)));
	ck_assert(!credential_token_is_sound(slice_of(keys[0].key)));
	ck_assert(!credential_token_is_sound(SLICE_ABSENT));
	for (size_t i = 0; i < CREDENTIAL_TOKEN_CHARS; i++) {
		memcpy(made, TOKEN, sizeof(TOKEN));
		made[i] = made[i] == 'x' ? 'y' : 'x';
		ck_assert(!credential_token_is_sound(slice_of(made)));
	}
	ck_assert_int_eq(credential_make_token(NULL, made), STATUS_OK);
	ck_assert(credential_token_is_sound(slice_of(made)));
	credential_display_token(SLICE(TOKEN), display);
	ck_assert_str_eq(display, "slt_Slui\xe2\x80\xa6"
				  "vX4y");
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
	tcase_add_test(tests, a_token_is_no_key_and_a_key_no_token);
	tcase_add_test(tests, forgotten_is_gone);
	suite_add_tcase(suite, tests);
	return suite;
}
