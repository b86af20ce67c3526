using System.Globalization;

namespace Piccolo.Bench.Ingress;

/// <summary>The options of <c>./dev bench ingress</c>.</summary>
/// <param name="Only">Only parts whose name begins with one of these; empty is all.</param>
/// <param name="Tries">One more front door each, in the same rounds, with variables on top of what the packages set: to compare switches.</param>
internal sealed record IngressBenchSettings(int Rounds, int Seconds, IReadOnlyList<string> Only, bool Write, IReadOnlyList<DoorTry> Tries)
{
    public const string Usage = "usage: ./dev bench ingress [--rounds N] [--seconds N] [--only PART]... [--try NAME=VALUE[,NAME=VALUE]]... [--no-write]";

    /// <summary>What the packages set.</summary>
    public static readonly IReadOnlyDictionary<string, string> AsPackaged = new Dictionary<string, string>
    {
        ["DOTNET_gcServer"] = "0",
    };

    public static IngressBenchSettings? Parse(string[] args)
    {
        var settings = new IngressBenchSettings(10, 2, [], true, []);
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--rounds" when Number(value) is { } rounds: settings = settings with { Rounds = rounds }; i++; break;
                case "--seconds" when Number(value) is { } seconds: settings = settings with { Seconds = seconds }; i++; break;
                case "--only" when value.Length > 0: settings = settings with { Only = [.. settings.Only, value], Write = false }; i++; break;
                case "--try" when DoorTry.Parse(value, settings.Tries.Count + 1) is { } more:
                    settings = settings with { Tries = [.. settings.Tries, more], Write = false };
                    i++;
                    break;
                case "--no-write": settings = settings with { Write = false }; break;
                default: return null;
            }
        }
        return settings;
    }

    /// <summary>Whether a part belongs to this run.</summary>
    public bool Wants(string part) => Only.Count == 0 || Only.Any(o => part.StartsWith(o, StringComparison.Ordinal));

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 1000 ? number : null;
}

/// <summary>A front door that runs with other variables.</summary>
internal sealed record DoorTry(string Name, IReadOnlyDictionary<string, string> Environment)
{
    /// <returns>Null for what is no list of variables.</returns>
    public static DoorTry? Parse(string text, int number)
    {
        var all = new Dictionary<string, string>(IngressBenchSettings.AsPackaged);
        foreach (var pair in text.Split(','))
        {
            if (pair.Split('=', 2) is not [{ Length: > 0 } name, var value]) return null;
            all[name] = value;
        }
        return new DoorTry(string.Create(CultureInfo.InvariantCulture, $"door_try{number}"), all);
    }
}
