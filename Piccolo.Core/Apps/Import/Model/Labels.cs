using System.Globalization;
using System.Text;

namespace Piccolo.Core.Apps.Import.Model;

/// <summary>Names as the manifest wants them: lower-case letters, digits, and hyphens between.</summary>
internal static class Labels
{
    private const int MaxLength = 50;

    public static string Of(string text, string otherwise)
    {
        var result = new StringBuilder();
        foreach (var c in text.ToLowerInvariant())
        {
            if (result.Length == MaxLength) break;
            if (char.IsAsciiLetterOrDigit(c)) result.Append(c);
            else if (result.Length > 0 && result[^1] != '-') result.Append('-');
        }
        var label = result.ToString().Trim('-');
        return label.Length == 0 ? otherwise : label;
    }

    /// <summary>A label that nobody has yet, with a number behind it where needed.</summary>
    public static string Unique(string text, Func<string, bool> isTaken, string otherwise)
    {
        var label = Of(text, otherwise);
        var unique = label;
        for (var i = 2; isTaken(unique); i++) unique = string.Create(CultureInfo.InvariantCulture, $"{label}-{i}");
        return unique;
    }
}
