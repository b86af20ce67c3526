# shellcheck shell=bash
# Sourced by ./dev: installs packages without starting the servers among them.

# Whether the server of that unit is installed: its program is not always of its name.
has_server() { case "$1" in postgresql) has_program pg_ctlcluster ;; *) has_program "$1" ;; esac; }

# Debian starts a server as soon as it is installed, and then at every boot. Those in PROGRAMS_ONLY would take the ports of this machine, the appliance's
# own among them: for the time of the install the machine's policy (invoke-rc.d(8)) forbids them, and is asked as before about everything else.
# Called where a failure is looked at, so that set -e is off in here.
install_packages() (
  root=() new=() policy=/usr/sbin/policy-rc.d before=/usr/sbin/policy-rc.d.before-dev mark="put here by ./dev for the time of an install"
  is_root || root=(sudo)
  put_back() {
    grep -qs "$mark" "$policy" || return 0
    if [ -e "$before" ]; then "${root[@]}" mv "$before" "$policy"; else "${root[@]}" rm "$policy"; fi
  }
  "${root[@]}" apt-get update -qq || exit
  # That of an install that was killed.
  put_back || exit
  trap put_back EXIT
  trap 'exit 130' INT TERM
  [ ! -e "$policy" ] || "${root[@]}" cp -p "$policy" "$before" || exit
  "${root[@]}" install -m 755 /dev/stdin "$policy" <<SH || exit
#!/bin/sh
# $mark
for server in ${PROGRAMS_ONLY[*]}; do
  case "\$1" in "\$server" | "\$server".*) exit 101 ;; esac
done
[ ! -x "$before" ] || exec "$before" "\$@"
exit 0
SH
  for server in "${PROGRAMS_ONLY[@]}"; do has_server "$server" || new+=("$server"); done
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null || exit
  command -v systemctl >/dev/null || return 0
  for server in ${new[@]+"${new[@]}"}; do
    ! has_server "$server" || "${root[@]}" systemctl --quiet disable "$server.service" 2>/dev/null || say "dev: $server may start at the next boot: systemctl disable $server"
  done
)
