#!/usr/bin/env -S jq -cnf
# Records of needle-synth, given long lists of tools: to measure retrieval.
#
#   needle-synth -n 6000 --split tool --seed 21 | contrib/tool-pools.jq | needle-eval -m MODEL --recall
#
# The tools of successive records go into a pool until it has 100; then each of these records comes out with
# the pool as its tools. Records whose tools the pool has in another wording are left out.

def as_json: if type == "string" then fromjson else . end;

# the tools that are called and others, 100 in all, by name
def offered: .called as $called
	| (.pool | keys_unsorted) as $names
	| ([$names[] | select($called[.])] + [$names[] | select($called[.] | not)])[:100] as $chosen
	| .pool as $pool | [$chosen | sort[] | $pool[.]];

foreach (inputs, null) as $record (
	{pool: {}, called: {}, records: []};
	if .out then {pool: {}, called: {}, records: []} else . end
	| if $record == null then .
	  else .pool as $pool
		| ($record.tools | as_json) as $tools | ($record.answers | as_json) as $answers
		| if any($tools[]; $pool[.name] != null and $pool[.name] != .) then .
		  else .pool += ($tools | map({(.name): .}) | add // {})
			| .called += ($answers | map({(.name): true}) | add // {})
			| .records += [$record]
		  end
	  end
	| .out = ((.pool | length) >= 100);
	select(.out) | offered as $tools | .records[] | .tools = $tools)
