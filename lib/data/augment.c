#include "data/augment.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Values of JSON deeper than this in a schema keep their order, which is twice as deep as lib/tools takes schemas. */
enum { MAX_DEPTH = 64 };

/* A growable permutation, shared by all the shuffles of one record. */
typedef struct shuffler {
	ndl_rng *rng;
	size_t *order, cap;
	json_t **value;
	size_t value_cap;
	char **key;
	size_t key_cap;
	bool failed;
} shuffler;

static bool permute(shuffler *s, size_t n)
{
	if (ndl_grow(&s->order, &s->cap, n, sizeof *s->order) < 0 ||
	    ndl_grow(&s->value, &s->value_cap, n, sizeof *s->value) < 0 ||
	    ndl_grow(&s->key, &s->key_cap, n, sizeof *s->key) < 0) {
		s->failed = true;
		return false;
	}
	ndl_rng_shuffle(s->rng, s->order, n);
	return true;
}

static void shuffle_array(shuffler *s, json_t *array)
{
	size_t n = json_array_size(array);
	if (n < 2 || !permute(s, n))
		return;
	for (size_t i = 0; i < n; i++)
		s->value[i] = json_incref(json_array_get(array, i));
	for (size_t i = 0; i < n; i++)
		json_array_set_new(array, i, s->value[s->order[i]]);
}

static void shuffle_keys(shuffler *s, json_t *object)
{
	size_t n = json_object_size(object), i = 0, have = 0;
	const char *key;
	json_t *child;
	if (n < 2 || !permute(s, n))
		return;
	json_object_foreach(object, key, child) {
		s->key[have] = strdup(key);
		s->value[have] = json_incref(child);
		s->failed |= !s->key[have];
		have++;
	}
	if (!s->failed)
		json_object_clear(object);
	for (i = 0; i < have; i++) {
		size_t from = s->order[i];
		if (!s->failed && json_object_set(object, s->key[from], s->value[from]) < 0)
			s->failed = true;
	}
	for (i = 0; i < have; i++) {
		free(s->key[i]);
		json_decref(s->value[i]);
	}
}

/* The properties of a JSON Schema and of all that stand in it, under whatever keyword. */
static void shuffle_schema(shuffler *s, json_t *schema, int depth)
{
	json_t *properties = json_object_get(schema, "properties"), *child;
	const char *key;
	size_t i;
	if (depth > MAX_DEPTH || s->failed)
		return;
	if (json_is_object(properties))
		shuffle_keys(s, properties);
	json_object_foreach(schema, key, child)
		shuffle_schema(s, child, depth + 1);
	json_array_foreach(schema, i, child)
		shuffle_schema(s, child, depth + 1);
}

/* Flat, {argument: its schema}, or a JSON Schema, in which the order of keywords means nothing. */
static void shuffle_parameters(shuffler *s, json_t *parameters)
{
	if (!json_is_object(parameters))
		return;
	shuffle_keys(s, parameters);
	shuffle_schema(s, parameters, 0);
}

static void shuffle_tool(shuffler *s, json_t *tool)
{
	static const char *const schemas[] = {"parameters", "input_schema", "inputSchema", "parametersJsonSchema",
	                                      "parameters_json_schema"};
	json_t *function = json_object_get(tool, "function");
	if (!json_is_object(function))
		function = json_object_get(tool, "toolSpec");
	if (json_is_object(function))
		tool = function;
	for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
		shuffle_parameters(s, json_object_get(tool, schemas[i]));
	if (json_is_object(json_object_get(tool, "properties"))) /* LangChain: the tool is its own schema */
		shuffle_schema(s, tool, 0);
}

static void shuffle_list(shuffler *s, json_t *value, int depth)
{
	static const char *const wrappers[] = {"tools", "functions", "functionDeclarations",
	                                       "function_declarations", "result", "toolConfig"};
	json_t *child;
	size_t i;
	if (depth > 3)
		return;
	if (json_is_array(value)) {
		shuffle_array(s, value);
		json_array_foreach(value, i, child)
			shuffle_list(s, child, depth + 1);
	} else if (json_is_object(value)) {
		shuffle_tool(s, value);
		for (i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
			child = json_object_get(value, wrappers[i]);
			if (child)
				shuffle_list(s, child, depth + 1);
		}
	}
}

ndl_status ndl_shuffle_tools(json_t *tools, ndl_rng *rng, ndl_error *err)
{
	shuffler s = {.rng = rng};
	shuffle_list(&s, tools, 0);
	free(s.order);
	free(s.value);
	free(s.key);
	return s.failed ? ndl_fail_nomem(err, "shuffling tools") : NDL_OK;
}

void ndl_loosen_tools(const ndl_tools *t, ndl_rng *rng)
{
	const double share = ndl_rng_chance(rng, 0.5) ? 1 : 0.5;
	for (size_t i = 0; i < ndl_tools_count(t); i++) {
		json_t *required = json_object_get(ndl_tools_schema(t, i), "required");
		for (size_t k = json_array_size(required); k-- > 0;)
			if (ndl_rng_chance(rng, share))
				json_array_remove(required, k);
	}
}
