using System.Globalization;
using System.Text.RegularExpressions;

namespace Piccolo.Core.Apps.Manifest.Notation;

/// <summary>Sizes and processor shares as manifests write them. Units are powers of 1024, as container engines count them.</summary>
internal static partial class ResourceSizes
{
    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    /// <summary>Reads <c>512MB</c>, <c>1.5GB</c>, <c>2 GiB</c>.</summary>
    public static bool TryParseBytes(string text, out long bytes)
    {
        bytes = 0;
        var match = SizePattern().Match(text);
        if (!match.Success) return false;
        if (!decimal.TryParse(match.Groups["number"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
        var unit = match.Groups["unit"].Value.ToUpperInvariant().Replace("I", "", StringComparison.Ordinal);
        var value = number * (1L << (10 * Array.IndexOf(Units, unit)));
        if (value > long.MaxValue) return false;
        bytes = (long)value;
        return true;
    }

    /// <summary>Reads a number of processors such as <c>0.25</c>.</summary>
    public static bool TryParseNanoCpus(string text, out long nanoCpus)
    {
        nanoCpus = 0;
        if (!CpuPattern().IsMatch(text) || !decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var cpus)) return false;
        nanoCpus = (long)(cpus * 1_000_000_000);
        return true;
    }

    /// <summary>In the largest unit of which it is a whole number.</summary>
    public static string WriteBytes(long bytes)
    {
        var unit = 0;
        while (unit < Units.Length - 1 && bytes != 0 && bytes % 1024 == 0) (bytes, unit) = (bytes / 1024, unit + 1);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes}{Units[unit]}");
    }

    public static string WriteNanoCpus(long nanoCpus) => (nanoCpus / 1_000_000_000m).ToString("0.#########", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<number>[0-9]{1,15}(?:\.[0-9]{1,6})?) ?(?<unit>B|[KMGT]i?B)\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex SizePattern();

    [GeneratedRegex(@"^[0-9]{1,4}(?:\.[0-9]{1,9})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex CpuPattern();
}
