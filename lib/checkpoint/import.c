#include "checkpoint/import_internal.h"

#include "base/archive.h"
#include "base/map.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Weights compress little; what grows by more than this was made to fill memory. */
enum { INFLATE_MAX = 64, INFLATE_FREE = 1 << 24 };

const char *ndl_import_kind_name(ndl_import_kind kind)
{
	static const char *const kinds[] = {"safetensors", "needle-rs safetensors", "pickle"};
	return kinds[kind];
}

static bool is_pickle(const void *head, size_t n)
{
	const unsigned char *b = head;
	return n >= 2 && b[0] == 0x80 && b[1] >= 1 && b[1] <= 9; /* the reader says which are supported */
}

/* u64 length of a header, not of a terabyte, and its first byte. */
static bool is_safetensors(const void *head, size_t n)
{
	const unsigned char *b = head;
	return n >= 9 && b[8] == '{' && !b[5] && !b[6] && !b[7];
}

/* The trees ------------------------------------------------------------------------------- */

/* The stem in front of every name, by which the tree's outermost key shows: "params/", "params.". */
static const char *outer_key(const ndl_ckpt *c, char stem[8])
{
	const ndl_tensor *t = ndl_ckpt_find(c, "params/embedding/embedding");
	if (!t || ndl_ckpt_find(c, "embedding/embedding"))
		return NULL;
	memcpy(stem, t->name, 7);
	stem[7] = '\0';
	return stem;
}

static ndl_ckpt *open_safetensors(const void *data, size_t size, const char *prefix, ndl_import_info *info, ndl_error *err)
{
	char stem[8];
	ndl_ckpt *c = ndl_ckpt_open_memory(data, size, prefix ? prefix : "", err);
	if (c && !prefix && outer_key(c, stem)) {
		ndl_ckpt_close(c);
		c = ndl_ckpt_open_memory(data, size, stem, err);
	}
	if (!c || !ndl_is_needle_rs(c))
		return c;
	info->kind = NDL_IMPORT_NEEDLE_RS;
	return ndl_import_needle_rs(c, err);
}

/* Inference does not need the temperature of a contrastive head, and other programs leave it out. */
static ndl_status complete(ndl_ckpt *c, ndl_error *err)
{
	static const float zero;
	if (!ndl_ckpt_find(c, "contrastive_proj/kernel") || ndl_ckpt_find(c, "log_temp"))
		return NDL_OK;
	ndl_status s = ndl_ckpt_put(c, "log_temp", NDL_F32, 0, NULL, &zero, err);
	return s == NDL_OK ? ndl_ckpt_index(c, err) : s;
}

static ndl_ckpt *open_plain(const void *data, size_t size, const char *prefix, ndl_import_info *info, ndl_error *err)
{
	ndl_ckpt *c;
	if (is_pickle(data, size)) {
		info->kind = NDL_IMPORT_PICKLE;
		c = ndl_import_pickle(data, size, prefix ? prefix : "", err);
	} else if (is_safetensors(data, size)) {
		c = open_safetensors(data, size, prefix, info, err);
	} else {
		ndl_fail(err, NDL_EUNSUPPORTED, "not a checkpoint: neither safetensors nor a Python pickle (protocol 2 to 5), nor "
		         "one of them compressed or in an archive");
		c = NULL;
	}
	if (c && complete(c, err) != NDL_OK) {
		ndl_ckpt_close(c);
		return NULL;
	}
	return c;
}

/* Archives -------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return n >= k && strcmp(name + n - k, end) == 0;
}

static bool is_vocabulary(const char *name)
{
	return ends_with(name, ".model") || ends_with(name, "vocab.txt");
}

/* A lone compressed file is what it is, whatever it may be; its reader will say so. */
static bool is_wanted(void *user, const char *name, const void *head, size_t n)
{
	(void)user;
	return !*name || is_vocabulary(name) || is_pickle(head, n) || is_safetensors(head, n);
}

/* The one checkpoint and, if there is one, the vocabulary; a .model goes before a vocab.txt. */
static ndl_status choose(const ndl_members *m, ndl_member **model, ndl_member **vocab, ndl_error *err)
{
	*model = *vocab = NULL;
	for (size_t i = 0; i < m->n; i++) {
		ndl_member *at = &m->member[i];
		if (is_vocabulary(at->name)) {
			if (!*vocab || (!ends_with((*vocab)->name, ".model") && ends_with(at->name, ".model")))
				*vocab = at;
		} else if (*model) {
			return ndl_fail(err, NDL_EUNSUPPORTED, "the archive holds two checkpoints, '%s' and '%s'", (*model)->name,
			                at->name);
		} else {
			*model = at;
		}
	}
	return *model ? NDL_OK : ndl_fail(err, NDL_EUNSUPPORTED, "the archive holds no checkpoint (a pickle or safetensors file)");
}

static ndl_ckpt *open_member(ndl_member *model, ndl_member *vocab, const char *prefix, ndl_import_info *info,
                             ndl_error *err)
{
	ndl_ckpt *c = open_plain(model->data, model->size, prefix, info, err);
	if (!c) {
		if (*model->name)
			ndl_error_prefix(err, "%s", model->name);
		return NULL;
	}
	snprintf(info->member, sizeof info->member, "%s", *model->name ? model->name : "(compressed)");
	void *data = model->data;
	model->data = NULL; /* moved */
	ndl_status s = ndl_ckpt_own(c, data, "archive", err) ? NDL_OK : NDL_ENOMEM;
	if (s == NDL_OK && vocab) {
		snprintf(info->vocab, sizeof info->vocab, "%s", vocab->name);
		s = ndl_ckpt_set_tokenizer(c, vocab->data, vocab->size, err);
	}
	if (s == NDL_OK)
		return c;
	ndl_ckpt_close(c);
	return NULL;
}

static ndl_ckpt *open_archive(const void *data, size_t size, const char *prefix, ndl_import_info *info, ndl_error *err)
{
	ndl_members m;
	ndl_member *model, *vocab;
	ndl_ckpt *c = NULL;
	size_t limit = size > SIZE_MAX / INFLATE_MAX - INFLATE_FREE ? SIZE_MAX : size * INFLATE_MAX + INFLATE_FREE;
	if (ndl_members_read(&m, data, size, limit, is_wanted, NULL, err) != NDL_OK)
		return NULL;
	if (choose(&m, &model, &vocab, err) == NDL_OK)
		c = open_member(model, vocab, prefix, info, err);
	ndl_members_clear(&m);
	return c;
}

/* ----------------------------------------------------------------------------------------- */

ndl_ckpt *ndl_import_memory(const void *data, size_t size, const char *prefix, ndl_import_info *info, ndl_error *err)
{
	ndl_import_info own;
	info = info ? info : &own;
	*info = (ndl_import_info){.kind = NDL_IMPORT_SAFETENSORS};
	bool archive = ndl_container_of(data, size) == NDL_CONTAINER && !is_safetensors(data, size);
	return archive ? open_archive(data, size, prefix, info, err) : open_plain(data, size, prefix, info, err);
}

ndl_ckpt *ndl_import_open(const char *path, const char *prefix, ndl_import_info *info, ndl_error *err)
{
	ndl_map map;
	if (ndl_map_open(&map, path, err) != NDL_OK)
		return NULL;
	ndl_ckpt *c = ndl_import_memory(map.data, map.size, prefix, info, err), *owner = c;
	if (!c) {
		ndl_error_at(err, path, 0);
		ndl_map_close(&map);
		return NULL;
	}
	while (owner->source)
		owner = owner->source;
	owner->map = map;
	owner->borrowed = false;
	return c;
}
