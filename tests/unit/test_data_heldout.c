/* heldout: hash of queries, sets of hashes. Reference values made by
 *   printf 'what s the weather in paris' | sha1sum | cut -c1-16 */
#include "data/heldout.h"
#include "tests/tap.h"

#include <unistd.h>

static void check_hash(const char *query, const char *want)
{
	char hex[NDL_QUERY_HASH_LEN + 1];
	ndl_query_hash(query, strlen(query), hex);
	CHECK_STR(hex, want);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

int main(void)
{
	check_hash("what s the weather in paris", "bbb02a568077a020");
	check_hash("  What's the WEATHER in Paris?!", "bbb02a568077a020");
	check_hash("", "da39a3ee5e6b4b0d");
	check_hash("\xc3\xa9 \xe2\x80\x94", "da39a3ee5e6b4b0d"); /* nothing but "other" bytes */
	/* longer than the block that is hashed at once */
	char big[1001];
	for (size_t i = 0; i < 1000; i++)
		big[i] = i % 3 ? 'a' : '-';
	big[1000] = '\0';
	check_hash(big, "8ad8f2af9405f860");

	char path[] = "heldout-XXXXXX";
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
	ndl_error e = NDL_ERROR_INIT;
	write_file(path, "# comment\nbbb02a568077a020\n\nFFFFFFFFFFFFFFFF\n0000000000000000\n");
	ndl_heldout *h = ndl_heldout_load(path, &e);
	CHECK(h != NULL);
	CHECK_INT(ndl_heldout_count(h), 3);
	CHECK(ndl_heldout_contains(h, "what's the weather in PARIS", 27));
	CHECK(!ndl_heldout_contains(h, "what's the weather in Rome", 26));
	CHECK(!ndl_heldout_contains(NULL, "x", 1));
	ndl_heldout_free(h);

	write_file(path, "bbb02a568077a020\nnot a hash, this\n");
	CHECK(ndl_heldout_load(path, &e) == NULL);
	CHECK_INT(e.code, NDL_EFORMAT);
	CHECK_INT(e.line, 2);
	write_file(path, "gggggggggggggggg\n");
	CHECK(ndl_heldout_load(path, &e) == NULL);
	unlink(path);
	e = (ndl_error)NDL_ERROR_INIT;
	CHECK(ndl_heldout_load(path, &e) == NULL);
	CHECK_INT(e.code, NDL_EIO);
	return tap_done();
}
