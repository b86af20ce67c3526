#!/usr/bin/env bash
# The decisions of ./dev setup, with a machine made of functions: nothing is installed and nothing is fetched. One line a case; run by SetupScriptTests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
failures=0

# What ./dev has before it sources these.
say() { printf '%s\n' "$*" >&2; }
fail() { say "dev: $*"; exit 1; }
wants_help() { false; }
. tools/dev/setup.sh
. tools/dev/packages.sh
. tools/dev/pebble.sh

# The machine. Each case sets: os, arch, user, have (programs), own and served (versions of Pebble), source (its apt's first line).
calls=$place/calls
export XDG_CACHE_HOME=$place/cache
distribution() { printf '%s' "$os"; }
is_root() { [ "$user" = root ]; }
has_program() { [[ " $have " = *" $1 "* ]]; }
sudo() { printf 'sudo %s\n' "$*" >>"$calls"; [ "$user" = sudoer ]; }
chown() { :; }
install_packages() { printf 'install %s\n' "$*" >>"$calls"; }
dotnet() { printf 'dotnet %s\n' "$*" >>"$calls"; }
dpkg-query() { printf '%s' "$own"; }
dpkg() { if [ "$1" = --print-architecture ]; then printf '%s' "$arch"; else command dpkg "$@"; fi; }
apt-config() { printf 'Acquire::http::Proxy "http://proxy";\nAPT::Update::Post-Invoke:: "false";\n'; }
apt-get() {
  printf 'apt-get %s\n' "$*" >>"$calls"
  # shellcheck disable=SC2031
  case "$*" in
    indextargets*) printf '%s\n' "$source" ;;
    *update) cat "${APT_CONFIG%/*}/sources.list" "$APT_CONFIG" >>"$calls" ;;
    *download*) [ -n "$served" ] && cp "$place/pebble_$served.deb" . ;;
  esac
}

make_deb() { # version, what its program ends with
  mkdir -p "$place/deb/DEBIAN" "$place/deb/usr/bin"
  printf 'Package: pebble\nVersion: %s\nArchitecture: all\nMaintainer: nobody <n@localhost>\nDescription: none\n' "$1" >"$place/deb/DEBIAN/control"
  printf '#!/bin/sh\nexit %s\n' "$2" >"$place/deb/usr/bin/pebble"
  chmod 755 "$place/deb/usr/bin/pebble"
  dpkg-deb --root-owner-group -b "$place/deb" "$place/pebble_$1.deb" >/dev/null
}
make_deb 2.6.0 0
make_deb 2.10.0 0
make_deb 2.11.0 126

all="dotnet apt-get sudo runc chromium"
for entry in "${NEEDS[@]}"; do all+=" ${entry%%[:|]*}"; done

machine() {
  os=debian arch=amd64 user=root have=$all own=2.4.0-1 served=2.10.0 source="Debian bookworm http://mirror/debian"
  rm -rf "$calls" "$XDG_CACHE_HOME"
  : >"$calls"
}

# setup with the machine as it is; what it says and whom it calls are in $out.
run() {
  # Not beside ||, where -e would be off in it.
  set +e
  # shellcheck disable=SC2119
  (set -e; setup) >"$place/said" 2>&1
  status=$?
  set -e
  out=$(cat "$place/said" "$calls")
}

check() { # case, condition...
  local name=$1
  shift
  if "$@"; then printf 'ok %s\n' "$name"; else
    printf 'FAILED %s (%s)\n%s\n' "$name" "$status" "$out"
    failures=$((failures + 1))
  fi
}
ended() { [ "$status" = "$1" ]; }
has() { [[ $out = *"$1"* ]]; }
hasnt() { ! has "$1"; }
installs_nothing() { ! grep -q '^install' "$calls"; }
fetched() { [ -x "$XDG_CACHE_HOME/piccolo-dev/pebble/usr/bin/pebble" ]; }
no_leftover() { [ -z "$(ls -A "$XDG_CACHE_HOME/piccolo-dev")" ]; }

machine; run
check "all there: ends well" ended 0
check "all there: nothing is installed" installs_nothing
check "all there: restores by the lock files" has "dotnet restore Piccolo.Appliance.sln --locked-mode"
check "Pebble too old: one is fetched from sid of the same mirror" has "http://mirror/debian sid main"
check "Pebble: the mirror's proxy is kept" has 'Acquire::http::Proxy "http://proxy"'
check "Pebble: the machine's hooks are not" hasnt "Post-Invoke"
check "Pebble: is there" fetched
: >"$calls"; run
check "again: apt is not asked" hasnt "apt-get"

machine; source="" ; run
check "no lists of packages yet: the distribution's public archive" has "http://deb.debian.org/debian sid main"
machine; source=$'microsoft-debian-bookworm-prod bookworm http://other\nDebian bookworm-updates http://updates\nDebian bookworm http://mirror/debian'; run
check "other archives and updates are passed over" has "http://mirror/debian sid main"

machine; os=ubuntu source="Ubuntu noble http://mirror/ubuntu" have=${all/chromium/}; run
check "Ubuntu: Pebble comes from devel" has "http://mirror/ubuntu devel universe"
check "Ubuntu: a browser is asked for in a sentence" has "ChromiumTests"
check "Ubuntu: no stub of a browser is installed" installs_nothing
machine; os=ubuntu arch=arm64 source=""; run
check "Ubuntu arm64: has an archive of its own" has "http://ports.ubuntu.com/ubuntu-ports devel universe"
machine; arch=arm64; run
check "Debian arm64: is nothing special" fetched
machine; have=${all/chromium/}; run
check "Debian: the browser is a package" has "install chromium"
machine; have="${all/chromium/} google-chrome"; run
check "Chrome will do" installs_nothing

machine; own=2.10.1-3; run
check "Pebble new enough: is linked" test "$(readlink "$XDG_CACHE_HOME/piccolo-dev/pebble/usr/bin/pebble")" = /usr/bin/pebble
check "Pebble new enough: nothing is fetched" hasnt "apt-get"
for version in "" 2.6.0 2.11.0; do
  machine; served=$version; run
  check "Pebble '$version': goes on" ended 0
  check "Pebble '$version': says which tests need it" has "category Acme"
  check "Pebble '$version': leaves nothing" no_leftover
done
machine; os=devuan; run
check "another distribution: no suite is guessed" has "no newer suite is known for devuan"

machine; have="${all//runc/} crun"; run
check "crun instead of runc" installs_nothing
machine; have=${all//runc/}; run
check "neither runc nor crun" has "install runc"

machine; user=sudoer have=${all//lego/}; run
check "sudo: says first what needs root" has "needs root: apt-get install lego"
check "sudo: installs" has "install lego"
machine; user=nobody have=${all//lego/}; run
check "sudo refuses: fails" ended 1
check "sudo refuses: in a sentence" has "sudo refuses"
check "sudo refuses: before anything is installed or restored" test "$(grep -cE '^(install|apt-get|dotnet restore)' "$calls")" = 0
machine; user=nobody have=${all//lego/} have=${have//sudo/}; run
check "neither root nor sudo: fails" ended 1
check "neither root nor sudo: in a sentence" has "there is no sudo"
machine; user=nobody have=${all//sudo/}; run
check "neither root nor sudo, but all there: ends well" ended 0
machine; have=${all//lego/} have=${have//apt-get/}; run
check "no apt: names what is missing" has "please install what Debian calls: lego"

machine; os=ubuntu have=${all//dotnet/}; run
check "no SDK on Ubuntu: from apt" has "apt-get install dotnet-sdk-10.0"
machine; have=${all//dotnet/}; run
check "no SDK on Debian: Microsoft's feed" has "linux-debian"

[ "$failures" = 0 ]
