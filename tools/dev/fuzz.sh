# shellcheck shell=bash
# Sourced by ./dev: gives mutated bytes to the parsers, by afl-fuzz.
FUZZ_TARGETS=(client-hello proxy-v2 frame http-head http-answer manifest compose)
FUZZ_BIN=artifacts/fuzz/bin
# An input that takes longer is a hang.
FUZZ_INPUT_TIMEOUT_MS=5000
# What is kept must stay quick to replay.
FUZZ_KEEP_MAX_BYTES=8192

fuzz_usage() {
  cat >&2 <<'TEXT'
usage: ./dev fuzz [--minutes N] [--keep] [TARGET]...

  Gives mutated bytes to what reads strangers' bytes: client-hello, proxy-v2, frame, http-head, http-answer,
  manifest, compose (default: all), N minutes each (default 30).

  --keep   adds what found new paths, minimised, to Piccolo.Tests/TestData/fuzz, which ./dev test replays

Prints a FUZZ line per target; exits 1 on a crash or a hang, and says where the input lies.
TEXT
}

fuzz() {
  local minutes=30 keep="" targets=() target status=0
  while [ $# -gt 0 ]; do
    case "$1" in
      --help | -h) fuzz_usage; return ;;
      --minutes) minutes="${2:?--minutes needs a number}"; shift ;;
      --keep) keep=1 ;;
      -*) fail "fuzz: unknown option $1" ;;
      *) targets+=("$1") ;;
    esac
    shift
  done
  [[ $minutes =~ ^[1-9][0-9]*$ ]] || fail "fuzz: --minutes needs a whole number"
  [ ${#targets[@]} -gt 0 ] || targets=("${FUZZ_TARGETS[@]}")
  NEEDS+=(afl-fuzz:afl++)
  setup
  fuzz_build
  fuzz_environment
  for target in "${targets[@]}"; do
    fuzz_target "$target" "$minutes" || status=1
    [ -z "$keep" ] || fuzz_keep "$target"
  done
  return "$status"
}

# Only a copy is instrumented: the tests' own build stays as it is.
fuzz_build() {
  rm -rf "$FUZZ_BIN"
  dotnet tool restore >/dev/null
  dotnet publish tools/Fuzz -c Release -v quiet -o "$FUZZ_BIN"
  dotnet sharpfuzz "$FUZZ_BIN/Piccolo.Core.dll"
  dotnet sharpfuzz "$FUZZ_BIN/DevRelay.dll"
}

# afl wants the kernel's core pattern and CPU governor its way, and no work below /tmp; none of it matters here.
fuzz_environment() {
  export AFL_ALLOW_TMP=1 AFL_SKIP_BIN_CHECK=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
  export AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1
  # A heap that grows beyond 256 MiB is a crash.
  export DOTNET_GCHeapHardLimit=0x10000000
}

# Returns 1 when an input crashed the parser or hung it.
fuzz_target() {
  local target=$1 minutes=$2
  local corpus="Piccolo.Tests/TestData/fuzz/$target" out="artifacts/fuzz/$target" log="artifacts/fuzz/$target.log"
  [ -d "$corpus" ] || fail "fuzz: no target $target"
  rm -rf "$out"
  say "dev: fuzzing $target for $minutes min"
  afl-fuzz -i "$corpus" -o "$out" -V $((minutes * 60)) -t "$FUZZ_INPUT_TIMEOUT_MS" -m none -- dotnet "$FUZZ_BIN/Fuzz.dll" "$target" >"$log" 2>&1 \
    || { tail -20 "$log" >&2; fail "fuzz: afl-fuzz failed"; }
  local stats="$out/default/fuzzer_stats"
  figure() { sed -nE "s/^$1 *: *//p" "$stats"; }
  printf 'FUZZ %s executions=%s paths=%s edges=%s crashes=%s hangs=%s seconds=%s\n' "$target" "$(figure execs_done)" "$(figure corpus_count)" \
    "$(figure edges_found)" "$(figure saved_crashes)" "$(figure saved_hangs)" "$(figure run_time)"
  if [ "$(figure saved_crashes)" != 0 ] || [ "$(figure saved_hangs)" != 0 ]; then
    say "dev: see $out/default/crashes and hangs"
    return 1
  fi
}

# The smallest set of inputs that takes the same paths (how often does not matter), named by what is in them. Seeds stay.
fuzz_keep() {
  local corpus="Piccolo.Tests/TestData/fuzz/$1" out="artifacts/fuzz/$1" log="artifacts/fuzz/$1-cmin.log" file program
  rm -rf "$out/least"
  # afl-cmin does not look for programs on the PATH.
  program=$(command -v dotnet)
  afl-cmin -e -i "$out/default/queue" -o "$out/least" -t "$FUZZ_INPUT_TIMEOUT_MS" -m none -- "$program" "$FUZZ_BIN/Fuzz.dll" "$1" >"$log" 2>&1 \
    || { tail -5 "$log" >&2; fail "fuzz: afl-cmin failed"; }
  find "$corpus" -type f ! -name 'seed-*' ! -name 'crash-*' -delete
  for file in "$out/least"/*; do
    case "$file" in *orig:seed-*) continue ;; esac
    [ "$(stat -c %s "$file")" -le "$FUZZ_KEEP_MAX_BYTES" ] || continue
    cp "$file" "$corpus/$(sha256sum "$file" | cut -c1-16).bin"
  done
}
