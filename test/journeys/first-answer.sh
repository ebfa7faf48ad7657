#!/usr/bin/env bash
# A new user's way from clone to first routed answer: README's two commands in a fresh clone of the last commit, then
# only what they print. Prints how long each part took. Needs what the user needs: git, Node with npm, curl.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
output=$folder/output
gateway=

clean_up() {
  # The group that setsid made below; nobody else is in it.
  if [ -n "$gateway" ]; then kill -KILL -- "-$gateway" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap clean_up EXIT

fail() {
  echo "first answer: $1" >&2
  [ ! -f "$output" ] || sed 's/^/  | /' "$output" >&2
  exit 1
}

part() {
  echo "first answer: $1 (after $SECONDS s)"
}

# A stranger's environment: no key of ours, no setting, no tool of this checkout.
path=$(printf '%s' "$PATH" | tr : '\n' | grep -v "^$repository/" | paste -sd: -)
stranger=(env -i PATH="$path" HOME="$HOME" PORT=0 npm_config_prefer_offline=true npm_config_audit=false npm_config_fund=false)

git clone --quiet --depth 1 "file://$repository" "$folder/fluxcompute" || fail 'the repository can not be cloned'
cd "$folder/fluxcompute"
for command in 'npm ci' 'npm start'; do
  grep -qx "$command" README.md || fail "README no longer says: $command"
done

"${stranger[@]}" timeout 180 npm ci >"$output" 2>&1 || fail 'npm ci failed'
part 'installed'

setsid "${stranger[@]}" npm start >"$output" 2>&1 &
gateway=$!
for _ in $(seq 300); do
  grep -q '^Ctrl-C stops' "$output" && break
  kill -0 "$gateway" 2>/dev/null || fail 'npm start ended'
  sleep 0.2
done
url=$(sed -n 's/^  gateway  *//p' "$output")
key=$(sed -n 's/^  key  *//p' "$output")
line=$(sed -n 's/^  \(curl .*\)/\1/p' "$output")
if [ -z "$url" ] || [ -z "$key" ] || [ -z "$line" ]; then fail 'npm start printed no URL, key and curl line in a minute'; fi
part 'running'

answer=$(bash -c "$line --silent --show-error --fail-with-body --max-time 20") || fail "the curl line failed: $answer"
for part_of_it in '"model_selected":' '"cost_usd":' '"basis":"prior"' '"simulated":true' 'a simulated answer'; do
  case $answer in *"$part_of_it"*) ;; *) fail "the answer lacks $part_of_it: $answer" ;; esac
done
part 'the printed curl line is answered'

# README's own TypeScript, with the printed values where the reader puts them; it is JavaScript too.
sed -n '/^```ts$/,/^```$/p' README.md | sed '/^```/d' |
  sed -e "s|http://127.0.0.1:8787/v1|$url|" -e "s|flx_your_key|$key|" >swap.mjs
grep -q "$key" swap.mjs || fail "README's TypeScript has no place for the key"
streamed=$("${stranger[@]}" timeout 30 node swap.mjs 2>&1) || fail "README's TypeScript failed: $streamed"
case $streamed in *'a simulated answer'*) ;; *) fail "README's TypeScript printed: $streamed" ;; esac
part 'the OpenAI client with base_url swapped is answered'

summary=
for _ in $(seq 20); do
  summary=$(curl --silent --max-time 5 -H "Authorization: Bearer $key" "${url%/v1}/api/metrics/summary?period=24h")
  case $summary in *'"total_queries":2,'*) break ;; esac
  sleep 0.5
done
case $summary in *'"total_queries":2,'*) ;; *) fail "both are no rows after 10 s: $summary" ;; esac
part 'both are rows'

kill -INT -- "-$gateway"
for _ in $(seq 60); do
  kill -0 "$gateway" 2>/dev/null || break
  sleep 0.2
done
grep -q 'nothing was lost' "$output" || fail 'Ctrl-C did not stop it within 12 s'
gateway=
part 'stopped, nothing lost'
