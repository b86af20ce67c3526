# shellcheck shell=bash
# Sourced by ./dev: installs the package in a Debian of its own, under systemd, and uses it as an owner would.

# What the package depends on, and what the check uses; the package itself is installed without any network.
TEST_ROOT_PACKAGES=systemd-sysv,dbus,udev,init-system-helpers,podman,crun,netavark,aardvark-dns,gocryptfs,fuse3,nftables,netbase,publicsuffix,procps,ca-certificates,tzdata,libssl3t64,libstdc++6,zlib1g,iproute2,iptables,curl,jq,busybox-static,e2fsprogs

package_test() {
  if wants_help "$@"; then
    say "usage: ./dev package-test [FILE.deb]"
    say "Installs the package (by default it builds it) in a Debian 13 of its own under systemd-nspawn: claims, installs an app with a volume, kills the"
    say "daemon, locks, upgrades, removes, purges. Needs root and a Debian mirror; tools and the Debian stay in artifacts/packages/test."
    return
  fi
  is_root || fail "package-test: needs root"
  local deb=${1:-} work=$PWD/artifacts/packages/test arch failed=0
  arch=$(dpkg --print-architecture)
  if [ -z "$deb" ]; then
    package "$arch"
    deb=artifacts/packages/piccolo_$(version)_$arch.deb
  fi
  mkdir -p "$work"
  test_tools "$work/tools"
  if [ ! -e "$work/debian.tar" ]; then
    say "dev: making a Debian 13 (a minute or two)"
    PATH=$work/tools/usr/bin:$PATH mmdebstrap --variant=apt --mode=root --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
      --aptopt='Apt::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      --include="$TEST_ROOT_PACKAGES" trixie "$work/debian.new.tar" "$(debian_mirror)" >&2
    mv "$work/debian.new.tar" "$work/debian.tar"
  fi
  say "dev: unpacking it"
  # Mount points of a run that was broken off: nobody may change them.
  chattr -f -R -i "$work/root/var/lib/piccolo/mounts" 2>/dev/null || true
  rm -rf "$work/root"
  mkdir "$work/root"
  tar -xpf "$work/debian.tar" -C "$work/root" --numeric-owner
  install -m 644 "$deb" "$work/root/root/piccolo.deb"
  install -m 755 tools/dev/package-test/check tools/dev/package-test/prepare "$work/root/root/"
  install -m 644 tools/dev/package-test/prepare.service "$work/root/etc/systemd/system/"
  mkdir -p "$work/root/etc/systemd/system/sysinit.target.wants" "$work/root/var/log/journal"
  ln -sf /etc/systemd/system/prepare.service "$work/root/etc/systemd/system/sysinit.target.wants/"
  printf '[engine]\ncgroup_manager = "cgroupfs"\n' >"$work/root/etc/containers/containers.conf"
  : >"$work/root/etc/machine-id"
  boot_container "$work"
  in_container "$work" /root/check || failed=1
  if [ $failed -ne 0 ]; then in_container "$work" journalctl --no-pager -u piccolo -u 'piccolo-volumes@*' -n 80 -o cat | grep -v -e AccessLog -e volumes@ >&2 || true; fi
  stop_container "$work"
  [ $failed -eq 0 ] || fail "package-test: failed"
}

# The mirror that this machine uses.
debian_mirror() {
  # shellcheck disable=SC2016 # a field of apt's
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v -e security -e updates | head -1
}

# Unpacked, not installed: nothing of them stays on this machine.
test_tools() {
  [ -x "$1/usr/bin/systemd-nspawn" ] && [ -x "$1/usr/bin/mmdebstrap" ] && return
  say "dev: fetching systemd-nspawn and mmdebstrap"
  rm -rf "$1"
  mkdir -p "$1"
  (cd "$1" && apt-get download -qq mmdebstrap systemd-container >&2 && for package in *.deb; do dpkg -x "$package" .; done && rm ./*.deb)
}

boot_container() {
  say "dev: booting it"
  # A keyring and BPF are what systemd asks for; the rest of the filter stays.
  PATH=$1/tools/usr/bin:$PATH nohup systemd-nspawn -q --register=no --keep-unit --boot --directory="$1/root" --machine=piccolo-package-test --private-network \
    --capability=all --system-call-filter='@keyring bpf' --bind=/dev/fuse --console=pipe </dev/null >"$1/console.log" 2>&1 &
  echo $! >"$1/nspawn.pid"
  local i state
  for i in $(seq 60); do
    sleep 1
    state=$(in_container "$1" systemctl is-system-running 2>/dev/null || true)
    case "$state" in running | degraded) break ;; esac
  done
  say "dev: it is $state after $i s"
  [ "$state" = running ] || in_container "$1" systemctl --no-pager --failed >&2 || true
}

container_init() { pgrep -P "$(cat "$1/nspawn.pid")" | head -1; }

in_container() {
  local init
  init=$(container_init "$1") && [ -n "$init" ] || return 1
  shift
  nsenter -t "$init" -m -u -i -n -p -C -r -w /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}

stop_container() {
  local i init
  init=$(container_init "$1") || return 0
  # systemd in a container takes this for a power-off.
  kill -s RTMIN+4 "$init" 2>/dev/null || return 0
  for i in $(seq 60); do
    kill -0 "$(cat "$1/nspawn.pid")" 2>/dev/null || return 0
    sleep 1
  done
  say "dev: the container did not stop within 60 s"
  kill -9 "$(cat "$1/nspawn.pid")"
}
