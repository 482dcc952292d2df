# Bats tests of the commands and lint tests
