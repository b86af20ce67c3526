using System.Globalization;
using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Reading;

/// <summary>Single values as compose takes them: the text of numbers, truth, sizes and times.</summary>
internal static partial class ComposeValues
{
    /// <summary>
    /// What a variable gets. Without quotes <c>0777</c> is a number in base eight and <c>1.0</c> one without a fraction (YAML 1.1), so that the container gets
    /// 511 and 1. A text is what it is.
    /// </summary>
    /// <returns>Null for no value.</returns>
    public static string? TextOf(ManifestNode.Scalar scalar)
    {
        if (scalar.IsNull) return null;
        if (!scalar.IsPlain || scalar.Text.Length > 64) return scalar.Text;
        if (scalar.Text is "true" or "True" or "TRUE") return "true";
        if (scalar.Text is "false" or "False" or "FALSE") return "false";
        return TryWhole(scalar.Text, out var whole) ? whole.ToString(CultureInfo.InvariantCulture)
            : FloatPattern().IsMatch(scalar.Text) && double.TryParse(scalar.Text, CultureInfo.InvariantCulture, out var number) && Math.Abs(number) < 1e15
                ? number.ToString("0.################", CultureInfo.InvariantCulture)
                : scalar.Text;
    }

    public static bool? Truth(string text) => text.ToLowerInvariant() switch
    {
        "true" or "yes" or "y" or "on" or "1" or "t" => true,
        "false" or "no" or "n" or "off" or "0" or "f" => false,
        _ => null,
    };

    /// <summary>Sizes such as <c>64m</c>, <c>1.5gb</c>, or a number of bytes; in powers of 1024.</summary>
    public static long? Bytes(string text)
    {
        var match = SizePattern().Match(text.Trim());
        if (!match.Success || !decimal.TryParse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture, out var number)) return null;
        var unit = match.Groups["unit"].Value.ToLowerInvariant();
        var bytes = number * (1L << (10 * "bkmgt".IndexOf(unit.Length == 0 ? 'b' : unit[0], StringComparison.Ordinal)));
        return bytes < long.MaxValue ? (long)bytes : null;
    }

    /// <summary>Times such as <c>1m30s</c>, <c>500ms</c>, <c>1.5h</c>; a number without a unit is seconds.</summary>
    public static TimeSpan? Duration(string text)
    {
        text = text.Trim();
        if (text.Length > 32) return null;
        if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            return seconds < 10_000_000 ? TimeSpan.FromSeconds((double)seconds) : null;
        var match = DurationPattern().Match(text);
        if (!match.Success) return null;
        var sum = 0m;
        foreach (var (number, unit) in match.Groups["number"].Captures.Zip(match.Groups["unit"].Captures))
            sum += decimal.Parse(number.ValueSpan, CultureInfo.InvariantCulture) * unit.Value switch
            {
                "d" => 86_400m,
                "h" => 3_600m,
                "m" => 60m,
                "s" => 1m,
                "ms" => 0.001m,
                _ => 0m,
            };
        return sum < 10_000_000 ? TimeSpan.FromSeconds((double)sum) : null;
    }

    private static bool TryWhole(string text, out long value)
    {
        value = 0;
        var isNegative = text.StartsWith('-');
        var digits = text.TrimStart('-', '+').Replace("_", "", StringComparison.Ordinal);
        if (digits.Length == 0 || digits.Length < text.Length - 1 - text.Count(c => c == '_')) return false;
        var (body, radix) = digits switch
        {
            ['0', 'x' or 'X', ..] => (digits[2..], 16),
            ['0', 'o' or 'O', ..] => (digits[2..], 8),
            ['0', 'b' or 'B', ..] => (digits[2..], 2),
            ['0', _, ..] => (digits[1..], 8),
            _ => (digits, 10),
        };
        if (body.Length is 0 or > 20) return false;
        foreach (var c in body)
        {
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : 99;
            if (digit >= radix || value > (long.MaxValue - digit) / radix) return false;
            value = value * radix + digit;
        }
        if (isNegative) value = -value;
        return true;
    }

    [GeneratedRegex(@"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex FloatPattern();

    [GeneratedRegex(@"^(?<number>[0-9]{1,15}(?:\.[0-9]{1,6})?) ?(?<unit>[bkmgt]?)(?:i?b)?\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex SizePattern();

    [GeneratedRegex(@"^(?:(?<number>[0-9]{1,9}(?:\.[0-9]{1,6})?)(?<unit>d|h|ms|m|s|us|µs|ns))+\z", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPattern();
}
