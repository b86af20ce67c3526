using System.Globalization;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>The options of <c>./dev bench ingress</c>.</summary>
/// <param name="Only">Only parts whose name begins so; empty is all.</param>
/// <param name="Environment">For the front door's process, on top of what the packages set: to compare runtime switches.</param>
internal sealed record IngressBenchSettings(int Rounds, int Seconds, string Only, bool Write, IReadOnlyDictionary<string, string> Environment)
{
    public const string Usage = "usage: ./dev bench ingress [--rounds N] [--seconds N] [--only PART] [--door-env NAME=VALUE]... [--no-write]";

    private static readonly Dictionary<string, string> AsPackaged = new()
    {
        ["DOTNET_gcServer"] = "0",
        ["GLIBC_TUNABLES"] = "glibc.malloc.tcache_count=0",
    };

    public static IngressBenchSettings? Parse(string[] args)
    {
        var settings = new IngressBenchSettings(5, 2, "", true, AsPackaged);
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--rounds" when Number(value) is { } rounds: settings = settings with { Rounds = rounds }; i++; break;
                case "--seconds" when Number(value) is { } seconds: settings = settings with { Seconds = seconds }; i++; break;
                case "--only" when value.Length > 0: settings = settings with { Only = value, Write = false }; i++; break;
                case "--door-env" when value.Split('=', 2) is [var name, var text]:
                    settings = settings with { Environment = new Dictionary<string, string>(settings.Environment) { [name] = text }, Write = false };
                    i++;
                    break;
                case "--no-write": settings = settings with { Write = false }; break;
                default: return null;
            }
        }
        return settings;
    }

    /// <summary>Whether a part belongs to this run.</summary>
    public bool Wants(string part) => part.StartsWith(Only, StringComparison.Ordinal);

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 1000 ? number : null;
}
