/* base: errors, memory, buffers, files, lines, random numbers, UTF-8. */
#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "base/reader.h"
#include "base/rng.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "tests/tap.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/needle-base.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void put(const char *path, const char *data, size_t len)
{
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		abort();
}

static void test_errors(void)
{
	ndl_error e = NDL_ERROR_INIT;
	CHECK_INT(ndl_fail(&e, NDL_EFORMAT, "bad %d\x1b[31m", 7), NDL_EFORMAT);
	CHECK_STR(e.text, "bad 7?[31m");
	ndl_fail(&e, NDL_EFORMAT, "bad\xc2\x9b%dm \xc2\xa7\xc2", 31); /* CSI as one character of UTF-8; a sign; half of one */
	CHECK_STR(e.text, "bad??31m \xc2\xa7?");
	ndl_fail(&e, NDL_EFORMAT, "bad %d\x1b[31m", 7);
	ndl_error_prefix(&e, "tools[%d]", 2);
	CHECK_STR(e.text, "tools[2]: bad 7?[31m");
	ndl_error_at(&e, "x.json", 12);
	CHECK(strcmp(e.file, "x.json") == 0 && e.line == 12);
	char longer[900];
	memset(longer, 'a', sizeof longer);
	longer[398] = '\xc3'; /* cut in the middle of a character */
	longer[399] = '\xa9';
	longer[sizeof longer - 1] = '\0';
	ndl_fail(&e, NDL_EFORMAT, "%s", longer);
	CHECK(ndl_utf8_check(e.text, strlen(e.text)) == strlen(e.text));
	ndl_fail(&e, NDL_EFORMAT, "tool '%.3s': why", "\xd1\x8f\xd1\x8f");
	CHECK_STR(e.text, "tool '\xd1\x8f?': why");
	ndl_fail(&e, NDL_EINVAL, "inner");
	ndl_fail(&e, NDL_EFORMAT, "outer: %s", e.text);
	CHECK_STR(e.text, "outer: inner");
	CHECK_INT(ndl_fail(NULL, NDL_EIO, "no one listens"), NDL_EIO);
}

static void test_memory(void)
{
	size_t n = 5;
	CHECK(!ndl_mul_ok(SIZE_MAX, 2, &n) && n == 5);
	CHECK(ndl_mul_ok(0, SIZE_MAX, &n) && n == 0);
	CHECK(!ndl_add_ok(SIZE_MAX, 1, &n));
	CHECK(ndl_alloc64(SIZE_MAX / 2, 4) == NULL);
	void *p = ndl_alloc64(3, 5);
	CHECK(p && (uintptr_t)p % 64 == 0);
	free(p);
	ndl_buf b = NDL_BUF_INIT;
	for (int i = 0; i < 1000; i++)
		ndl_buf_printf(&b, "%d,", i);
	CHECK(b.len == 3890 && strncmp(b.data, "0,1,2,", 6) == 0 && b.data[b.len] == '\0');
	CHECK(ndl_buf_reserve(&b, SIZE_MAX - 10) == NULL && b.failed);
	ndl_buf_str(&b, "ignored");
	CHECK(b.len == 3890 && ndl_buf_check(&b, NULL) == NDL_ENOMEM);
	ndl_buf_clear(&b);
	CHECK_STR(ndl_buf_cstr(&b), "");
}

static size_t count_files(const char *folder)
{
	size_t n = 0;
	DIR *d = opendir(folder);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void test_files(void)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_outfile o;
	ndl_map m;
	char path[256];
	snprintf(path, sizeof path, "%s", in_dir("out"));
	put(path, "old", 3);
	size_t before = count_files(dir);
	CHECK(ndl_outfile_open(&o, path, &e) == NDL_OK);
	fputs("new content", o.f);
	CHECK(ndl_map_open(&m, path, &e) == NDL_OK && m.size == 3); /* old until committed */
	ndl_map_close(&m);
	CHECK(count_files(dir) == (o.unnamed ? before : before + 1));
	CHECK(ndl_outfile_commit(&o, &e) == NDL_OK);
	CHECK(ndl_map_open(&m, path, &e) == NDL_OK && m.size == 11);
	ndl_map_close(&m);
	CHECK(ndl_outfile_open(&o, path, &e) == NDL_OK);
	fputs("half", o.f);
	ndl_outfile_abort(&o);
	CHECK(ndl_map_open(&m, path, &e) == NDL_OK && m.size == 11);
	ndl_map_close(&m);
	CHECK(count_files(dir) == before); /* committed or given up, no temporary stays */
	struct stat st;
	char link[256];
	snprintf(link, sizeof link, "%s", in_dir("link"));
	if (chmod(path, 0600) != 0 || symlink("out", link) != 0)
		abort();
	CHECK(ndl_outfile_open(&o, link, &e) == NDL_OK && ndl_outfile_commit(&o, &e) == NDL_OK);
	CHECK(lstat(link, &st) == 0 && S_ISLNK(st.st_mode)); /* a link stays one, a private file private */
	CHECK(stat(path, &st) == 0 && st.st_size == 0 && (st.st_mode & 0777) == 0600);
	unlink(path);
	CHECK(ndl_outfile_open(&o, link, &e) == NDL_EIO && strstr(e.text, "leads nowhere"));
	CHECK(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
	unlink(link);
	CHECK(ndl_outfile_open(&o, "/dev/full", &e) == NDL_OK);
	fputs("x", o.f);
	CHECK(ndl_outfile_commit(&o, &e) == NDL_EIO && strstr(e.text, "/dev/full"));
	CHECK(ndl_outfile_open(&o, in_dir("no/such/dir"), &e) == NDL_EIO);
	CHECK(ndl_outfile_open(&o, in_dir("none/"), &e) == NDL_EIO); /* at once, not after the work */
	memset(link, 'x', sizeof link - 1);
	link[sizeof link - 1] = '\0';
	CHECK(ndl_outfile_open(&o, link, &e) == NDL_EIO); /* a name that leaves no room for the temporary's */
	CHECK(ndl_outfile_open(&o, "", &e) == NDL_EIO);
	CHECK(ndl_outfile_open(&o, dir, &e) == NDL_EIO);
	CHECK(ndl_outfile_check(dir, &e) == NDL_EIO && ndl_outfile_check(in_dir("no/such/dir"), &e) == NDL_EIO);
	CHECK(ndl_outfile_check("/dev/null", &e) == NDL_OK && ndl_outfile_check(in_dir("new"), &e) == NDL_OK && count_files(dir) == before - 1);
	CHECK(ndl_map_open(&m, dir, &e) == NDL_EIO && strstr(e.text, "regular"));
	CHECK(ndl_map_open(&m, in_dir("none"), &e) == NDL_EIO && strstr(e.text, "No such file"));
}

static void check_lines(const char *path, const char *const *want, size_t n)
{
	ndl_error e = NDL_ERROR_INIT;
	const char *line;
	size_t len, i = 0;
	int got = 0;
	ndl_reader *r = ndl_reader_open(path, &e);
	CHECK(r != NULL);
	while (r && (got = ndl_reader_line(r, &line, &len, &e)) > 0) {
		if (i < n)
			CHECK_STR(line, want[i]);
		i++;
	}
	CHECK_INT(got, 0);
	CHECK_INT(i, n);
	CHECK_INT(r ? ndl_reader_lineno(r) : 0, n);
	ndl_reader_close(r);
}

static void test_reader(void)
{
	static const char text[] = "one\n\ntwo\r\nlast";
	const char *want[] = {"one", "", "two", "last"};
	char path[256], command[700];
	snprintf(path, sizeof path, "%s", in_dir("lines"));
	put(path, text, sizeof text - 1);
	check_lines(path, want, 4);
	snprintf(command, sizeof command, "cd %s && gzip -k lines && xz -k lines && zstd -q lines && tar cf lines.tar lines", dir);
	if (system(command) == 0) {
		const char *names[] = {"lines.gz", "lines.xz", "lines.zst", "lines.tar"};
		for (int i = 0; i < 4; i++)
			check_lines(in_dir(names[i]), want, 4);
	}
	/* as pzstd begins: a frame to skip, here of four bytes */
	snprintf(command, sizeof command, "cd %s && { printf 'P*M\\030\\004\\000\\000\\000abcd' && zstd -q <lines; } >parallel.zst", dir);
	if (system(command) == 0)
		check_lines(in_dir("parallel.zst"), want, 4);
	put(path, "", 0);
	check_lines(path, want, 0);
	snprintf(command, sizeof command, "cd %s && gzip -kf lines && xz -kf lines && zstd -qf lines && bzip2 -kf lines", dir);
	if (system(command) == 0) {
		const char *names[] = {"lines.gz", "lines.xz", "lines.zst", "lines.bz2"};
		for (int i = 0; i < 4; i++)
			check_lines(in_dir(names[i]), want, 0);
	}
	ndl_error e = NDL_ERROR_INIT;
	size_t len;
	char *all = ndl_read_all(path, &len, 10, &e);
	CHECK(all && len == 0 && all[0] == '\0');
	free(all);
	put(path, text, sizeof text - 1);
	CHECK(ndl_read_all(path, &len, 5, &e) == NULL && e.code == NDL_ELIMIT);
	CHECK(ndl_reader_open(in_dir("none"), &e) == NULL);
}

/* Runs `make`, which writes `name` in the directory, and reads it: the number of lines before the
 * end, in *got how it ended (the reader's status; also when it refuses to open). */
static size_t count_lines(const char *make, const char *name, int *got, ndl_error *e)
{
	char command[700];
	const char *line;
	size_t len, n = 0;
	*e = (ndl_error)NDL_ERROR_INIT;
	snprintf(command, sizeof command, "cd %s && %s", dir, make);
	if (system(command) != 0)
		abort();
	ndl_reader *r = ndl_reader_open(in_dir(name), e);
	while (r && (*got = ndl_reader_line(r, &line, &len, e)) > 0)
		n++;
	if (!r)
		*got = e->code;
	ndl_reader_close(r);
	return n;
}

/* A truncated or damaged container is an error, never an end. */
static void test_damaged(void)
{
	static const char *const short_ones[] = {
		"seq 100000 | gzip | head -c 5000 > cut", "seq 100000 | xz | head -c 5000 > cut",
		"seq 100000 | zstd -q | head -c 5000 > cut", "printf '\\037\\213' > cut",
		"(seq 100000 | gzip | head -c 5000; seq 99999) > cut",
	};
	ndl_error e;
	int got;
	for (size_t i = 0; i < sizeof short_ones / sizeof short_ones[0]; i++) {
		count_lines(short_ones[i], "cut", &got, &e);
		CHECK_INT(got, NDL_EFORMAT);
		CHECK(strstr(e.file, "cut") != NULL);
	}
	/* what precedes the damage is given out first */
	size_t n = count_lines("seq 1000000 | gzip > whole && head -c 1000000 whole > cut", "cut", &got, &e);
	CHECK(n > 1000 && n < 1000000);
	CHECK(got == NDL_EFORMAT && strstr(e.file, "cut"));
	CHECK_INT(count_lines("true", "whole", &got, &e), 1000000);
	CHECK_INT(got, 0);
}

/* What gzip -t would not pass: libarchive reads over it. */
static void test_gzip_verified(void)
{
	static const struct { const char *make, *says; } bad[] = {
		{"seq 9 | gzip | head -c -8 > m; head -c 8 /dev/zero >> m", "incorrect data check"},
		{"seq 9 | gzip | head -c -4 > m; printf aaaa >> m", "incorrect length check"},
		{"seq 9 | gzip | head -c -1 > m", "unexpected end of file"},
		{"seq 9 | gzip > m; echo more >> m", "garbage after the end"},
		{"{ seq 9 | gzip; head -c 9 /dev/zero; seq 9 | gzip; } > m", "garbage after the end"},
		{"{ seq 9 | gzip; seq 9 | gzip | head -c -5; } > m", "unexpected end of file"},
		{"{ seq 9 | gzip; printf '\\037\\213'; } > m", "unexpected end of file"},
		{"seq 9 > x; tar c x | gzip | head -c -8 > m; head -c 8 /dev/zero >> m", "incorrect data check"},
	};
	ndl_error e;
	int got;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		count_lines(bad[i].make, "m", &got, &e);
		CHECK_INT(got, NDL_EFORMAT);
		CHECK(strstr(e.text, "cannot decompress: ") == e.text && strstr(e.text, bad[i].says) && strstr(e.file, "m"));
	}
	CHECK_INT(count_lines("{ seq 100000 | gzip; echo more; } > m", "m", &got, &e) > 50000, 1);
	CHECK_INT(got, NDL_EFORMAT);
	/* members and the padding of a tape */
	CHECK_INT(count_lines("{ seq 100000 | gzip; : | gzip; seq 5 | gzip; head -c 99999 /dev/zero; } > m", "m", &got, &e), 100005);
	CHECK_INT(got, 0);
}

static void test_members(void)
{
	ndl_error e;
	int got;
	CHECK_INT(count_lines("printf 'a\\nb' > x; printf c > y; : > z; tar cf m x z y", "m", &got, &e), 3);
	CHECK_INT(got, 0);
	CHECK_INT(count_lines("printf 'a\\nb\\n' | gzip > m; printf 'c\\n' | gzip >> m", "m", &got, &e), 3);
	/* text is not taken for a container */
	CHECK_INT(count_lines("printf '%257sustar\\n2\\n' '' > m", "m", &got, &e), 2);
	CHECK_INT(count_lines("printf 'BZhou said\\n' > m", "m", &got, &e), 1);
	CHECK_INT(count_lines("printf 'PK\\n' > m", "m", &got, &e), 1);
	CHECK_INT(count_lines("printf '\\037' > m", "m", &got, &e), 1);
	CHECK_INT(count_lines("printf 'begin 644 x\\nend\\n' | gzip > m", "m", &got, &e), 2);
}

/* The first line of a pipe is given at once, however short. */
static void test_streams(void)
{
	ndl_error e = NDL_ERROR_INIT;
	const char *line = "";
	size_t len;
	char path[300];
	int ends[2];
	if (pipe(ends) != 0 || write(ends[1], "B\n", 2) != 2)
		abort();
	snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
	ndl_reader *r = ndl_reader_open(path, &e);
	CHECK(r && ndl_reader_line(r, &line, &len, &e) == 1 && strcmp(line, "B") == 0);
	close(ends[1]);
	CHECK(r && ndl_reader_line(r, &line, &len, &e) == 0);
	close(ends[0]);
	ndl_reader_close(r);
}

static void test_long_line(void)
{
	char path[256];
	snprintf(path, sizeof path, "%s", in_dir("long"));
	FILE *f = fopen(path, "wb");
	for (size_t i = 0; f && i < (NDL_LINE_MAX >> 20) + 1; i++)
		for (size_t j = 0; j < 1 << 20; j += 64)
			fwrite("0123456789012345678901234567890123456789012345678901234567890123", 1, 64, f);
	if (!f || fputs("\nshort\n", f) < 0 || fclose(f) != 0)
		abort();
	ndl_error e = NDL_ERROR_INIT;
	const char *line;
	size_t len;
	ndl_reader *r = ndl_reader_open(path, &e);
	CHECK(r && ndl_reader_line(r, &line, &len, &e) == NDL_ELIMIT && e.line == 1);
	CHECK(r && ndl_reader_line(r, &line, &len, &e) == 1 && strcmp(line, "short") == 0);
	CHECK(r && ndl_reader_line(r, &line, &len, &e) == 0);
	ndl_reader_close(r);
	/* one byte too long, its end read together with it */
	if (truncate(path, (off_t)NDL_LINE_MAX) != 0 || !(f = fopen(path, "ab")) || fputs("x\nshort\n", f) < 0 || fclose(f) != 0)
		abort();
	r = ndl_reader_open(path, &e);
	CHECK(r && ndl_reader_line(r, &line, &len, &e) == NDL_ELIMIT && e.line == 1);
	CHECK(r && ndl_reader_line(r, &line, &len, &e) == 1 && strcmp(line, "short") == 0);
	ndl_reader_close(r);
	unlink(path);
}

static void test_rng(void)
{
	ndl_rng a, b;
	ndl_rng_seed(&a, 1, 0);
	ndl_rng_seed(&b, 1, 1);
	CHECK(ndl_rng_u64(&a) != ndl_rng_u64(&b));
	int seen[7] = {0};
	for (int i = 0; i < 7000; i++)
		seen[ndl_rng_below(&a, 7)]++;
	int fair = 1;
	for (int i = 0; i < 7; i++)
		fair &= seen[i] > 850 && seen[i] < 1150;
	CHECK(fair);
	CHECK_INT(ndl_rng_range(&a, INT64_MIN, INT64_MIN), INT64_MIN);
	double sum = 0, squares = 0;
	for (int i = 0; i < 20000; i++) {
		double x = ndl_rng_normal(&a);
		sum += x;
		squares += x * x;
	}
	CHECK(fabs(sum / 20000) < 0.03 && fabs(squares / 20000 - 1) < 0.05);
	size_t order[100], total = 0;
	ndl_rng_shuffle(&a, order, 100);
	for (int i = 0; i < 100; i++)
		total += order[i];
	CHECK_INT(total, 4950);
	CHECK(ndl_hash64("a", 1, 0) != ndl_hash64("b", 1, 0));
}

static void test_utf8(void)
{
	uint32_t cp;
	CHECK(ndl_utf8_decode("\xe2\x96\x81", 3, &cp) == 3 && cp == 0x2581);
	CHECK(ndl_utf8_decode("\xf0\x9f\x98\x80", 4, &cp) == 4 && cp == 0x1F600);
	const char *bad[] = {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x96", "\x80", "\xff"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_INT(ndl_utf8_decode(bad[i], strlen(bad[i]), NULL), 0);
	int round_trip = 1;
	for (uint32_t c = 1; c < 0x110000; c++) {
		char s[4];
		if (c >= 0xD800 && c < 0xE000)
			continue;
		size_t n = ndl_utf8_encode(c, s);
		round_trip &= ndl_utf8_decode(s, n, &cp) == n && cp == c;
	}
	CHECK(round_trip);
	CHECK_INT(ndl_utf8_check("ab\xff", 3), 2);
	CHECK_INT(ndl_utf8_count("a\xc3\xa9", 3), 2);
}

typedef struct text_item {
	uint64_t key;
	const char *text;
	size_t len;
} text_item;

static int by_text(const void *a, const void *b)
{
	const text_item *x = a, *y = b;
	int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Random texts of few letters, many of which begin alike, sorted as qsort does. */
static void test_sort(void)
{
	enum { N = 500, LONGEST = 12 };
	static char text[N][LONGEST];
	static const char letters[] = {'a', '\0', '\xff'};
	text_item a[N], b[N];
	ndl_rng r;
	ndl_rng_seed(&r, 3, 0);
	for (size_t n = 0; n <= N; n += 1 + n) {
		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < LONGEST; k++)
				text[i][k] = letters[ndl_rng_below(&r, sizeof letters)];
			size_t len = (size_t)ndl_rng_below(&r, LONGEST + 1);
			a[i] = b[i] = (text_item){ndl_sort_key(text[i], len), text[i], len};
		}
		qsort(a, n, sizeof *a, by_text);
		CHECK_INT(ndl_sort_keyed(b, n, sizeof *b, by_text), 0);
		bool same = true;
		for (size_t i = 0; i < n; i++)
			same &= by_text(&a[i], &b[i]) == 0;
		CHECK(same);
	}
	CHECK(ndl_sort_key("ab", 2) == UINT64_C(0x6162000000000000));
}

/* Hints change nothing that can be seen, in memory of any size. */
static void test_partly(void)
{
	for (size_t bytes = 1; bytes < 8 << 20; bytes *= 3) {
		unsigned char *p = ndl_alloc_partly(bytes, 1);
		CHECK(p != NULL);
		p[0] = p[bytes - 1] = 7;
		errno = 5;
		ndl_expect_use(p, bytes);
		CHECK(errno == 5 && p[0] == 7 && p[bytes - 1] == 7);
		free(p);
	}
	CHECK(ndl_alloc_partly(SIZE_MAX, 2) == NULL);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 99;
	test_errors();
	test_memory();
	test_files();
	test_reader();
	test_damaged();
	test_gzip_verified();
	test_members();
	test_streams();
	test_long_line();
	test_rng();
	test_sort();
	test_partly();
	test_utf8();
	char command[300];
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) == 0 ? tap_done() : 99;
}
