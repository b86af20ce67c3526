# shellcheck shell=bash
# Sourced by ./dev: what this repository needs on a machine, and how it gets there. Debian 12 and 13, Ubuntu 24.04; amd64 and arm64.

# program that must exist (or one of several, by |) : package that brings it
NEEDS=(
  podman:podman
  # Docker's containerd.io brings a runc of its own and conflicts with the package.
  "runc|crun:runc"
  /usr/lib/podman/netavark:netavark
  /usr/lib/podman/aardvark-dns:aardvark-dns
  iptables:iptables
  nft:nftables
  ip:iproute2
  pebble:pebble
  pebble-challtestsrv:pebble
  lego:lego
  openssl:openssl
  ldd:libc-bin
  strace:strace
  systemd-analyze:systemd
  kill:procps
  setpriv:util-linux
  unshare:util-linux
  mount:mount
  mkfs.ext4:e2fsprogs
  gocryptfs:gocryptfs
  "fusermount3|fusermount:fuse3"
  curl:curl
  nghttp:nghttp2-client
  testssl:testssl.sh
  python3:python3
  node:nodejs
  shellcheck:shellcheck
  # The server is under /usr/lib/postgresql; this command comes with it.
  pg_ctlcluster:postgresql
)

# What the browser tests look for. Not chromium-browser: on Ubuntu that is a script which asks for a snap.
BROWSERS="chromium|google-chrome|google-chrome-stable"

# Servers of which only the program is wanted.
# shellcheck disable=SC2034 # Read by packages.sh.
PROGRAMS_ONLY=(nginx postgresql)

distribution() { ( . /etc/os-release 2>/dev/null; printf '%s' "${ID:-unknown}" ); }

is_root() { [ "$(id -u)" = 0 ]; }

# sbin may not be on an ordinary user's PATH although the package is there.
has_program() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null; }

has_one_of() {
  local name names
  IFS='|' read -ra names <<<"$1"
  for name in "${names[@]}"; do ! has_program "$name" || return 0; done
  return 1
}

need_sdk() {
  local how
  case "$(distribution)" in
    ubuntu) how="apt-get install dotnet-sdk-10.0" ;;
    debian) how="add Microsoft's package feed (https://learn.microsoft.com/dotnet/core/install/linux-debian), then apt-get install dotnet-sdk-10.0" ;;
    *) how="https://learn.microsoft.com/dotnet/core/install/linux" ;;
  esac
  has_program dotnet || fail "the .NET 10 SDK is missing, or not on the PATH of $(id -un): $how"
  dotnet --version >/dev/null 2>&1 || fail "the installed .NET SDK does not satisfy global.json (10.0), it has: $(dotnet --list-sdks | tr '\n' ' '). To get it: $how"
}

# The packages of NEEDS that are not there, sorted, one a line.
missing_packages() {
  local entry
  for entry in "${NEEDS[@]}"; do
    has_one_of "${entry%:*}" || printf '%s\n' "${entry##*:}"
  done | sort -u
}

need_browser() {
  has_one_of "$BROWSERS" && return
  case "$(distribution)" in
    debian) NEEDS+=("$BROWSERS:chromium") ;;
    # No package of the distribution brings one, and snapd runs neither in containers nor in a chroot.
    *) say "dev: the browser tests (ChromiumTests) need chromium or google-chrome on the PATH, and will fail; on Ubuntu: snap install chromium, or Chrome from https://www.google.com/chrome" ;;
  esac
}

# Asked before anything is changed: an install that stops half-way is worse than none.
need_root() {
  is_root && return
  has_program sudo || fail "setup: there is no sudo; run the line above as root, then ./dev setup again"
  sudo -n true 2>/dev/null || sudo -v || fail "setup: sudo refuses $(id -un); run the line above as root, then ./dev setup again"
}

setup() {
  if wants_help "$@"; then
    say "usage: ./dev setup"
    say "Installs the packages that are missing by apt-get: only this needs root, and takes sudo when you are not. Then, as you, fetches a newer Pebble for the"
    say "tests of renewal hints and profiles into ~/.cache/piccolo-dev, and restores NuGet packages as the lock files have them. Safe to repeat."
    return
  fi
  need_sdk
  need_browser
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -gt 0 ]; then
    has_program apt-get || fail "setup: only apt is known here; please install what Debian calls: ${missing[*]}"
    say "dev: needs root: apt-get install ${missing[*]}"
    need_root
    install_packages "${missing[@]}" || fail "setup: apt-get did not install ${missing[*]} (Ubuntu has some of them in its component 'universe')"
  fi
  newer_pebble
  say "dev: restoring NuGet packages"
  dotnet restore Piccolo.Appliance.sln --locked-mode -v quiet || fail "setup: NuGet packages were not restored; where a lock file is out of date: ./dev lock"
}
