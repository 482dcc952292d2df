/* dialect.c - finds the tools in a list, and name, description and parameters in each tool. */
#include "tools/schema_internal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* How deep lists may stand in lists (a Gemini declaration list, a namespace). */
enum { LIST_DEPTH = 4 };

static const char *const list_keys[] = {"functionDeclarations", "function_declarations", "tools", "functions"};
static const char *const param_keys[] = {"parameters", "input_schema", "inputSchema", "parametersJsonSchema",
	"parameters_json_schema"};

/* The array that an object wraps, and its key; NULL if none. */
static json_t *wrapped_list(const json_t *object, const char **key)
{
	for (size_t i = 0; i < COUNT(list_keys); i++) {
		json_t *list = ndl_json_get(object, list_keys[i]);
		if (json_is_array(list)) {
			*key = list_keys[i];
			return list;
		}
	}
	return NULL;
}

struct place {
	json_t *params;
	const char *key;  /* where params stood, for messages; NULL if there are none */
	bool is_schema;   /* params cannot be the flat form */
};

/* Parameters under a name that is none of param_keys: the tool would lose its arguments. */
static bool looks_like_params(const char *key, json_t *value)
{
	const char *name;
	json_t *inner;
	if (strncmp(key, "output", 6) == 0 || strncmp(key, "response", 8) == 0 || strcmp(key, "returns") == 0)
		return false;
	if (json_is_object(ndl_json_get(value, "properties")))
		return true;
	size_t short_form = 0;
	json_object_foreach(value, name, inner) {
		if (json_is_object(inner) && ndl_json_get(inner, "type"))
			return true;
		short_form += json_is_string(inner) && ndl_tools_type(json_string_value(inner));
	}
	return short_form && short_form == json_object_size(value);
}

static ndl_status find_params(struct place *p, const struct tool *tool, int flags, ndl_error *err)
{
	*p = (struct place){NULL, NULL, false};
	for (size_t i = 0; i < COUNT(param_keys); i++) {
		json_t *value = ndl_json_get(tool->holder, param_keys[i]);
		if (!value)
			continue;
		if (p->params)
			return ndl_fail(err, NDL_EINVAL, "both \"%s\" and \"%s\" are given", p->key, param_keys[i]);
		*p = (struct place){value, param_keys[i], i > 0};
	}
	if (p->params && tool->holder != tool->given && strcmp(p->key, "inputSchema") == 0 &&
	    json_is_object(ndl_json_get(p->params, "json")))
		p->params = ndl_json_get(p->params, "json"); /* Bedrock */
	if (!p->params && json_is_object(ndl_json_get(tool->holder, "properties"))) {
		p->params = tool->holder; /* LangChain: the tool is its own schema */
		p->is_schema = true;
	}
	const char *key;
	json_t *value;
	for (size_t i = 0; tool->holder != tool->given && i < COUNT(param_keys); i++)
		if (ndl_json_get(tool->given, param_keys[i]))
			return ndl_fail(err, NDL_EINVAL, "\"%s\" stands beside \"function\", not in it", param_keys[i]);
	if (!p->params && !(flags & NDL_TOOLS_LENIENT))
		json_object_foreach(tool->holder, key, value)
			if (looks_like_params(key, value))
				return ndl_fail(err, NDL_EINVAL, "\"%.60s\" is not read: parameters stand in \"parameters\"", key);
	return NDL_OK;
}

static ndl_status find_name(struct tool *tool, ndl_error *err)
{
	tool->key = "name";
	json_t *name = ndl_json_get(tool->holder, "name");
	if (!name && json_is_string(ndl_json_get(tool->holder, "title")) && ndl_json_get(tool->holder, "type")) {
		tool->key = "title";
		name = ndl_json_get(tool->holder, "title");
	}
	if (!name)
		return ndl_fail(err, NDL_EINVAL, "no name");
	if (!json_is_string(name))
		return ndl_fail(err, NDL_EINVAL, "name: expected a string, got %s", ndl_json_type_name(name));
	tool->name = json_string_value(name);
	if (!tool->name[0])
		return ndl_fail(err, NDL_EINVAL, "name: empty");
	json_t *description = ndl_json_get(tool->holder, "description");
	if (description && !json_is_string(description))
		return ndl_fail(err, NDL_EINVAL, "description: expected a string, got %s", ndl_json_type_name(description));
	tool->description = description ? json_string_value(description) : "";
	return NDL_OK;
}

/* where: "tools[2]". */
static ndl_status add_tool(ndl_tools *t, json_t *given, int flags, const char *where, ndl_error *err)
{
	struct tool tool = {.given = given, .holder = given};
	if (json_is_object(ndl_json_get(given, "function")))
		tool.holder = ndl_json_get(given, "function");
	else if (json_is_object(ndl_json_get(given, "toolSpec")))
		tool.holder = ndl_json_get(given, "toolSpec");
	struct place p = {NULL, NULL, false};
	ndl_status status = find_name(&tool, err);
	if (status == 0)
		status = find_params(&p, &tool, flags, err);
	if (status < 0) {
		ndl_error_prefix(err, "%s", where);
		return status;
	}
	if (p.params && !json_is_object(p.params))
		return ndl_fail(err, NDL_EINVAL, "%s.%s: expected an object, got %s", where, p.key,
			ndl_json_type_name(p.params));
	struct path at = {NULL, p.key, 0};
	json_t *needed = p.params == tool.holder ? NULL : ndl_json_get(tool.holder, "required"); /* some put it beside them */
	tool.schema = ndl_tools_normalise(p.params, p.is_schema, needed, flags, p.key ? &at : NULL, err);
	status = tool.schema ? ndl_tools_add(t, &tool, err) : err ? err->code : NDL_EINVAL;
	if (status < 0)
		ndl_error_prefix(err, "%s", where);
	json_decref(tool.schema);
	return status;
}

/* What an entry is called that is no function but something its provider runs, or a mark: {"type":"web_search"}, {"googleSearch":{}},
 * {"type":"bash_20250124","name":"bash"}, {"cachePoint":{…}}, a "custom" tool, whose input is text. NULL for any other: what has a
 * description or parameters is a tool, if a faulty one. */
static const char *foreign_name(const json_t *entry)
{
	const char *type = json_string_value(ndl_json_get(entry, "type")), *key, *only = NULL;
	bool custom = type && strcmp(type, "custom") == 0;
	json_t *value, *inner = NULL;
	for (size_t i = 0; i < COUNT(param_keys); i++)
		if (ndl_json_get(entry, param_keys[i]))
			return NULL;
	if (custom)
		return type;
	if (ndl_json_get(entry, "description") || (type && (strcmp(type, "function") == 0 || ndl_tools_type(type))))
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)entry, key, value) {
		if (looks_like_params(key, value))
			return NULL;
		only = key;
		inner = value;
	}
	bool named = ndl_json_get(inner, "name") || ndl_json_get(inner, "description");
	return type ? type : json_object_size(entry) == 1 && json_is_object(inner) && !named ? only : NULL;
}

/* Notes in err, which stays no failure, what of the list is left out. */
static void note_foreign(ndl_tools *t, const char *where, const char *name, ndl_error *err)
{
	if (err)
		ndl_fail(err, NDL_OK, "%s %s (%.60s)", t->foreign ? err->text : "left out, being no functions:", where, name);
	t->foreign = true;
}

static ndl_status add_list(ndl_tools *t, json_t *list, int flags, const char *where, int depth, ndl_error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *element = json_array_get(list, i);
		char here[160];
		snprintf(here, sizeof here, "%s[%zu]", where, i);
		if (!json_is_object(element))
			return ndl_fail(err, NDL_EINVAL, "%s: expected an object, got %s", here, ndl_json_type_name(element));
		const char *key = "";
		json_t *inner = wrapped_list(element, &key);
		ndl_status status = NDL_OK;
		const char *type = json_string_value(ndl_json_get(element, "type")), *foreign = inner ? NULL : foreign_name(element);
		bool holds = !ndl_json_get(element, "name") || (type && strcmp(type, "namespace") == 0);
		if (inner && holds && depth < LIST_DEPTH) {
			size_t used = strlen(here);
			snprintf(here + used, sizeof here - used, ".%s", key);
			status = add_list(t, inner, flags, here, depth + 1, err);
		} else if (foreign) {
			note_foreign(t, here, foreign, err);
		} else {
			status = add_tool(t, element, flags, here, err);
		}
		if (status < 0)
			return status;
	}
	return NDL_OK;
}

ndl_status ndl_tools_collect(ndl_tools *t, json_t *value, int flags, ndl_error *err)
{
	json_t *list = value;
	const char *key = "tools";
	if (json_is_object(value)) {
		/* {"jsonrpc":…,"result":{"tools":…}} of MCP, {"toolConfig":{"tools":…}} of Bedrock */
		json_t *object = value;
		if (json_is_object(ndl_json_get(value, "result")))
			object = ndl_json_get(value, "result");
		else if (json_is_object(ndl_json_get(value, "toolConfig")))
			object = ndl_json_get(value, "toolConfig");
		list = wrapped_list(object, &key);
	}
	if (!list && (ndl_json_get(value, "name") || ndl_json_get(value, "title") || ndl_json_get(value, "function") ||
	              ndl_json_get(value, "toolSpec")))
		return add_tool(t, value, flags, "tools", err); /* one tool, as LangChain's converters give it */
	if (!json_is_array(list))
		return ndl_fail(err, NDL_EINVAL, "tools: expected an array of tools, got %s", ndl_json_type_name(value));
	return add_list(t, list, flags, "tools", 0, err);
}
