#include "data/record.h"

#include "data/augment.h"

#include <string.h>

void ndl_record_clear(ndl_record *r)
{
	ndl_tools_free(r->tools);
	json_decref(r->answers);
	json_decref(r->root);
	*r = (ndl_record){0};
}

static ndl_status take_query(ndl_record *r, ndl_error *err)
{
	const json_t *query = json_object_get(r->root, "query");
	if (!json_is_string(query))
		return ndl_fail(err, NDL_EINVAL, "query: expected a string, found %s", ndl_json_type_name(query));
	r->query = json_string_value(query);
	r->query_len = json_string_length(query);
	return NDL_OK;
}

/* The field as JSON, whether it is JSON or a string of JSON. */
static json_t *take_field(const ndl_record *r, const char *name, ndl_error *err)
{
	json_t *field = ndl_json_get(r->root, name), *value;
	if (!field) {
		ndl_fail(err, NDL_EINVAL, "%s: missing", name);
		return NULL;
	}
	value = ndl_json_unwrap(field, err);
	if (!value) {
		ndl_error_prefix(err, "%s", name);
		if (err)
			err->line = 0; /* counted inside the string, which is of no help */
	}
	return value;
}

static ndl_status take_tools(ndl_record *r, ndl_rng *rng, ndl_error *err)
{
	json_t *value = take_field(r, "tools", err);
	if (!value)
		return NDL_EINVAL;
	ndl_status rc = rng ? ndl_shuffle_tools(value, rng, err) : NDL_OK;
	/* lenient: a constraint that the grammar cannot keep does not spoil a prompt */
	if (rc == NDL_OK) {
		r->tools = ndl_tools_new(value, NDL_TOOLS_LENIENT, err);
		rc = r->tools ? NDL_OK : NDL_EINVAL;
	}
	json_decref(value);
	return rc;
}

static bool allows_others(const json_t *schema)
{
	const json_t *more = json_object_get(schema, "additionalProperties");
	return json_is_true(more) || json_is_object(more);
}

static ndl_status check_arguments(const ndl_record *r, size_t i, size_t tool, json_t *arguments, ndl_error *err)
{
	json_t *schema = ndl_tools_schema(r->tools, tool), *properties = json_object_get(schema, "properties"), *value;
	const char *key;
	json_object_foreach(arguments, key, value)
		if (!json_object_get(properties, key) && !allows_others(schema))
			return ndl_fail(err, NDL_EINVAL, "answers[%zu].arguments.%.80s: not a parameter of %.80s", i, key,
			                ndl_tools_name(r->tools, tool));
	return NDL_OK;
}

/* Makes sure that answer["arguments"] is an object. */
static ndl_status unwrap_arguments(json_t *answer, size_t i, ndl_error *err)
{
	json_t *object = ndl_tools_arguments(answer, err);
	if (object)
		return json_object_set_new(answer, "arguments", object) < 0 ? ndl_fail_nomem(err, "arguments") : NDL_OK;
	ndl_error_prefix(err, "answers[%zu].arguments", i);
	if (err)
		err->line = 0;
	return NDL_EINVAL;
}

static ndl_status check_answer(const ndl_record *r, size_t i, json_t *answer, ndl_error *err)
{
	if (!json_is_object(answer))
		return ndl_fail(err, NDL_EINVAL, "answers[%zu]: expected an object, found %s", i,
		                ndl_json_type_name(answer));
	const char *name = json_string_value(json_object_get(answer, "name"));
	if (!name)
		return ndl_fail(err, NDL_EINVAL, "answers[%zu].name: expected a string", i);
	long tool = ndl_tools_find(r->tools, name);
	if (tool < 0)
		return ndl_fail(err, NDL_EINVAL, "answers[%zu].name: no tool is called '%.100s'", i, name);
	ndl_status rc = unwrap_arguments(answer, i, err);
	if (rc == NDL_OK)
		rc = check_arguments(r, i, (size_t)tool, json_object_get(answer, "arguments"), err);
	if (rc == NDL_OK && (rc = ndl_tools_check_call(r->tools, answer, err)) != NDL_OK)
		ndl_error_prefix(err, "answers[%zu]", i);
	return rc;
}

static ndl_status take_answers(ndl_record *r, ndl_error *err)
{
	size_t i;
	json_t *answer;
	r->answers = take_field(r, "answers", err);
	if (!r->answers)
		return NDL_EINVAL;
	if (!json_is_array(r->answers))
		return ndl_fail(err, NDL_EINVAL, "answers: expected an array, found %s", ndl_json_type_name(r->answers));
	json_array_foreach(r->answers, i, answer) {
		answer = ndl_tools_call(answer);
		if (json_array_set(r->answers, i, answer) < 0)
			return ndl_fail_nomem(err, "answers");
		ndl_status rc = check_answer(r, i, answer, err);
		if (rc != NDL_OK)
			return rc;
	}
	return NDL_OK;
}

ndl_status ndl_record_take(ndl_record *r, json_t *root, ndl_rng *rng, ndl_error *err)
{
	ndl_status rc = NDL_OK;
	*r = (ndl_record){.root = root};
	if (!json_is_object(r->root))
		rc = ndl_fail(err, NDL_EINVAL, "expected an object, found %s", ndl_json_type_name(r->root));
	if (rc == NDL_OK)
		rc = take_query(r, err);
	if (rc == NDL_OK)
		rc = take_tools(r, rng, err);
	if (rc == NDL_OK)
		rc = take_answers(r, err);
	if (rc != NDL_OK)
		ndl_record_clear(r);
	return rc;
}

ndl_status ndl_record_parse(ndl_record *r, const char *line, size_t len, ndl_rng *rng, ndl_error *err)
{
	json_t *root = ndl_json_parse(line, len, err);
	if (root)
		return ndl_record_take(r, root, rng, err);
	*r = (ndl_record){0};
	if (err)
		err->line = 0; /* a record is one line; its number is the caller's to know */
	return NDL_EFORMAT;
}

size_t ndl_record_called(const ndl_record *r, size_t i)
{
	const json_t *answer = json_array_get(r->answers, i);
	long tool = ndl_tools_find(r->tools, json_string_value(json_object_get(answer, "name")));
	return tool < 0 ? 0 : (size_t)tool; /* parsing made sure that it is there */
}
