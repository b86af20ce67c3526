using System.Globalization;
using CsCheck;

namespace Piccolo.Tests.Fakes;

/// <summary>
/// Values in a sequence that a seed decides. CsCheck takes a seed for its first value alone and draws the others from the clock: good for finding, bad for a
/// gate, which must say the same twice.
/// </summary>
internal static class SeededGen
{
    // The runner prints it: ./dev test --seed N.
    private static readonly ulong Seed =
        ulong.TryParse(Environment.GetEnvironmentVariable("PICCOLO_TEST_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : 1;

    public static Gen<T> Seeded<T>(this Gen<T> gen) => new Sequence<T>(gen, Seed);

    public static Gen<T> Seeded<T>(this Gen<T> gen, ulong seed) => new Sequence<T>(gen, seed);

    private sealed class Sequence<T>(Gen<T> gen, ulong seed) : Gen<T>
    {
        private int _drawn;

        public override T Generate(PCG pcg, Size? min, out Size size) => gen.Generate(new PCG((uint)Interlocked.Increment(ref _drawn), seed), min, out size);
    }
}
