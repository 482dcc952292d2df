# error-causes.jq - why a record of needle-eval --failures is a miss, a word a line:
#
#   needle-eval -m FILE --failures misses.jsonl test.jsonl
#   jq -rf contrib/error-causes.jq misses.jsonl | sort | uniq -c | sort -rn
#
# The first that applies. Calls are compared in the order of their names, as exact_match does not
# mind their order either.
def list: if type == "string" then (try fromjson catch []) else . // [] end;
def named: map(.arguments |= (if type == "string" then fromjson else . // {} end)) | sort_by(.name, (.arguments | tojson));
(.answers | list | named) as $want | (.calls | list | named) as $got
| if ($want | length) == 0 then "false call"
  elif ($got | length) == 0 then "false refusal"
  elif ($want | length) != ($got | length) then "number of calls"
  elif ($want | map(.name)) != ($got | map(.name)) then "wrong tool"
  elif ($want | map(.arguments | keys)) != ($got | map(.arguments | keys)) then "missing or extra argument"
  elif ($want | map(.arguments | map_values(type))) != ($got | map(.arguments | map_values(type))) then "wrong type"
  else "wrong value"
  end
