# shellcheck shell=bash
# Sourced by ./dev: what starts the appliance, alone or with everything around it.

run() {
  if wants_help "$@"; then
    say "usage: ./dev run [--Piccolo:Section:Key=value ...]"
    say "Runs the appliance alone with Development defaults: http://127.0.0.1:8080, state in ./run-state, no relay."
    return
  fi
  need_sdk
  dotnet build Piccolo.Api -c Release -v quiet
  say "dev: http://127.0.0.1:8080 (API below /api/v1, try it at /swagger); Ctrl-C stops it"
  ASPNETCORE_ENVIRONMENT=Development exec dotnet "$(built Piccolo.Api)" "$@"
}

demo() {
  if wants_help "$@"; then
    need_sdk
    dotnet build tools/Demo -c Release -v quiet
  else
    # Before anything is installed for it.
    is_root || fail "demo: needs root, for its containers: run it as root, or with sudo where the .NET SDK is on root's PATH too"
    setup
    say "dev: building"
    build_with_stack Demo
  fi
  exec dotnet "$(built Demo)" demo "$@"
}

# chaos and prove: the program knows the areas and their --help.
with_the_stack() {
  need_sdk
  if [ $# -gt 1 ] && ! wants_help "$2"; then setup; fi
  build_with_stack Demo
  exec dotnet "$(built Demo)" "$@"
}

# Names of files are those of the folder that the caller is in.
import_compose() {
  local program caller=${OLDPWD:-$PWD}
  need_sdk
  dotnet build tools/Demo -c Release -v quiet >&2
  program="$PWD/$(built Demo)"
  cd "$caller" || fail "import: there is no folder $caller"
  exec dotnet "$program" import "$@"
}

# For owners, not for developers: needs no more than the SDK.
verify_staging() {
  need_sdk
  build_with_stack Demo >&2
  exec dotnet "$(built Demo)" verify-staging "$@"
}
