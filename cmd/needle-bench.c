/* needle-bench - how fast this machine runs the kernels and the model.
 *
 * Writes a table, or one JSON object with --json, which --compare reads back later. The manual
 * is needle-bench(1). */
#include "cmd/bench.h"
#include "cmd/engine.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "json/json.h"
#include "tensor/exec.h"

#include <stdlib.h>
#include <sha2.h>
#include <string.h>
#include <sys/resource.h>

enum { KEY_JSON = 256, KEY_COMPARE, KEY_KERNELS, KEY_TIME, KEY_PROMPT, KEY_ANSWER, KEY_RECORDS, KEY_TRAIN,
	KEY_SHAPE };

static const cli_option options[] = {
	{KEY_JSON, "json", NULL, "write one JSON object instead of a table"},
	{KEY_COMPARE, "compare", "FILE", "show the change against what --json wrote earlier"},
	{KEY_KERNELS, "kernels", NULL, "only the kernels, no model"},
	{'f', "filter", "TEXT", "only rows whose name contains TEXT"},
	{KEY_TIME, "time", "MS", "least time to spend on a row, in milliseconds [200]"},
	{KEY_PROMPT, "prompt", "N", "tokens of the model's input [50, 200, 600, 1024]"},
	{KEY_ANSWER, "answer", "N", "tokens to decode [32]"},
	{KEY_RECORDS, "records", "N", "records of a batch [200]"},
	{KEY_TRAIN, "train", NULL, "only a training step, at the highest level"},
	{KEY_SHAPE, "shape", "CONFIG.json", "shape to train [that of the published model]"},
	{0, NULL, NULL, NULL},
};

/* Measuring ------------------------------------------------------------------------------- */

double bench_time(const bench *b, void (*fn)(void *), void *arg)
{
	double best = 1e9, end = ndl_seconds() + b->min_s;
	for (int i = 0; i < 3 || ndl_seconds() < end; i++) {
		double t = ndl_seconds();
		fn(arg);
		t = ndl_seconds() - t;
		best = t < best ? t : best;
	}
	return best > 1e-9 ? best : 1e-9;
}

bool bench_wants(const bench *b, const char *name)
{
	return (!b->filter || strstr(name, b->filter)) && !cli_stdout_failed();
}

bool bench_wants_any(const bench *b, const char *const *names)
{
	while (*names && !bench_wants(b, *names))
		names++;
	return *names;
}

/* Results --------------------------------------------------------------------------------- */

static void print_row(const bench_row *r)
{
	printf("%-34s %-11s %7d %12.1f %s\n", r->name, r->kernel, r->threads, r->value, r->unit);
	fflush(stdout);
}

ndl_status bench_add(bench *b, const char *name, const char *kernel, int threads, double value,
                     const char *unit, bool less_is_better, ndl_error *err)
{
	if (!bench_wants(b, name))
		return NDL_OK;
	if (ndl_grow(&b->rows, &b->cap, b->n_rows + 1, sizeof *b->rows) < 0)
		return ndl_fail_nomem(err, "results");
	bench_row *r = &b->rows[b->n_rows++];
	*r = (bench_row){.threads = threads, .value = value, .unit = unit, .less_is_better = less_is_better};
	snprintf(r->name, sizeof r->name, "%s", name);
	snprintf(r->kernel, sizeof r->kernel, "%s", kernel);
	if (!b->json && !b->compare)
		print_row(r);
	return NDL_OK;
}

static int most_threads(const bench *b)
{
	return b->threads[1] ? b->threads[1] : b->threads[0];
}

static ndl_status memory_row(bench *b, ndl_error *err)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return bench_add(b, "peak memory of this program", "-", most_threads(b),
	                 (double)u.ru_maxrss / 1024, "MiB", true, err);
}

/* What was measured ------------------------------------------------------------------------ */

/* The integer products that the highest level has: of the processor, and of $NEEDLE_CPU. */
static const char *integers(void)
{
	static ndl_kernels k;
	return ndl_kernels_init(&k, getenv("NEEDLE_CPU"), NULL) == NDL_OK ? k.integer.name : "none";
}

static void print_header(const bench *b)
{
	printf("# processor %s, integer products %s, %d threads\n", ndl_isa_name(ndl_cpu_detect()), integers(), most_threads(b));
	if (b->path)
		printf("# model %s, SHA-256 %s\n", b->path, b->hash);
	if (!b->compare)
		printf("%-34s %-11s %7s %12s\n", "what", "kernel", "threads", "result");
}

static void write_json(const bench *b)
{
	ndl_buf out = NDL_BUF_INIT;
	ndl_buf_printf(&out, "{\"processor\":\"%s\",\"integers\":\"%s\",\"threads\":%d,", ndl_isa_name(ndl_cpu_detect()),
	               integers(), most_threads(b));
	if (b->path) {
		ndl_buf_str(&out, "\"model\":{\"file\":");
		ndl_json_write_string(&out, b->path, strlen(b->path), 0);
		ndl_buf_printf(&out, ",\"sha256\":\"%s\"},", b->hash);
	}
	ndl_buf_str(&out, "\"rows\":[");
	for (size_t i = 0; i < b->n_rows; i++) {
		const bench_row *r = &b->rows[i];
		ndl_buf_printf(&out, "%s{\"name\":", i ? "," : "");
		ndl_json_write_string(&out, r->name, strlen(r->name), 0);
		ndl_buf_printf(&out, ",\"kernel\":\"%s\",\"threads\":%d,\"value\":%.6g,\"unit\":\"%s\"}", r->kernel, r->threads,
		               r->value, r->unit);
	}
	ndl_buf_str(&out, "]}\n");
	fputs(ndl_buf_cstr(&out), stdout);
	ndl_buf_clear(&out);
}

/* Comparing ------------------------------------------------------------------------------- */

static json_t *load_rows(const bench *b, ndl_error *err)
{
	json_t *old = ndl_json_load(b->compare, err);
	if (old && !json_is_array(json_object_get(old, "rows"))) {
		ndl_fail(err, NDL_EFORMAT, "not what needle-bench --json writes: no list \"rows\"");
		ndl_error_at(err, b->compare, 0);
		json_decref(old);
		old = NULL;
	}
	return old;
}

static const char *text_of(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));
	return s ? s : "";
}

/* Whether it was said then, and was not this. */
static bool other(const json_t *old, const char *key, const char *now)
{
	const char *then = text_of(old, key);
	return *then && strcmp(then, now) != 0;
}

/* The earlier value of the same row; 0 if there is none. */
static double earlier(const json_t *old, const bench_row *r)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(old, "rows"), i, row)
		if (!strcmp(text_of(row, "name"), r->name) && !strcmp(text_of(row, "kernel"), r->kernel) &&
		    !strcmp(text_of(row, "unit"), r->unit) && json_integer_value(json_object_get(row, "threads")) == r->threads)
			return json_number_value(json_object_get(row, "value"));
	return 0;
}

static void print_comparison(const bench *b, const json_t *old)
{
	if (b->path && other(json_object_get(old, "model"), "sha256", b->hash))
		cli_warn(&b->c, "%s was measured with another model", b->compare);
	if (other(old, "processor", ndl_isa_name(ndl_cpu_detect())) || other(old, "integers", integers()))
		cli_warn(&b->c, "%s was measured on another processor, or with other kernels", b->compare);
	print_header(b);
	for (size_t i = 0; i < b->n_rows; i++) {
		const bench_row *r = &b->rows[i];
		double was = earlier(old, r);
		printf("%-34s %-11s %7d %12.1f %-9s", r->name, r->kernel, r->threads, r->value, r->unit);
		if (was > 0 && r->value > 0)
			printf(" %12.1f %6.2fx\n", was, r->less_is_better ? was / r->value : r->value / was);
		else
			printf(" %12s %7s\n", "-", "-");
	}
}

/* The command ----------------------------------------------------------------------------- */

static void parse_options(bench *b, int argc, char **argv)
{
	const char *arg;
	int key, first;
	while ((key = cli_next(&b->c, argc, argv, &arg, &first)) != 0)
		switch (key) {
		case KEY_JSON: b->json = true; break;
		case KEY_COMPARE: b->compare = arg; break;
		case KEY_KERNELS: b->kernels_only = true; break;
		case 'f': b->filter = arg; break;
		case KEY_TIME: b->min_s = (double)cli_long(&b->c, "--time", arg, 1, 60000) / 1e3; break;
		case KEY_PROMPT: b->prompt = (int)cli_long(&b->c, "--prompt", arg, 1, 65536); break;
		case KEY_ANSWER: b->answer = (int)cli_long(&b->c, "--answer", arg, 1, 65536); break;
		case KEY_RECORDS: b->records = (int)cli_long(&b->c, "--records", arg, 1, 1000000); break;
		case KEY_TRAIN: b->train = true; break;
		case KEY_SHAPE: b->shape = arg; break;
		default: break;
		}
	if (first < argc)
		cli_usage_error(&b->c, "unexpected argument '%s'", argv[first]);
	if (b->shape && !b->train)
		cli_usage_error(&b->c, "--shape goes with --train");
	if (b->json && b->compare)
		cli_usage_error(&b->c, "--json and --compare exclude each other");
	cli_check_cpu(&b->c);
}

/* The levels to measure: all up to $NEEDLE_CPU that exist here; thread counts 1 and the most. */
static ndl_status choose(bench *b, ndl_error *err)
{
	const char *mask = getenv("NEEDLE_CPU");
	ndl_kernels best;
	ndl_exec *x = ndl_exec_new(b->c.common.threads, mask, err);
	if (!x)
		return err->code;
	best = *ndl_exec_kernels(x);
	b->threads[0] = 1;
	b->threads[1] = ndl_exec_threads(x) > 1 ? ndl_exec_threads(x) : 0;
	ndl_exec_free(x);
	const char *comma = mask ? strchr(mask, ',') : NULL;
	int n = 0;
	for (int i = NDL_ISA_SCALAR; i <= (int)best.isa; i++) {
		ndl_kernels k;
		snprintf(b->level_names[n], sizeof b->level_names[n], "%s%s", ndl_isa_name((ndl_isa)i), comma ? comma : "");
		if (ndl_kernels_init(&k, b->level_names[n], err) == NDL_OK && (int)k.isa == i) {
			b->levels[n] = b->level_names[n];
			n++;
		}
	}
	b->levels[n] = NULL;
	return NDL_OK;
}

/* The model named, or the default one; without either only the kernels are measured. */
static ndl_status choose_model(bench *b, ndl_error *err)
{
	ndl_error none = NDL_ERROR_INIT;
	ndl_map map;
	if (b->kernels_only || b->train)
		return NDL_OK;
	b->path = cli_model_path(&b->c, &none);
	if (!b->path) {
		cli_warn(&b->c, "%s; measured the kernels only", none.text);
		return NDL_OK;
	}
	ndl_model *m = ndl_model_open(b->path, err); /* said here, not by every process */
	if (m && bench_lengths(b, ndl_model_config(m), err) == NDL_OK && ndl_map_open(&map, b->path, err) == NDL_OK) {
		SHA256Data(map.data, map.size, b->hash);
		ndl_map_close(&map);
	}
	ndl_model_free(m);
	if (err->code != NDL_OK)
		ndl_error_at(err, b->path, 0);
	return err->code;
}

static ndl_status model_rows(bench *b, ndl_error *err)
{
	ndl_status status = bench_model(b, err);
	if (status == NDL_OK)
		status = bench_answers(b, err);
	if (status == NDL_OK)
		status = bench_request(b, err);
	if (status != NDL_OK)
		ndl_error_at(err, b->path, 0);
	return status;
}

static ndl_status measure_all(bench *b, ndl_error *err)
{
	ndl_status status = choose(b, err);
	if (status == NDL_OK)
		status = choose_model(b, err);
	if (status == NDL_OK && !b->json && !b->compare)
		print_header(b);
	if (status == NDL_OK && b->train)
		return bench_train(b, err);
	if (status == NDL_OK && b->path)
		status = bench_processes(b, err);
	if (status == NDL_OK)
		status = bench_kernels(b, err);
	if (status == NDL_OK)
		status = bench_integers(b, err);
	if (status == NDL_OK && !b->kernels_only)
		status = bench_search(b, err);
	if (status == NDL_OK && b->path)
		status = model_rows(b, err);
	return status;
}

int main(int argc, char **argv)
{
	bench b = {
		.c = {.name = "needle-bench",
			.usage = "needle-bench [OPTION]...\n",
			.summary = "Measures the kernels and the model on this machine.",
			.examples = "  needle-bench\n"
			            "  needle-bench --kernels --json > before.json\n"
			            "  needle-bench --kernels --compare before.json\n"
			            "  needle-bench --train\n",
			.options = options,
			.flags = CLI_TAKES_MODEL},
		.min_s = 0.2, .records = 200,
	};
	ndl_error err = NDL_ERROR_INIT;
	json_t *old = NULL;
	int status = CLI_OK;
	cli_init(&b.c);
	parse_options(&b, argc, argv);
	if (b.compare && !(old = load_rows(&b, &err)))
		status = CLI_UNUSABLE;
	else if (measure_all(&b, &err) != NDL_OK || memory_row(&b, &err) != NDL_OK)
		status = err.code == NDL_EINVAL ? CLI_USAGE : CLI_UNUSABLE;
	if (status != CLI_OK)
		cli_report(&b.c, &err);
	else if (b.json)
		write_json(&b);
	else if (b.compare)
		print_comparison(&b, old);
	json_decref(old);
	free(b.rows);
	return cli_finish(&b.c, status);
}
