# Runs suites one after the other, each to its end, and sums up what they report. Sourced after common.sh.
#
# Every suite appends one line "passed failed skipped name" to the ledger; a step without a count of its own (types, lint)
# counts as one test. A script that is called by another one appends to its caller's ledger.

suites_begin() {
  if [ -z "${RDI_LEDGER:-}" ]; then
    RDI_LEDGER="$LOCAL_CACHE/results/ledger"
    export RDI_LEDGER
    rm -rf "$LOCAL_CACHE/results"
    mkdir -p "$LOCAL_CACHE/results"
    : >"$RDI_LEDGER"
  fi
  LEDGER_START=$(wc -l <"$RDI_LEDGER")
}

# A check that only says yes or no. $1: name; the rest: the command.
check() {
  local name=$1
  shift
  step "$name"
  local started=$SECONDS
  if (cd "$ROOT" && "$@"); then
    echo "1 0 0 $name" >>"$RDI_LEDGER"
  else
    echo "0 1 0 $name" >>"$RDI_LEDGER"
    printf '%sfailed:%s %s (%s)\n' "$STYLE_BAD" "$STYLE_OFF" "$name" "$*" >&2
  fi
  step "$name took $((SECONDS - started)) s"
}

# A vitest run. $1: name; the rest: arguments of vitest run. Counts come from vitest's own JSON report.
# SUITE_REPORTER=verbose shows every test as it ends, for suites of few long tests.
suite() {
  local name=$1 report status=0
  shift
  report="$LOCAL_CACHE/results/${name// /-}.json"
  rm -f "$report"
  step "$name tests"
  local started=$SECONDS
  (cd "$ROOT" && vitest run "$@" --reporter="${SUITE_REPORTER:-default}" --reporter=json --outputFile.json="$report") || status=$?
  node "$ROOT/scripts/lib/count-tests.ts" "$report" "$status" "$name" >>"$RDI_LEDGER"
  step "$name tests took $((SECONDS - started)) s"
}

# Prints the sum of what this script ran, as the last line, and ends with 1 when anything failed.
suites_end() {
  local passed=0 failed=0 skipped=0 p f s name
  while read -r p f s name; do
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    [ "$f" -eq 0 ] || printf '%sfailed:%s %s\n' "$STYLE_BAD" "$STYLE_OFF" "$name" >&2
  done < <(tail -n +$((LEDGER_START + 1)) "$RDI_LEDGER")
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
