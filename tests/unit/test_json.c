/* json: compact writing as Python's json.dumps, error positions, equality. */
#include "json/json.h"
#include "tests/tap.h"

static void check_double(double x, const char *want)
{
	ndl_buf b = NDL_BUF_INIT;
	ndl_json_write_double(&b, x);
	CHECK_STR(ndl_buf_cstr(&b), want);
	ndl_buf_clear(&b);
}

static void check_round(const char *text, int flags, const char *want)
{
	ndl_error e = NDL_ERROR_INIT;
	ndl_buf b = NDL_BUF_INIT;
	json_t *v = ndl_json_parse(text, strlen(text), &e);
	if (v)
		ndl_json_write(&b, v, flags);
	CHECK_STR(v ? ndl_buf_cstr(&b) : e.text, want);
	json_decref(v);
	ndl_buf_clear(&b);
}

int main(void)
{
	/* Python: [repr(x) for x in …] */
	check_double(0.1, "0.1");
	check_double(3, "3.0");
	check_double(-0.0, "-0.0");
	check_double(1e16, "1e+16");
	check_double(123456789012345680.0, "1.2345678901234568e+17");
	check_double(1e15, "1000000000000000.0");
	check_double(0.0001, "0.0001");
	check_double(0.00001, "1e-05");
	check_double(1.5e-7, "1.5e-07");
	check_double(0x1p-24, "5.960464477539063e-08"); /* the nearest of 16 digits does not read back */
	check_double(-0x1p89, "-6.189700196426902e+26");
	check_double(5e-324, "5e-324");
	check_double(1.7976931348623157e308, "1.7976931348623157e+308");
	check_double(2.0 / 3, "0.6666666666666666");

	check_round("{ \"b\" : [1, 2.50, true, null], \"a\" : \"x\" }", 0, "{\"b\":[1,2.5,true,null],\"a\":\"x\"}");
	check_round("\"\\u00e9\\ud83d\\ude00/\\n\\u0001\\\"\"", 0, "\"\xc3\xa9\xf0\x9f\x98\x80/\\n\\u0001\\\"\"");
	check_round("\"\\u00e9\\ud83d\\ude00\\u007f\"", NDL_JSON_ASCII, "\"\\u00e9\\ud83d\\ude00\\u007f\"");
	check_round("9007199254740993", 0, "9007199254740993");

	ndl_error e = NDL_ERROR_INIT;
	const char *bad = "{\"a\":1,\n \"a\":2}";
	CHECK(ndl_json_parse(bad, strlen(bad), &e) == NULL && e.line == 2 && e.column > 0);
	CHECK(ndl_json_parse("[1]x", 4, &e) == NULL);
	CHECK(ndl_json_parse("", 0, &e) == NULL);
	CHECK(ndl_json_parse("\"\xff\"", 3, &e) == NULL);

	json_t *a = ndl_json_parse("{\"x\":[1,2],\"y\":\"z\"}", 19, &e);
	json_t *b = ndl_json_parse("{\"y\":\"z\",\"x\":[1.0,2]}", 21, &e);
	CHECK(a && b && ndl_json_equal(a, b));
	json_array_append_new(json_object_get(b, "x"), json_null());
	CHECK(!ndl_json_equal(a, b));
	CHECK(ndl_json_has(json_object_get(b, "x"), json_array_get(json_object_get(a, "x"), 0))); /* [1.0,2,null] has 1 */
	CHECK(!ndl_json_has(json_object_get(a, "x"), json_object_get(a, "y")) && !ndl_json_has(NULL, a));
	json_t *s = json_string("[1]"), *u = ndl_json_unwrap(s, &e);
	CHECK(json_is_array(u));
	ndl_buf none = NDL_BUF_INIT;
	ndl_json_write(&none, NULL, 0); /* what jansson gives when there is no memory */
	CHECK_INT(ndl_buf_check(&none, NULL), NDL_ENOMEM);
	json_decref(a);
	json_decref(b);
	json_decref(s);
	json_decref(u);
	return tap_done();
}
