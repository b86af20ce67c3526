using System.Text;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Core.Apps.Import.Reading;

/// <summary>
/// Values of the manifest such as <c>${secret.db}</c> inside texts that are not yet written. There they stand between two control characters, which no text
/// that was read has, so that nothing of the compose file can be taken for one.
/// </summary>
internal static class References
{
    private const char Begin = '\u0001';
    private const char End = '\u0002';

    public static readonly string TimeZone = Mark("device.time_zone");

    /// <param name="value">Without <c>${</c> and <c>}</c>.</param>
    public static string Mark(string value) => $"{Begin}{value}{End}";

    public static string Secret(string name) => Mark($"secret.{name}");

    public static bool Any(string text) => text.Contains(Begin, StringComparison.Ordinal);

    /// <summary>The secret that the text is, and nothing besides; else null.</summary>
    public static string? SecretOf(string text) =>
        text.StartsWith($"{Begin}secret.", StringComparison.Ordinal) && text.IndexOf(End, StringComparison.Ordinal) == text.Length - 1 ? text[8..^1] : null;

    /// <summary>The secrets that stand in the text.</summary>
    public static IEnumerable<string> SecretsIn(string text) => Any(text)
        ? Parts(text).Where(p => p.IsReference && p.Part.StartsWith("secret.", StringComparison.Ordinal)).Select(p => p.Part["secret.".Length..])
        : [];

    /// <summary>A text from outside, without the characters that mark.</summary>
    public static string Clean(string text) => text.AsSpan().IndexOfAny(Begin, End) < 0 ? text : text.Replace(Begin, '\uFFFD').Replace(End, '\uFFFD');

    /// <summary>The text without any reference, for places that can have none.</summary>
    public static string Without(string text)
    {
        var result = new StringBuilder();
        foreach (var (part, isReference) in Parts(text))
            if (!isReference) result.Append(part);
        return result.ToString();
    }

    /// <summary>As the manifest has it: references written out, and what only looks like one escaped.</summary>
    public static string Write(string text)
    {
        var result = new StringBuilder();
        foreach (var (part, isReference) in Parts(text))
        {
            if (isReference) result.Append("${").Append(part).Append('}');
            else result.Append(NeedsEscape(part) ? part.Replace("${", "$${", StringComparison.Ordinal) : part);
        }
        return result.ToString();
    }

    private static bool NeedsEscape(string text) => text.Contains("$${", StringComparison.Ordinal) || ManifestValues.References(text).Any();

    private static IEnumerable<(string Part, bool IsReference)> Parts(string text)
    {
        var from = 0;
        while (from < text.Length)
        {
            var begin = text.IndexOf(Begin, from);
            if (begin < 0)
            {
                yield return (text[from..], false);
                yield break;
            }
            var end = text.IndexOf(End, begin);
            if (begin > from) yield return (text[from..begin], false);
            yield return (text[(begin + 1)..end], true);
            from = end + 1;
        }
    }
}
