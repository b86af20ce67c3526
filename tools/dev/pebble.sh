# shellcheck shell=bash
# Sourced by ./dev: the Pebble for the tests of renewal hints (RFC 9773) and profiles. Stable distributions have an older one, which other tests use and
# which stays as it is.
PEBBLE_LEAST=2.10

# Read by tools/Rig/Acme/PebbleProgram.cs.
pebble_folder() { printf '%s' "${XDG_CACHE_HOME:-$HOME/.cache}/piccolo-dev/pebble"; }

newer_pebble() {
  local folder installed
  folder=$(pebble_folder)
  [ ! -x "$folder/usr/bin/pebble" ] || return 0
  mkdir -p "${folder%/*}"
  installed=$(dpkg-query -W -f '${Version}' pebble 2>/dev/null) || installed=0
  if dpkg --compare-versions "$installed" ge "$PEBBLE_LEAST"; then link_pebble "$folder"; else fetch_pebble "$folder"; fi
}

no_pebble() { say "dev: no Pebble $PEBBLE_LEAST or newer ($*); the tests of category Acme need it, and will fail without"; }

link_pebble() {
  local work name
  work=$(mktemp -d "${1%/*}/.link-XXXXXX")
  mkdir -p "$work/usr/bin"
  for name in pebble pebble-challtestsrv; do ln -s "/usr/bin/$name" "$work/usr/bin/$name"; done
  put_pebble "$work" "$1"
}

# Whole or not at all: a second setup at the same time finds either nothing or a finished folder.
put_pebble() {
  # What is there is not a Pebble that runs, such as a link to a package that is gone.
  [ -x "$2/usr/bin/pebble" ] || rm -rf "$2"
  mv -T "$1" "$2" 2>/dev/null || rm -rf "$1"
  [ -x "$2/usr/bin/pebble" ] || fail "setup: $2 cannot be written"
}

# From the newest suite of the distribution's own archive, whatever its version, by an apt with a configuration of its own: it verifies the suite's
# signature with the distribution's keyring and the package by the suite's index, and needs no root. Nothing on this machine changes but the folder.
fetch_pebble() (
  folder=$1
  case "$(distribution)" in
    debian) suite=sid component=main keyring=debian-archive-keyring mirror=http://deb.debian.org/debian ;;
    ubuntu)
      suite=devel component=universe keyring=ubuntu-archive-keyring mirror=http://archive.ubuntu.com/ubuntu
      [ "$(dpkg --print-architecture)" = amd64 ] || mirror=http://ports.ubuntu.com/ubuntu-ports
      ;;
    *) no_pebble "no newer suite is known for $(distribution)"; exit ;;
  esac
  # Of this machine's sources the first that is the distribution's, not one of its updates; before the first apt-get update none is known.
  # shellcheck disable=SC2016 # apt-get's own variables.
  found=$(apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(SITE)' 'Created-By: Packages' | awk 'tolower($1) == d && $2 !~ /[-\/]/ && !n++ { print $3 }' d="$(distribution)")
  mirror=${found:-$mirror}
  for keyring in "/usr/share/keyrings/$keyring".{gpg,pgp} ""; do [ ! -e "$keyring" ] || break; done
  say "dev: fetching a newer Pebble from $suite"
  # Where apt's own user may write: it fetches as that when it is started as root.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  chmod 755 "$work"
  mkdir -p "$work"/{state/lists/partial,cache/archives/partial,package}
  ! is_root || chown _apt "$work/package"
  printf 'deb %s%s %s %s\n' "${keyring:+[signed-by=$keyring] }" "$mirror" "$suite" "$component" >"$work/sources.list"
  {
    # How to reach a mirror is this machine's matter.
    apt-config dump | grep -E '^(Acquire::(http|https|Retries|Check-Valid-Until|Check-Date|ForceIPv[46])\b|APT::Architecture )' || true
    printf '%s "%s";\n' Dir::Etc::main /dev/null Dir::Etc::parts /dev/null Dir::Etc::sourcelist "$work/sources.list" Dir::Etc::sourceparts /dev/null \
      Dir::Etc::preferences /dev/null Dir::Etc::preferencesparts /dev/null Dir::State "$work/state" Dir::State::status /dev/null Dir::Cache "$work/cache" \
      Acquire::Languages none APT::Update::Error-Mode any
  } >"$work/apt.conf"
  if (cd "$work/package" && export APT_CONFIG="$work/apt.conf" && apt-get -q update && apt-get -q download pebble) >"$work/log" 2>&1; then
    unpack_pebble "$work/package" "$folder"
  else
    grep -E '^[EW]:' "$work/log" | head -3 >&2 || true
    no_pebble "none could be fetched from $mirror $suite"
  fi
)

unpack_pebble() {
  local version tree
  version=$(dpkg-deb -f "$1"/pebble_*.deb Version)
  dpkg --compare-versions "$version" ge "$PEBBLE_LEAST" || { no_pebble "the newest suite has $version"; return; }
  tree=$(mktemp -d "${2%/*}/.fetch-XXXXXX")
  dpkg-deb -x "$1"/pebble_*.deb "$tree"
  # Built for the newest suite's C library.
  if ! "$tree/usr/bin/pebble" -version >/dev/null 2>&1; then
    rm -rf "$tree"
    no_pebble "$version does not run here"
    return
  fi
  put_pebble "$tree" "$2"
}
