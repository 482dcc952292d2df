/* The safetensors reader and writer: round trip, alignment, and every kind of damage. */
#include "checkpoint/checkpoint.h"
#include "checkpoint/half.h"
#include "tests/tap.h"

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

static char path[] = "/tmp/needle-test-XXXXXX";

static void write_file(const void *data, size_t n)
{
	FILE *f = fopen(path, "wb");
	if (!f || (n && fwrite(data, 1, n, f) != n) || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static unsigned char *read_file(size_t *n)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data = malloc(1 << 16);
	if (!f || !data) {
		perror(path);
		exit(1);
	}
	*n = fread(data, 1, 1 << 16, f);
	fclose(f);
	return data;
}

/* Opens what lies at path; returns the status and closes it again. */
static ndl_status try_open(ndl_error *err)
{
	*err = (ndl_error)NDL_ERROR_INIT;
	ndl_ckpt *c = ndl_ckpt_open(path, err);
	/* Touch what a user would: under the sanitizers a wrong pointer shows here. */
	for (size_t i = 0; c && i < ndl_ckpt_count(c); i++) {
		const ndl_tensor *t = ndl_ckpt_at(c, i);
		float *values = malloc(ndl_tensor_elements(t) * sizeof *values + 1);
		if (!values || ndl_tensor_to_f32(t, values, err) != NDL_OK)
			tap_ok(0, "an opened tensor can be read");
		free(values);
	}
	ndl_ckpt_close(c);
	return c ? NDL_OK : err->code;
}

/* A file of this header (its length as a prefix) and n_data bytes of data. */
static ndl_status open_header(const char *header, size_t n_data, ndl_error *err)
{
	size_t n = strlen(header);
	unsigned char *file = calloc(1, 8 + n + n_data);
	if (!file)
		exit(1);
	for (int i = 0; i < 8; i++)
		file[i] = (unsigned char)((uint64_t)n >> 8 * i);
	memcpy(file + 8, header, n);
	write_file(file, 8 + n + n_data);
	free(file);
	return try_open(err);
}

static void write_small(void)
{
	static const float a[6] = {1, -2, 3.5f, 0, 1e-30f, -0.0f};
	static const uint16_t h[3] = {0x3c00, 0xc000, 0x0001};
	static const uint8_t text[5] = "hello";
	ndl_error err = NDL_ERROR_INIT;
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(&err);
	size_t two[] = {2, 3}, three[] = {3}, five[] = {5}, empty[] = {4, 0};
	ndl_status s = ndl_ckpt_writer_meta(w, "format", "test", &err);
	s = s ? s : ndl_ckpt_writer_meta(w, "note", "\"q\" \\ \xc3\xa9\n", &err);
	s = s ? s : ndl_ckpt_writer_add(w, "z/last name first", NDL_F32, 2, two, a, &err);
	s = s ? s : ndl_ckpt_writer_add(w, "half", NDL_F16, 1, three, h, &err);
	s = s ? s : ndl_ckpt_writer_add(w, "scalar", NDL_F32, 0, NULL, a, &err);
	s = s ? s : ndl_ckpt_writer_add(w, "nothing", NDL_F32, 2, empty, NULL, &err);
	s = s ? s : ndl_ckpt_writer_add(w, "tokenizer.model", NDL_U8, 1, five, text, &err);
	s = s ? s : ndl_ckpt_writer_finish(w, path, &err);
	CHECK_INT(s, NDL_OK);
	ndl_ckpt_writer_free(w);
}

static void test_round_trip(void)
{
	ndl_error err = NDL_ERROR_INIT;
	size_t n, again;
	write_small();
	unsigned char *first = read_file(&n);
	ndl_ckpt *c = ndl_ckpt_open(path, &err);
	CHECK(c != NULL);
	CHECK_INT(ndl_ckpt_count(c), 5);
	CHECK_STR(ndl_ckpt_at(c, 0)->name, "z/last name first");
	CHECK(ndl_ckpt_at(c, 5) == NULL);
	CHECK_STR(ndl_ckpt_meta(c, "note"), "\"q\" \\ \xc3\xa9\n");
	CHECK(ndl_ckpt_meta(c, "absent") == NULL);
	CHECK_INT(ndl_ckpt_meta_count(c), 2);
	const char *key, *value;
	ndl_ckpt_meta_at(c, 0, &key, &value);
	CHECK_STR(key, "format");
	CHECK_STR(value, "test");
	int aligned = 1;
	for (size_t i = 0; i < ndl_ckpt_count(c); i++)
		aligned &= (uintptr_t)ndl_ckpt_at(c, i)->data % 64 == 0 || ndl_ckpt_at(c, i)->bytes == 0;
	CHECK(aligned);
	const ndl_tensor *t = ndl_ckpt_find(c, "z.last name first"); /* '.' joins as '/' does */
	CHECK(t && t->rank == 2 && t->shape[0] == 2 && t->shape[1] == 3 && t->dtype == NDL_F32);
	CHECK(ndl_ckpt_find(c, "z/last") == NULL);
	CHECK(ndl_ckpt_find(c, "padding.0") == NULL);
	t = ndl_ckpt_find(c, "scalar");
	CHECK(t && t->rank == 0 && ndl_tensor_elements(t) == 1);
	t = ndl_ckpt_find(c, "nothing");
	CHECK(t && ndl_tensor_elements(t) == 0);
	t = ndl_ckpt_find(c, "tokenizer.model");
	CHECK(t && t->bytes == 5 && memcmp(t->data, "hello", 5) == 0);
	float h[3];
	CHECK_INT(ndl_tensor_to_f32(ndl_ckpt_find(c, "half"), h, &err), NDL_OK);
	CHECK(h[0] == 1 && h[1] == -2 && h[2] == 0x1p-24f);
	ndl_ckpt_close(c);
	c = ndl_ckpt_open_prefix(path, "z/", &err);
	CHECK(c && ndl_ckpt_count(c) == 1 && ndl_ckpt_find(c, "last name first"));
	ndl_ckpt_close(c);
	write_small();
	unsigned char *second = read_file(&again);
	CHECK(n == again && memcmp(first, second, n) == 0);
	free(first);
	free(second);
}

/* Every prefix of a good file is refused. */
static void test_truncation(void)
{
	ndl_error err;
	size_t n, opened = 0, silent = 0;
	write_small();
	unsigned char *data = read_file(&n);
	for (size_t cut = 0; cut < n; cut++) {
		write_file(data, cut);
		opened += try_open(&err) == NDL_OK;
		silent += err.text[0] == '\0';
	}
	CHECK_INT(opened, 0);
	CHECK_INT(silent, 0);
	data[n] = 0;
	write_file(data, n + 1); /* and so is one byte more */
	CHECK_INT(try_open(&err), NDL_EFORMAT);
	free(data);
}

/* Any bit of prefix and header may flip: refused, or read within bounds; never a crash. */
static void test_bit_flips(void)
{
	ndl_error err;
	size_t n, refused = 0, tried = 0;
	write_small();
	unsigned char *data = read_file(&n);
	for (size_t i = 0; i < 8 + (size_t)(data[0] | data[1] << 8); i++)
		for (int bit = 0; bit < 8; bit++, tried++) {
			data[i] ^= (unsigned char)(1 << bit);
			write_file(data, n);
			ndl_status s = try_open(&err);
			refused += s != NDL_OK && err.text[0];
			data[i] ^= (unsigned char)(1 << bit);
			if (i < 8 && s == NDL_OK)
				tap_ok(0, "flipped bit %d of the length byte %zu is noticed", bit, i);
		}
	tap_note("%zu of %zu flips refused", refused, tried);
	CHECK(refused > tried / 2 && refused < tried);
	free(data);
}

#define ENTRY(name, dtype, shape, offsets) \
	"\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_headers(void)
{
	static const struct { const char *header; size_t n_data; ndl_status want; const char *text; } cases[] = {
		{"{}", 0, NDL_OK, ""},
		{"{}  ", 0, NDL_OK, ""},
		{"{" ENTRY("a", "U8", "[3]", "[0,3]") "}", 3, NDL_OK, ""},
		{"{" ENTRY("a", "U8", "[3]", "[0,3]") "," ENTRY("b", "F32", "[1]", "[3,7]") "}", 7, NDL_OK, ""},
		{"{" ENTRY("b", "F64", "[]", "[1,9]") "," ENTRY("a", "BOOL", "[1]", "[0,1]") "}", 9, NDL_OK, ""},
		{" {}", 0, NDL_EFORMAT, "does not start with"},
		{"[]", 0, NDL_EFORMAT, "does not start with"},
		{"{", 0, NDL_EFORMAT, "header"},
		{"{}x", 0, NDL_EFORMAT, "header"},
		{"{}", 1, NDL_EFORMAT, "after the last tensor"},
		{"{\"__metadata__\":3}", 0, NDL_EFORMAT, "an integer, not an object"},
		{"{\"__metadata__\":{\"a\":1}}", 0, NDL_EFORMAT, "not a string"},
		{"{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", 0, NDL_EFORMAT, "duplicate"},
		{"{\"a\":1}", 0, NDL_EFORMAT, "expected an object"},
		{"{\"a\":{}}", 0, NDL_EFORMAT, "expected an object"},
		{"{" ENTRY("", "U8", "[1]", "[0,1]") "}", 1, NDL_EFORMAT, "empty name"},
		{"{" ENTRY("a\\u0000b", "U8", "[1]", "[0,1]") "}", 1, NDL_EFORMAT, "header"},
		{"{" ENTRY("\xff", "U8", "[1]", "[0,1]") "}", 1, NDL_EFORMAT, "header"},
		{"{" ENTRY("a", "U8", "[1]", "[0,1]") "," ENTRY("a", "U8", "[1]", "[1,2]") "}", 2, NDL_EFORMAT, "duplicate"},
		{"{" ENTRY("a/b", "U8", "[1]", "[0,1]") "," ENTRY("a.b", "U8", "[1]", "[1,2]") "}", 2, NDL_EFORMAT, "same name"},
		{"{" ENTRY("a", "F4", "[2]", "[0,1]") "}", 1, NDL_EUNSUPPORTED, "'F4' is not supported"},
		{"{" ENTRY("a", "u8", "[1]", "[0,1]") "}", 1, NDL_EUNSUPPORTED, "'u8' is not supported"},
		{"{\"a\":{\"dtype\":3,\"shape\":[],\"data_offsets\":[0,1]}}", 1, NDL_EFORMAT, "no dtype"},
		{"{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"offsets\":[0,1]}}", 1, NDL_EFORMAT, "data_offsets"},
		{"{" ENTRY("a", "U8", "1", "[0,1]") "}", 1, NDL_EFORMAT, "no shape"},
		{"{" ENTRY("a", "U8", "[-1]", "[0,1]") "}", 1, NDL_EFORMAT, "not a size"},
		{"{" ENTRY("a", "U8", "[1.0]", "[0,1]") "}", 1, NDL_EFORMAT, "not a size"},
		{"{" ENTRY("a", "U8", "[1,1,1,1,1,1,1,1]", "[0,1]") "}", 1, NDL_OK, ""},
		{"{" ENTRY("a", "U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}", 1, NDL_ELIMIT, "9 dimensions"},
		{"{" ENTRY("a", "U8", "[99999999999999999999]", "[0,1]") "}", 1, NDL_EFORMAT, "header"},
		{"{" ENTRY("a", "U8", "[4294967296,4294967296]", "[0,0]") "}", 0, NDL_EFORMAT, "do not fit"},
		{"{" ENTRY("a", "U8", "[4294967296,4294967296,0]", "[0,0]") "}", 0, NDL_OK, ""},
		{"{" ENTRY("a", "F32", "[4611686018427387904]", "[0,0]") "}", 0, NDL_EFORMAT, "do not fit"},
		{"{" ENTRY("a", "F64", "[9223372036854775807,2]", "[0,0]") "}", 0, NDL_EFORMAT, "do not fit"},
		{"{" ENTRY("a", "F32", "[1]", "[0,3]") "}", 3, NDL_EFORMAT, "do not fit"},
		{"{" ENTRY("a", "U8", "[1]", "[0]") "}", 1, NDL_EFORMAT, "rising"},
		{"{" ENTRY("a", "U8", "[1]", "[1,0]") "}", 1, NDL_EFORMAT, "rising"},
		{"{" ENTRY("a", "U8", "[1]", "[-1,0]") "}", 1, NDL_EFORMAT, "rising"},
		{"{" ENTRY("a", "U8", "[1]", "[0,\"1\"]") "}", 1, NDL_EFORMAT, "rising"},
		{"{" ENTRY("a", "U8", "[2]", "[0,2]") "}", 1, NDL_EFORMAT, "truncated"},
		{"{" ENTRY("a", "U8", "[1]", "[9223372036854775806,9223372036854775807]") "}", 1, NDL_EFORMAT, "truncated"},
		{"{" ENTRY("a", "U8", "[1]", "[1,2]") "}", 2, NDL_EFORMAT, "a hole"},
		{"{" ENTRY("a", "U8", "[1]", "[0,1]") "," ENTRY("b", "U8", "[1]", "[2,3]") "}", 3, NDL_EFORMAT, "'b': a hole"},
		{"{" ENTRY("a", "U8", "[2]", "[0,2]") "," ENTRY("b", "U8", "[2]", "[1,3]") "}", 3, NDL_EFORMAT, "an overlap"},
		{"{" ENTRY("a", "U8", "[1]", "[0,1]") "," ENTRY("b", "U8", "[1]", "[0,1]") "}", 1, NDL_EFORMAT, "an overlap"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ndl_error err;
		ndl_status got = open_header(cases[i].header, cases[i].n_data, &err);
		bool ok = got == cases[i].want && (got == NDL_OK || strstr(err.text, cases[i].text));
		if (!ok)
			tap_note("status %d, want %d: %s", got, cases[i].want, err.text);
		tap_ok(ok, "header %s", cases[i].header);
	}
}

static void test_monsters(void)
{
	ndl_error err;
	static const unsigned char huge[9] = {255, 255, 255, 255, 255, 255, 255, 255, '{'};
	static const unsigned char long_header[9] = {0, 0, 0, 1, 0, 0, 0, 0, '{'}; /* 16 MiB, not there */
	write_file(huge, sizeof huge);
	CHECK_INT(try_open(&err), NDL_EFORMAT);
	write_file(long_header, sizeof long_header);
	CHECK_INT(try_open(&err), NDL_EFORMAT);
	CHECK(strstr(err.text, "truncated") != NULL);
	size_t depth = 200000;
	char *deep = calloc(1, depth * 5 + 2);
	if (!deep)
		exit(1);
	for (size_t i = 0; i < depth; i++)
		memcpy(deep + 5 * i, "{\"a\":", 5);
	CHECK_INT(open_header(deep, 0, &err), NDL_EFORMAT);
	free(deep);
	CHECK(ndl_ckpt_open("/nonexistent/file", &err) == NULL && err.code == NDL_EIO);
	CHECK(ndl_ckpt_open("/", &err) == NULL && err.code == NDL_EIO);
	write_file("", 0);
	CHECK_INT(try_open(&err), NDL_EFORMAT);
}

static void test_misaligned(void)
{
	ndl_error err = NDL_ERROR_INIT;
	static const char header[] = "{" ENTRY("a", "U8", "[1]", "[0,1]") "," ENTRY("b", "F32", "[2]", "[1,9]") "}";
	unsigned char file[8 + sizeof header - 1 + 9] = {sizeof header - 1};
	const float want[2] = {1.5f, -3};
	memcpy(file + 8, header, sizeof header - 1);
	memcpy(file + 8 + sizeof header, want, sizeof want);
	write_file(file, sizeof file);
	ndl_ckpt *c = ndl_ckpt_open(path, &err);
	const ndl_tensor *t = c ? ndl_ckpt_find(c, "b") : NULL;
	CHECK(t && (uintptr_t)t->data % 4 == 0 && memcmp(t->data, want, sizeof want) == 0);
	ndl_ckpt_close(c);
}

static void test_writer_refuses(void)
{
	ndl_error err = NDL_ERROR_INIT;
	ndl_ckpt_writer *w = ndl_ckpt_writer_new(&err);
	size_t one[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[2] = {SIZE_MAX / 2, 4};
	CHECK_INT(ndl_ckpt_writer_add(w, "", NDL_U8, 1, one, "x", &err), NDL_EINVAL);
	CHECK_INT(ndl_ckpt_writer_add(w, "__metadata__", NDL_U8, 1, one, "x", &err), NDL_EINVAL);
	CHECK_INT(ndl_ckpt_writer_add(w, "padding.0", NDL_U8, 1, one, "x", &err), NDL_EINVAL);
	CHECK_INT(ndl_ckpt_writer_add(w, "\xff", NDL_U8, 1, one, "x", &err), NDL_EINVAL);
	CHECK_INT(ndl_ckpt_writer_add(w, "a", NDL_U8, 9, one, "x", &err), NDL_EINVAL);
	CHECK_INT(ndl_ckpt_writer_add(w, "a", NDL_U8, 2, huge, "x", &err), NDL_ELIMIT);
	CHECK_INT(ndl_ckpt_writer_add(w, "a", NDL_U8, 1, one, "x", &err), NDL_OK);
	CHECK_INT(ndl_ckpt_writer_add(w, "a", NDL_U8, 1, one, "x", &err), NDL_EINVAL);
	CHECK_INT(ndl_ckpt_writer_meta(w, "k", "v", &err), NDL_OK);
	CHECK_INT(ndl_ckpt_writer_meta(w, "k", "w", &err), NDL_EINVAL);
	CHECK_INT(ndl_ckpt_writer_finish(w, "/nonexistent/dir/file", &err), NDL_EIO);
	CHECK_INT(ndl_ckpt_writer_finish(w, "/dev/full", &err), NDL_EIO);
	ndl_ckpt_writer_free(w);
}

static uint32_t to_bf16(float x)
{
	uint16_t h;
	ndl_bf16_from_f32_n(&h, &x, 1);
	return h;
}

static float from_bits(uint32_t u)
{
	float x;
	memcpy(&x, &u, sizeof x);
	return x;
}

/* All 65536 halves survive the way to float32 and back; rounding is to nearest even. */
static void test_half(void)
{
	int f16 = 0, bf16 = 0, tie = 0;
	for (uint32_t h = 0; h < 65536; h++) {
		float a = ndl_f16_to_f32((uint16_t)h), b = ndl_bf16_to_f32((uint16_t)h);
		f16 += isnan(a) ? !isnan(ndl_f16_to_f32(ndl_f16_from_f32(a))) : ndl_f16_from_f32(a) != h;
		bf16 += isnan(b) ? !isnan(ndl_bf16_to_f32(to_bf16(b))) : to_bf16(b) != h;
		/* halfway to the next one up, and a hair to either side */
		if ((h & 0x7fff) < 0x7bff) {
			float next = ndl_f16_to_f32((uint16_t)(h + 1)), middle = (a + next) / 2;
			tie += ndl_f16_from_f32(middle) != h + (h & 1);
			tie += ndl_f16_from_f32(nextafterf(middle, a)) != h;
			tie += ndl_f16_from_f32(nextafterf(middle, next)) != h + 1;
		}
		if ((h & 0x7fff) < 0x7f7f) {
			uint32_t bits = h << 16 | 0x8000;
			tie += to_bf16(from_bits(bits)) != h + (h & 1);
			tie += to_bf16(from_bits(bits - 1)) != h;
			tie += to_bf16(from_bits(bits + 1)) != h + 1;
		}
	}
	CHECK_INT(f16, 0);
	CHECK_INT(bf16, 0);
	CHECK_INT(tie, 0);
	CHECK_INT(ndl_f16_from_f32(65519.996f), 0x7bff);
	CHECK_INT(ndl_f16_from_f32(65520), 0x7c00);
	CHECK_INT(ndl_f16_from_f32(-1e30f), 0xfc00);
	CHECK_INT(to_bf16(3.4e38f), 0x7f80);
}

static void test_to_f32(void)
{
	static const double d[2] = {0.5, -2e10};
	static const int64_t i64[2] = {-3, 1000000007};
	static const int16_t i16[2] = {-32768, 7};
	static const uint32_t u32[2] = {4294967295u, 0};
	ndl_error err = NDL_ERROR_INIT;
	float out[2];
	ndl_tensor t = {.name = "t", .dtype = NDL_F64, .rank = 1, .shape = {2}, .data = d, .bytes = 16};
	CHECK(ndl_tensor_to_f32(&t, out, &err) == NDL_OK && out[0] == 0.5f && out[1] == -2e10f);
	t = (ndl_tensor){.name = "t", .dtype = NDL_I64, .rank = 1, .shape = {2}, .data = i64, .bytes = 16};
	CHECK(ndl_tensor_to_f32(&t, out, &err) == NDL_OK && out[0] == -3 && out[1] == 1000000007.f);
	t = (ndl_tensor){.name = "t", .dtype = NDL_I16, .rank = 1, .shape = {2}, .data = i16, .bytes = 4};
	CHECK(ndl_tensor_to_f32(&t, out, &err) == NDL_OK && out[0] == -32768 && out[1] == 7);
	t = (ndl_tensor){.name = "t", .dtype = NDL_U32, .rank = 1, .shape = {2}, .data = u32, .bytes = 8};
	CHECK(ndl_tensor_to_f32(&t, out, &err) == NDL_OK && out[0] == 4294967296.f && out[1] == 0);
	t.bytes = 4;
	CHECK_INT(ndl_tensor_to_f32(&t, out, &err), NDL_EFORMAT);
}

int main(void)
{
	int fd = mkstemp(path);
	if (fd < 0) {
		perror(path);
		return 1;
	}
	close(fd);
	test_round_trip();
	test_truncation();
	test_bit_flips();
	test_headers();
	test_monsters();
	test_misaligned();
	test_writer_refuses();
	test_half();
	test_to_f32();
	unlink(path);
	return tap_done();
}
