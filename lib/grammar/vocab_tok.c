#include "grammar/grammar.h"

#include "base/mem.h"

#include <stdlib.h>

ndl_vocab_trie *ndl_vocab_trie_from_tok(const ndl_tok *tok, ndl_error *err)
{
	size_t n = ndl_tok_size(tok);
	const char **bytes = ndl_calloc(n, sizeof *bytes);
	size_t *len = ndl_calloc(n, sizeof *len);
	ndl_vocab_trie *v = NULL;
	if (!bytes || !len) {
		ndl_fail_nomem(err, "vocabulary");
		goto out;
	}
	for (size_t i = NDL_TOOLS + 1; i < n; i++)
		bytes[i] = ndl_tok_bytes(tok, (int32_t)i, &len[i]);
	v = ndl_vocab_trie_new(bytes, len, n, NDL_EOS, err);
out:
	free(bytes);
	free(len);
	return v;
}
