# shellcheck shell=bash
# Sourced by ./dev: writes the files of the repository that are made from others.

openapi() {
  if wants_help "$@"; then
    say "usage: ./dev openapi"
    say "Writes docs/openapi.json from the code; the test OpenApiSnapshotTests compares the two."
    return
  fi
  need_sdk
  PICCOLO_UPDATE_OPENAPI="$PWD/docs/openapi.json" dotnet test Piccolo.Tests -c Release -v quiet --filter "FullyQualifiedName~OpenApiSnapshotTests" >&2
  git --no-pager diff --stat -- docs/openapi.json
}

settings() {
  if wants_help "$@"; then
    say "usage: ./dev settings"
    say "Writes the tables of docs/owner/settings.md from the option classes; the test SettingsPageTests compares the two."
    return
  fi
  need_sdk
  PICCOLO_UPDATE_SETTINGS="$PWD/docs/owner/settings.md" dotnet test Piccolo.Tests -c Release -v quiet --filter "FullyQualifiedName~SettingsPageTests" >&2
  git --no-pager diff --stat -- docs/owner/settings.md
}

lock() {
  if wants_help "$@"; then
    say "usage: ./dev lock"
    say "Resolves NuGet packages anew and writes each project's packages.lock.json (dotnet restore --force-evaluate);"
    say "./dev setup and CI restore only what these have."
    return
  fi
  need_sdk
  dotnet restore Piccolo.Appliance.sln --force-evaluate -v quiet
  git --no-pager diff --stat -- '*packages.lock.json'
}
