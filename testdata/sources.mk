# fixtures, one line a file in testdata/README.md
EXTRA_DIST += testdata/README.md testdata/handwritten.jsonl testdata/golden/tiny.safetensors
