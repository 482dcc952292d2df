# fixtures, one line a file in testdata/README.md
