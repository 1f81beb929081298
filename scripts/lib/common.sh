# Shared by all scripts here: the repository's root, progress lines, and the one way to give up.
# Sourced, never run.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Everything that set-up fetches or builds lives here; deleting it costs a download and nothing else.
LOCAL_CACHE="$ROOT/.cache"

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
  STYLE_STEP=$'\e[1;36m' STYLE_BAD=$'\e[1;31m' STYLE_OFF=$'\e[0m'
else
  STYLE_STEP='' STYLE_BAD='' STYLE_OFF=''
fi

# One line of progress, on stderr so that a script's own output stays clean.
step() { printf '%s==>%s %s\n' "$STYLE_STEP" "$STYLE_OFF" "$*" >&2; }

# What went wrong and how to fix it; the script ends with 1.
fail() {
  printf '%serror:%s %s\n' "$STYLE_BAD" "$STYLE_OFF" "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command silently; shows its last lines only when it fails.
quietly() {
  local log status
  log=$(mktemp)
  status=0
  "$@" >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || tail -n 25 "$log" >&2
  rm -f "$log"
  return "$status"
}
