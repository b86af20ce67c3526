using System.Globalization;
using System.Text.RegularExpressions;

namespace Piccolo.Core.Containers;

/// <summary>When a registry wants to be asked again, out of its own words. Pure.</summary>
internal static partial class RetryHint
{
    /// <summary>No sooner: some say microseconds and mean it.</summary>
    public static readonly TimeSpan Min = TimeSpan.FromMinutes(1);

    /// <summary>No later, whatever a registry says.</summary>
    public static readonly TimeSpan Max = TimeSpan.FromHours(6);

    /// <returns>Between <see cref="Min"/> and <see cref="Max"/>; null where the text does not say.</returns>
    public static TimeSpan? In(string text)
    {
        var match = Pattern().Match(text);
        if (!match.Success || !double.TryParse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture, out var number)) return null;
        var seconds = number * match.Groups["unit"].Value.ToLowerInvariant() switch
        {
            "h" or "hour" or "hours" => 3600,
            "m" or "min" or "minute" or "minutes" => 60,
            "ms" => 1e-3,
            "µs" or "us" => 1e-6,
            "ns" => 1e-9,
            _ => 1,
        };
        return seconds >= Max.TotalSeconds ? Max : seconds <= Min.TotalSeconds ? Min : TimeSpan.FromSeconds(seconds);
    }

    [GeneratedRegex(
        @"(?:retry[- ]after|(?:try|retry) again (?:in|after))[""':= ]{1,4}(?<number>[0-9]{1,9}(?:\.[0-9]{1,9})?) ?"
        + @"(?<unit>hours?|h|minutes?|min|ms|m|seconds?|s|µs|us|ns)?\b",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Pattern();
}
