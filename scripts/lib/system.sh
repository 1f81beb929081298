# Programs that come from the operating system: redis-server and, for some tests, more. Sourced after common.sh.

# Installs Debian packages without starting any service they bring. Fails with a sentence that says what to run by hand.
# $1: what it is for; the rest: package names.
install_system_packages() {
  local purpose=$1
  shift
  have apt-get || fail "$purpose is missing and this system has no apt-get. Install it with your package manager (package names on Debian: $*), then run this again."
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    have sudo && sudo -n true 2>/dev/null || fail "$purpose is missing. Run: sudo apt-get install $*"
    as_root=(sudo -n)
  fi
  step "installing $purpose (apt-get install $*)"
  # Debian starts a package's service when it is installed, unless this file says no. Ours is removed afterwards.
  local policy=/usr/sbin/policy-rc.d own_policy=''
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    own_policy=yes
  fi
  local status=0
  apt_install "$@" || { quietly "${as_root[@]}" apt-get update -q && apt_install "$@"; } || status=1
  [ -z "$own_policy" ] || "${as_root[@]}" rm -f "$policy"
  [ "$status" -eq 0 ] || fail "apt-get could not install $*. The lines above say why; fix that, or install $purpose by hand, then run this again."
}

apt_install() {
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

ensure_redis() {
  have redis-server && return 0
  install_system_packages redis-server redis-server
  have redis-server || fail 'redis-server is still not on PATH after its installation. Add its folder to PATH, then run this again.'
}
