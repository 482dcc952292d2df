#!/bin/bash
# plot-log.sh - draws the log of a training run (needle-finetune --log) as a picture.
#
# Usage: contrib/plot-log.sh LOG.tsv > PLOT.svg
#
# Above, on a logarithmic scale: the loss of training (thin) and of validation (thick). Below, from 0 to
# 1: accuracy of tokens (thin: training, thick: validation) and exact matches and call F1 of the calls made in
# validation. Needs nothing but awk.
set -euo pipefail
export LC_ALL=C
log=${1:?usage: plot-log.sh LOG.tsv > PLOT.svg}

awk -F '\t' '
function x(step) { return 60 + 640 * (last > first ? (step - first) / (last - first) : 0) }
function y_loss(v) { return 40 + 200 * (log(high) - log(v)) / (log(high) - log(low)) }
function y_share(v) { return 290 + 200 * (1 - v) }
function curve(name, colour, width, loss,    i, points) {
	if (!(name in column)) return
	for (i = 1; i <= rows; i++)
		if (cell[i, name] != "" && (!loss || cell[i, name] > 0))
			points = points sprintf(" %.1f,%.1f", x(cell[i, "step"]), loss ? y_loss(cell[i, name]) : y_share(cell[i, name]))
	if (points != "")
		printf "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" points=\"%s\"/>\n", colour, width, substr(points, 2)
}
function text(at_x, at_y, anchor, words, colour) {
	printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", at_x, at_y, anchor, colour ? colour : "#333", words
}
function rule(at_y, words) {
	printf "<line x1=\"60\" x2=\"700\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", at_y, at_y
	text(54, at_y + 4, "end", words)
}
NR == 1 { for (i = 1; i <= NF; i++) { head[i] = $i; column[$i] = i } next }
{
	rows++
	for (i = 1; i <= NF; i++) cell[rows, head[i]] = $i
	for (i = 1; i <= 2; i++) {
		v = cell[rows, i == 1 ? "ce" : "val_loss"]
		if (v == "" || v <= 0) continue
		if (high == "" || v > high) high = v + 0
		if (low == "" || v < low) low = v + 0
	}
}
END {
	if (rows < 1 || !("step" in column) || !("ce" in column)) {
		print "plot-log.sh: no log of needle-finetune" > "/dev/stderr"
		exit 1
	}
	first = cell[1, "step"]; last = cell[rows, "step"]
	if (high <= low) { low = low / 2; high = high * 2 }
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 530\" font-family=\"sans-serif\" font-size=\"12\">"
	print "<rect width=\"760\" height=\"530\" fill=\"white\"/>"
	for (e = -6; e <= 6; e++)
		for (m = 1; m <= 5; m += m == 1 ? 1 : 3) {
			v = m * 10 ^ e
			if (v >= low && v <= high) { rule(y_loss(v), v); rules++ }
		}
	if (rules < 2) { rule(40, sprintf("%.3g", high)); rule(240, sprintf("%.3g", low)) }
	for (v = 0; v <= 100; v += 25) rule(y_share(v / 100), v / 100)
	text(60, 30, "start", "loss: training (thin), validation")
	curve("ce", "#9bbad9", 1, 1); curve("val_loss", "#1f5f99", 2.5, 1)
	text(60, 280, "start", "token accuracy", "#1f5f99")
	text(160, 280, "start", "calls: exact_match", "#b3541e")
	text(280, 280, "start", "call_f1", "#4c8c2b")
	curve("accuracy", "#9bbad9", 1, 0); curve("val_accuracy", "#1f5f99", 2.5, 0)
	curve("val_exact_match", "#b3541e", 2.5, 0); curve("val_call_f1", "#4c8c2b", 2.5, 0)
	text(60, 512, "start", first); text(700, 512, "end", "step " last)
	print "</svg>"
}' "$log"
