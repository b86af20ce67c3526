# shellcheck shell=bash
# Sourced by ./dev: the benchmarks. The program knows the areas and their --help.

bench() {
  local area=${1:-} program
  need_sdk
  if [ $# -gt 0 ] && ! wants_help "$@"; then
    [ "$area" != ingress ] || need_contenders
    setup
  fi
  build_with_stack Bench
  program=(dotnet "$(built Bench)" "$@")
  if [ "$area" = ingress ] && ! wants_help "${2:-}"; then in_own_network "${program[@]}"; fi
  exec "${program[@]}"
}

need_contenders() {
  NEEDS+=(nginx:nginx-light h2load:nghttp2-client)
  # Not a program, so nothing that the shell could look up.
  [ -e /usr/lib/nginx/modules/ngx_stream_module.so ] || NEEDS+=(ngx_stream_module.so:libnginx-mod-stream)
}

# With a loopback and nothing else. Elsewhere every message of every contender passes the packet filter that containers may have left on this machine.
in_own_network() {
  if ! unshare --net ip link set lo up 2>/dev/null; then
    say "dev: no network of its own (needs root, unshare and ip): this machine's packet filter is part of what is measured"
    return
  fi
  exec unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
}
