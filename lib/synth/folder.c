#include "synth/folder.h"

#include "base/reader.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void syn_error_at(ndl_error *err, const char *path, size_t number)
{
	if (err && !err->file[0])
		err->line = 0; /* counted inside the line */
	ndl_error_at(err, path, number);
}

static ndl_status each_line_of(const char *dir, const char *file, syn_line_fn *fn, void *user, ndl_error *err)
{
	char path[4096], name[128];
	snprintf(path, sizeof path, "%s/%s", dir, file);
	snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - strlen(".jsonl")), file);
	ndl_reader *r = ndl_reader_open(path, err);
	if (!r)
		return err ? err->code : NDL_EIO;
	syn_line line = {.path = path, .file = name};
	int got;
	while ((got = ndl_reader_line(r, &line.text, &line.len, err)) > 0) {
		if (strspn(line.text, " \t") == line.len)
			continue;
		line.number = ndl_reader_lineno(r);
		ndl_status st = fn(user, &line, err);
		if (st) {
			syn_error_at(err, path, line.number);
			got = st;
			break;
		}
	}
	ndl_reader_close(r);
	return (ndl_status)got;
}

static int is_corpus_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 6 && n < 120 && e->d_name[0] != '.' && strcmp(e->d_name + n - 6, ".jsonl") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

ndl_status syn_each_line(const char *dir, syn_line_fn *fn, void *user, ndl_error *err)
{
	struct dirent **entry = NULL;
	ndl_status st = NDL_OK;
	int n = scandir(dir, &entry, is_corpus_file, by_name);
	if (n < 0)
		return ndl_fail_errno(err, "cannot read the corpus folder %s", dir);
	for (int i = 0; i < n && st == NDL_OK; i++)
		st = each_line_of(dir, entry[i]->d_name, fn, user, err);
	for (int i = 0; i < n; i++)
		free(entry[i]);
	free(entry);
	return st;
}
