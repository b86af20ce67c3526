using System.Buffers;
using System.Text;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>A value that is filled in when a container is made, such as <c>${listener.web.url}</c>.</summary>
/// <param name="Prefix">One of <see cref="ManifestValues.Prefixes"/>.</param>
/// <param name="Name">Of a listener or a secret; <c>name</c> of the app, <c>time_zone</c> of the device.</param>
/// <param name="Field">What comes after the name; null where nothing does.</param>
public sealed record ValueReference(string Prefix, string Name, string? Field)
{
    public override string ToString() => "${" + Prefix + "." + Name + (Field is null ? "" : "." + Field) + "}";
}

/// <summary>
/// Finds <c>${prefix.name}</c> and <c>${prefix.name.field}</c> in texts of a manifest. Only the six prefixes are looked at: any other <c>${...}</c> is the
/// app's own and stays as it is. <c>$${</c> stands for a literal <c>${</c>. Reads each text once, whatever stands in it.
/// </summary>
public static class ManifestValues
{
    public static readonly IReadOnlyList<string> Prefixes = ["listener", "secret", "app", "device", "answer", "network"];

    private const string Opening = "${";

    private static readonly SearchValues<char> Ends = SearchValues.Create("${} \t\r\n");

    /// <summary>The references in their order, repeated ones too.</summary>
    public static IEnumerable<ValueReference> References(string text)
    {
        for (var i = NextDollar(text, 0); i >= 0; i = NextDollar(text, i))
        {
            if (IsEscape(text, i)) i += 3;
            else if (Read(text, i, out var end) is { } reference)
            {
                yield return reference;
                i = end;
            }
            else i++;
        }
    }

    /// <summary>The text with each reference replaced by what <paramref name="resolve"/> says. What it says is not looked at again.</summary>
    public static string Expand(string text, Func<ValueReference, string> resolve)
    {
        if (!text.Contains(Opening, StringComparison.Ordinal)) return text;
        var result = new StringBuilder(text.Length);
        var copied = 0;
        for (var i = NextDollar(text, 0); i >= 0; i = NextDollar(text, i))
        {
            if (IsEscape(text, i))
            {
                result.Append(text, copied, i - copied).Append(Opening);
                copied = i += 3;
            }
            else if (Read(text, i, out var end) is { } reference)
            {
                result.Append(text, copied, i - copied).Append(resolve(reference));
                copied = i = end;
            }
            else i++;
        }
        return result.Append(text, copied, text.Length - copied).ToString();
    }

    private static int NextDollar(string text, int from) => from >= text.Length ? -1 : text.IndexOf('$', from);

    private static bool IsEscape(string text, int at) => string.CompareOrdinal(text, at, "$${", 0, 3) == 0;

    /// <summary>The reference that begins at a dollar sign, or null.</summary>
    /// <param name="end">Behind its brace.</param>
    private static ValueReference? Read(string text, int at, out int end)
    {
        end = at;
        if (string.CompareOrdinal(text, at, Opening, 0, Opening.Length) != 0) return null;
        // It ends at the first character that no reference has, so that no part of a text is read twice.
        var from = at + Opening.Length;
        var length = text.AsSpan(from).IndexOfAny(Ends);
        if (length < 0 || text[from + length] != '}') return null;
        var parts = text.Substring(from, length).Split('.', 3);
        if (parts.Length < 2 || !Prefixes.Contains(parts[0])) return null;
        end = from + length + 1;
        return new ValueReference(parts[0], parts[1], parts.Length == 3 ? parts[2] : null);
    }
}
