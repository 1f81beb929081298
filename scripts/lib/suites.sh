# Runs suites one after the other, each to its end, and sums up what they report. Sourced after common.sh.
#
# Every suite appends one line "passed failed skipped name" to the ledger; a step without a count of its own (types, lint)
# counts as one test. What failed is written beside it, in words, and shown once more at the very end: logs of long runs are
# often cut from above. A script that is called by another one appends to its caller's ledger and leaves the end to it.

suites_begin() {
  SUITES_OUTERMOST=
  if [ -z "${RDI_LEDGER:-}" ]; then
    SUITES_OUTERMOST=yes
    RDI_LEDGER="$LOCAL_CACHE/results/ledger"
    export RDI_LEDGER
    rm -rf "$LOCAL_CACHE/results"
    mkdir -p "$LOCAL_CACHE/results"
    : >"$RDI_LEDGER"
    : >"$RDI_LEDGER.failures"
  fi
  LEDGER_START=$(wc -l <"$RDI_LEDGER")
}

# Shows a command's output as it comes and keeps a copy. $1: file of the copy; the rest: the command. Status: the command's.
keeping_output() {
  local log=$1
  shift
  (cd "$ROOT" && "$@") 2>&1 | tee "$log"
}

# Writes down the last words of a step that failed. $1: name; $2: file with its output.
remember_output() {
  {
    echo "failed: $1; its last lines:"
    tail -n 30 "$2" | cut -c 1-400 | sed 's/^/      /'
  } >>"$RDI_LEDGER.failures"
}

# A check that only says yes or no. $1: name; the rest: the command.
check() {
  local name=$1 log
  shift
  step "$name"
  local started=$SECONDS
  log=$(mktemp)
  if keeping_output "$log" "$@"; then
    echo "1 0 0 $name" >>"$RDI_LEDGER"
  else
    echo "0 1 0 $name" >>"$RDI_LEDGER"
    remember_output "$name" "$log"
    printf '%sfailed:%s %s (%s)\n' "$STYLE_BAD" "$STYLE_OFF" "$name" "$*" >&2
  fi
  rm -f "$log"
  step "$name took $((SECONDS - started)) s"
}

# A vitest run. $1: name; the rest: arguments of vitest run. Counts and failures come from vitest's own JSON report.
# SUITE_REPORTER=verbose shows every test as it ends, for suites of few long tests.
suite() {
  local name=$1 report log status=0
  shift
  report="$LOCAL_CACHE/results/${name// /-}.json"
  log="${report%.json}.log"
  rm -f "$report"
  step "$name tests"
  local started=$SECONDS
  keeping_output "$log" vitest run "$@" --reporter="${SUITE_REPORTER:-default}" --reporter=json --outputFile.json="$report" || status=$?
  (cd "$ROOT" && node scripts/lib/count-tests.ts "$report" "$log" "$status" "$RDI_LEDGER.failures" "$name") >>"$RDI_LEDGER"
  step "$name tests took $((SECONDS - started)) s"
}

# Prints the sum of what this script ran, as the last line, and ends with 1 when anything failed. The outermost script says
# right before it what failed.
suites_end() {
  local passed=0 failed=0 skipped=0 p f s name
  while read -r p f s name; do
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    [ "$f" -eq 0 ] || printf '%sfailed:%s %s\n' "$STYLE_BAD" "$STYLE_OFF" "$name" >&2
  done < <(tail -n +$((LEDGER_START + 1)) "$RDI_LEDGER")
  [ -z "$SUITES_OUTERMOST" ] || cat "$RDI_LEDGER.failures"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
