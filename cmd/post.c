#include "cmd/post.h"

#include "config.h"

#include "base/mem.h"

#ifdef HAVE_LIBCURL

#include "base/clock.h"
#include "base/reader.h"
#include "base/rng.h"
#include "json/json.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RESPONSE = 16 << 20, CONNECT_SECONDS = 15, TOTAL_SECONDS = 300, MAX_WAIT = 60 };

typedef struct answer {
	uint64_t key;
	char *text;
} answer;

struct post {
	post_options o;
	post_counts counts;
	CURL *curl;
	struct curl_slist *headers;
	answer *cached;
	size_t n_cached, cap_cached;
	FILE *cache;
	double last; /* when the last request went out */
};

bool post_available(void)
{
	return true;
}

/* Time ---------------------------------------------------------------------------------- */

static void pause_for(double seconds)
{
	struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	while (seconds > 0 && nanosleep(&t, &t) != 0 && errno == EINTR) {
	}
}

/* Answers kept -------------------------------------------------------------------------- */

static ndl_status remember(post *p, uint64_t key, const char *text, size_t len, ndl_error *err)
{
	char *copy = malloc(len + 1);
	if (!copy || ndl_grow(&p->cached, &p->cap_cached, p->n_cached + 1, sizeof *p->cached) != 0) {
		free(copy);
		return ndl_fail_nomem(err, "the answers kept");
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	p->cached[p->n_cached++] = (answer){key, copy};
	return NDL_OK;
}

/* Lines {"asked":hash of the body,"answer":the response as text}; a last one that was cut short,
 * when the program was stopped, is asked for again. */
static ndl_status read_cache(post *p, ndl_error *err)
{
	const char *line;
	size_t len;
	int got;
	if (access(p->o.cache, F_OK) != 0)
		return NDL_OK;
	ndl_reader *r = ndl_reader_open(p->o.cache, err);
	if (!r)
		return err->code;
	ndl_status st = NDL_OK;
	while (st == NDL_OK && (got = ndl_reader_line(r, &line, &len, err)) > 0) {
		json_t *j = ndl_json_parse(line, len, NULL);
		json_t *key = json_object_get(j, "asked"), *text = json_object_get(j, "answer");
		if (json_is_string(key) && json_is_string(text))
			st = remember(p, strtoull(json_string_value(key), NULL, 16), json_string_value(text),
				json_string_length(text), err);
		json_decref(j);
	}
	ndl_reader_close(r);
	return st ? st : got < 0 ? (ndl_status)got : NDL_OK;
}

static ndl_status open_cache(post *p, ndl_error *err)
{
	ndl_status st = read_cache(p, err);
	if (st)
		return st;
	p->cache = fopen(p->o.cache, "ab+");
	if (!p->cache)
		return ndl_fail_errno(err, "cannot write %s", p->o.cache);
	bool cut = fseek(p->cache, -1, SEEK_END) == 0 && fgetc(p->cache) != '\n'; /* a line that was cut short */
	if (cut && fseek(p->cache, 0, SEEK_END) == 0)
		fputc('\n', p->cache);
	return NDL_OK;
}

static ndl_status write_cache(post *p, uint64_t key, const char *text, size_t len, ndl_error *err)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_buf_printf(&b, "{\"asked\":\"%016llx\",\"answer\":", (unsigned long long)key);
	ndl_json_write_string(&b, text, len, 0);
	ndl_buf_str(&b, "}\n");
	ndl_status st = ndl_buf_check(&b, err);
	fseek(p->cache, 0, SEEK_END);
	if (st == NDL_OK && (fwrite(b.data, 1, b.len, p->cache) != b.len || fflush(p->cache) != 0))
		st = ndl_fail_errno(err, "cannot write %s", p->o.cache);
	ndl_buf_clear(&b);
	return st;
}

/* The connection ------------------------------------------------------------------------ */

static size_t receive(char *data, size_t size, size_t n, void *user)
{
	ndl_buf *b = user;
	if (b->len + size * n > MAX_RESPONSE)
		return 0;
	ndl_buf_add(b, data, size * n);
	return size * n;
}

static ndl_status prepare(post *p, ndl_error *err)
{
	char bearer[4096];
	p->curl = curl_easy_init();
	p->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (p->o.key) {
		if (strlen(p->o.key) > sizeof bearer - 64 || strpbrk(p->o.key, "\r\n"))
			return ndl_fail(err, NDL_EINVAL, "the key is too long or holds a line break");
		snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", p->o.key);
		p->headers = curl_slist_append(p->headers, bearer);
	}
	if (!p->curl || !p->headers)
		return ndl_fail_nomem(err, "the connection");
	CURLcode ok = curl_easy_setopt(p->curl, CURLOPT_URL, p->o.url);
#if LIBCURL_VERSION_NUM >= 0x075500
	ok = ok ? ok : curl_easy_setopt(p->curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	ok = ok ? ok : curl_easy_setopt(p->curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	ok = ok ? ok : curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, p->headers);
	ok = ok ? ok : curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, receive);
	ok = ok ? ok : curl_easy_setopt(p->curl, CURLOPT_NOSIGNAL, 1L);
	ok = ok ? ok : curl_easy_setopt(p->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	ok = ok ? ok : curl_easy_setopt(p->curl, CURLOPT_TIMEOUT, (long)TOTAL_SECONDS);
	return ok ? ndl_fail(err, NDL_EINVAL, "%s: %s", p->o.url, curl_easy_strerror(ok)) : NDL_OK;
}

post *post_open(const post_options *o, ndl_error *err)
{
	post *p = ndl_calloc(1, sizeof *p);
	if (!p || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		free(p);
		ndl_fail_nomem(err, "the connection");
		return NULL;
	}
	p->o = *o;
	p->last = -1e9;
	ndl_status st = prepare(p, err);
	if (st == NDL_OK && o->cache)
		st = open_cache(p, err);
	if (st == NDL_OK)
		return p;
	post_close(p);
	return NULL;
}

void post_close(post *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_cached; i++)
		free(p->cached[i].text);
	free(p->cached);
	if (p->cache)
		fclose(p->cache);
	curl_easy_cleanup(p->curl);
	curl_slist_free_all(p->headers);
	curl_global_cleanup();
	free(p);
}

void post_count(const post *p, post_counts *out)
{
	*out = p->counts;
}

/* One try. 0 when the body is there; 1 to try again after *wait seconds; negative to give up. */
static int try_once(post *p, const char *body, ndl_buf *response, double *wait, ndl_error *err)
{
	double due = p->last + 60 / p->o.per_minute;
	pause_for(due - ndl_seconds());
	p->last = ndl_seconds();
	p->counts.sent++;
	ndl_buf_reset(response);
	curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(p->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, response);
	CURLcode code = curl_easy_perform(p->curl);
	if (code != CURLE_OK) {
		ndl_fail(err, NDL_EIO, "%s: %s", p->o.url, code == CURLE_WRITE_ERROR
			? "the answer is too long" : curl_easy_strerror(code));
		return code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ? NDL_EINVAL : 1;
	}
	long status = 0;
	curl_off_t after = 0;
	curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(p->curl, CURLINFO_RETRY_AFTER, &after);
	if (status >= 200 && status < 300)
		return 0;
	ndl_fail(err, NDL_EIO, "%s: status %ld: %.200s", p->o.url, status, ndl_buf_cstr(response));
	if (after > 0)
		*wait = after > MAX_WAIT ? MAX_WAIT : (double)after;
	return status == 408 || status == 429 || status >= 500 ? 1 : NDL_EIO;
}

ndl_status post_ask(post *p, const char *body, ndl_buf *response, ndl_error *err)
{
	uint64_t key = ndl_hash64(body, strlen(body), ndl_hash64(p->o.url, strlen(p->o.url), 41));
	for (size_t i = 0; i < p->n_cached; i++)
		if (p->cached[i].key == key) {
			p->counts.from_cache++;
			ndl_buf_str(response, p->cached[i].text);
			return ndl_buf_check(response, err);
		}
	for (int i = 0;; i++) {
		double wait = i < 6 ? (double)(1 << i) : MAX_WAIT;
		int got = try_once(p, body, response, &wait, err);
		if (got == 0)
			break;
		if (got < 0 || i + 1 >= p->o.tries)
			return NDL_EIO;
		p->counts.tried_again++;
		pause_for(wait);
	}
	ndl_status st = ndl_buf_check(response, err);
	return st || !p->cache ? st : write_cache(p, key, ndl_buf_cstr(response), response->len, err);
}

#else

bool post_available(void)
{
	return false;
}

post *post_open(const post_options *o, ndl_error *err)
{
	ndl_fail(err, NDL_EUNSUPPORTED, "%s: built without libcurl", o->url);
	return NULL;
}

void post_close(post *p)
{
	(void)p;
}

ndl_status post_ask(post *p, const char *body, ndl_buf *response, ndl_error *err)
{
	(void)p, (void)body, (void)response;
	return ndl_fail(err, NDL_EUNSUPPORTED, "built without libcurl");
}

void post_count(const post *p, post_counts *out)
{
	(void)p;
	*out = (post_counts){0, 0, 0};
}

#endif
