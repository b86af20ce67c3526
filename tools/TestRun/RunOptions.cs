using System.Globalization;
using System.Security.Cryptography;

namespace Piccolo.TestRun;

/// <summary>Which tests of the assembly a run takes.</summary>
internal enum Lane
{
    /// <summary>All but <c>Slow</c>.</summary>
    Default,

    /// <summary>What an ordinary user without any program but the SDK can run in a minute.</summary>
    Fast,

    /// <summary>Every test.</summary>
    All,
}

/// <param name="Name">A category, or a part of a full name; null: all of the lane.</param>
/// <param name="Seed">Where the generators of property tests begin.</param>
internal sealed record RunOptions(Lane Lane, string? Name, ulong Seed)
{
    /// <summary>A gate must give the same verdict twice.</summary>
    public const ulong FixedSeed = 20_261_130;

    /// <summary>What the fast lane leaves out.</summary>
    public static readonly string[] NotFast = ["Slow", "Timing", "NeedsRoot", "NeedsPodman", "NeedsPebble", "NeedsProcess"];

    private const string Special = @"\()&|=!~";

    /// <summary>The filter expression for <c>dotnet test</c>; empty: every test.</summary>
    public string Filter
    {
        get
        {
            string[] left = Lane switch { Lane.All => [], Lane.Fast => NotFast, _ => ["Slow"] };
            string[] name = Name is null ? [] : [$"(TestCategory={Escape(Name)}|FullyQualifiedName~{Escape(Name)})"];
            return string.Join('&', [.. name, .. left.Select(category => $"TestCategory!={category}")]);
        }
    }

    /// <exception cref="UsageException">An unknown option, or one without its value.</exception>
    public static RunOptions Parse(string[] arguments)
    {
        var (all, fast, name, seed) = (false, false, (string?)null, (ulong?)null);
        for (var i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--all": all = true; break;
                case "--fast": fast = true; break;
                case "--filter": name = Value(ref i, "a name"); break;
                case "--seed":
                    if (!ulong.TryParse(Value(ref i, "a whole number"), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                        throw new UsageException("--seed needs a whole number");
                    seed = number;
                    break;
                default: throw new UsageException($"unknown option {arguments[i]}");
            }
        }
        if (all && fast) throw new UsageException("--all and --fast exclude each other");
        var lane = all ? Lane.All : fast ? Lane.Fast : Lane.Default;
        return new RunOptions(lane, name, seed ?? (all ? BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4)) : FixedSeed));

        string Value(ref int i, string what) => ++i < arguments.Length && arguments[i].Length > 0 ? arguments[i]
            : throw new UsageException($"{arguments[i - 1]} needs {what}");
    }

    /// <summary>For a value in a filter expression.</summary>
    public static string Escape(string value) => string.Concat(value.Select(c => Special.Contains(c) ? $@"\{c}" : $"{c}"));
}
