using System.Globalization;

namespace Piccolo.Core.Apps.Manifest.Notation;

/// <summary>Characters that look like a space, or like nothing, and are not what YAML takes for a space. They come from editors, web pages and chats.</summary>
internal static class InvisibleCharacters
{
    /// <summary>The first line whose indentation has one. For a text that is not valid YAML: the parser stops somewhere, and says not why.</summary>
    public static (int Line, string Reason)? InIndentation(string text)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            foreach (var c in line)
            {
                if (c == ' ') continue;
                if (c == '\t' || IsOdd(c)) return (number, $"The line is indented with {Name(c)}; YAML is indented with ordinary spaces only.");
                break;
            }
        }
        return null;
    }

    /// <summary>The first one on the line that the parser stopped at, or on the one before: what only looks like a space makes the next line wrong.</summary>
    public static (int Line, string Reason)? AtLine(string text, int line)
    {
        var number = 0;
        foreach (var content in text.AsSpan().EnumerateLines())
            if (++number >= line - 1 && number <= line && FirstIn(content) is { } odd)
                return (number, $"The line has {odd} in it; YAML takes ordinary spaces only.");
        return null;
    }

    /// <returns>Its name, or null where the text has none.</returns>
    public static string? FirstIn(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            if (c == '\t' || IsOdd(c)) return Name(c);
        return null;
    }

    private static bool IsOdd(char c) => c > 127 && (char.IsWhiteSpace(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.Control);

    private static string Name(char c) => c switch
    {
        '\t' => "a tab",
        '\u00A0' => "a no-break space (U+00A0)",
        '\uFEFF' => "a byte-order mark (U+FEFF)",
        _ => string.Create(CultureInfo.InvariantCulture, $"the invisible character U+{(int)c:X4}"),
    };
}
