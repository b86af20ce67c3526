# shellcheck shell=bash
# Sourced by ./dev: what an owner installs.

package() {
  if wants_help "$@"; then
    say "usage: ./dev package [amd64 | arm64] ..."
    say "Builds artifacts/packages/piccolo_VERSION_ARCH.deb with the .NET runtime inside; both without an argument."
    say "The same commit gives the same bytes (SOURCE_DATE_EPOCH, by default the time of the commit)."
    return
  fi
  need_sdk
  has_program dpkg-deb || fail "package: needs dpkg-deb (Debian, Ubuntu: apt-get install dpkg)"
  local arch
  [ $# -gt 0 ] || set -- amd64 arm64
  for arch in "$@"; do
    case "$arch" in amd64 | arm64) build_package "$arch" ;; *) fail "package: '$arch' is neither amd64 nor arm64" ;; esac
  done
}

# Prints the version that the projects have.
version() { dotnet msbuild Piccolo.Api -getProperty:Version; }

build_package() {
  local arch=$1 runtime version root out=artifacts/packages published
  case "$arch" in amd64) runtime=linux-x64 ;; arm64) runtime=linux-arm64 ;; esac
  version=$(version)
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
  export SOURCE_DATE_EPOCH
  published=artifacts/packages/$arch/published root=artifacts/packages/$arch/root
  rm -rf "artifacts/packages/$arch"
  mkdir -p "$published" "$root/DEBIAN"
  say "dev: publishing $version for $runtime"
  dotnet publish Piccolo.Api -c Release -r "$runtime" --self-contained -p:PublishReadyToRun=true -p:DebugType=none -p:ContinuousIntegrationBuild=true \
    -o "$published" -v quiet >&2
  # Parts that only a debugger uses.
  rm -f "$published"/libmscordaccore.so "$published"/libmscordbi.so "$published"/createdump "$published"/*.pdb
  umask 022
  install -d "$root"/usr/lib/piccolo "$root"/usr/lib/systemd/system "$root"/usr/lib/sysctl.d "$root"/usr/share/doc/piccolo "$root"/etc/piccolo
  cp -r "$published/." "$root/usr/lib/piccolo/"
  find "$root/usr/lib/piccolo" -type f -exec chmod 644 {} + -o -type d -exec chmod 755 {} +
  chmod 755 "$root/usr/lib/piccolo/Piccolo.Api"
  install -m 755 packaging/volumes/piccolo-volume "$root/usr/lib/piccolo/"
  install -m 644 packaging/nftables/piccolo-apps.nft "$root/usr/lib/piccolo/"
  install -m 644 packaging/systemd/* "$root/usr/lib/systemd/system/"
  install -m 644 packaging/sysctl/60-piccolo.conf "$root/usr/lib/sysctl.d/"
  install -m 644 docs/owner/*.md docs/glossary.md THIRD-PARTY-NOTICES.md packaging/debian/copyright "$root/usr/share/doc/piccolo/"
  install -m 644 packaging/debian/appsettings.json "$root/etc/piccolo/"
  sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$root" | cut -f1)/" packaging/debian/control.in >"$root/DEBIAN/control"
  install -m 644 packaging/debian/conffiles "$root/DEBIAN/"
  install -m 755 packaging/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
  (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
  find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --root-owner-group -Zzstd --uniform-compression -z 12 --build "$root" "$out/piccolo_${version}_$arch.deb" >&2
  rm -rf "artifacts/packages/$arch"
  (cd "$out" && sha256sum "piccolo_${version}_$arch.deb")
}
