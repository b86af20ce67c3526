# shellcheck shell=bash
# Sourced by ./dev: sets up, checks and builds for the tests. Which tests run and what their results say is known to tools/TestRun.
TEST_MIN_FREE_KIB=524288

test_usage() {
  cat >&2 <<'TEXT'
usage: ./dev test [--fast | --all] [--filter NAME] [--seed N]

  --fast          no root, no Podman, no Pebble, no other processes, nothing that waits for a real clock;
                  sets nothing up, so an ordinary user can run it
  --all           the slow lane too, and property tests from a random seed
  --filter NAME   only tests of category NAME, or whose full name contains it
  --seed N        where property tests begin; else it is the same in each run

Checks white space, builds, removes what a killed run left, runs the tests, and ends with "N passed, N failed".
FAILED name: message   failed, or was skipped. Its message, its logs and the state that it left are in artifacts/failed.
FLAKY name: message    failed, and passed in k of 5 further runs. It counts as failed unless Piccolo.Tests/known-flaky.txt
                       forgives it. Only when at most 3 failed; never tests of kills, sealed data, scenarios, integrity, containers.
FAILED (the run): ...  the test host died or hung, results are missing, the disk is full, there is no IPv6, ...

The default and --all need root and install what is missing first (./dev setup). More: docs/dev/testing.md
TEXT
}

test_all() {
  local fast="" option
  for option in "$@"; do
    case "$option" in
      --help | -h) test_usage; return ;;
      --fast) fast=1 ;;
    esac
  done
  mkdir -p artifacts
  [ "$(df --output=avail -k artifacts | tail -1)" -ge "$TEST_MIN_FREE_KIB" ] \
    || fail "test: less than $((TEST_MIN_FREE_KIB / 1024)) MiB of disk are free at $PWD/artifacts"
  if [ -n "$fast" ]; then
    need_sdk
    dotnet restore Piccolo.Appliance.sln -v quiet
  else
    setup
  fi
  say "dev: checking white space"
  dotnet format whitespace Piccolo.Appliance.sln --verify-no-changes --no-restore -v quiet || fail "run 'dotnet format whitespace'"
  say "dev: building"
  build_all --no-restore
  exec dotnet "$(built TestRun)" "$@"
}
