using System.Text;

namespace Piccolo.Core.Apps.Import.Reading;

/// <summary>What an expression asks of a variable.</summary>
/// <param name="Name">The variable.</param>
/// <param name="Value">By the rules of compose, its default included; null where there is none.</param>
/// <param name="IsRequired">Whether the file says with <c>:?</c> that it must have a value.</param>
/// <param name="HasDefault">Whether the file says what it is where it has none.</param>
internal sealed record VariableUse(string Name, string? Value, bool IsRequired, bool HasDefault);

/// <summary>
/// Variables in values as compose has them: <c>$V</c>, <c>${V}</c>, <c>:-</c>, <c>-</c>, <c>:?</c>, <c>?</c>, <c>:+</c>, <c>+</c>, nested, and <c>$$</c> for a
/// dollar sign. Reads each text in time that grows with its length times the bounded depth. What is no expression stays as it is.
/// </summary>
/// <param name="lookup">The value of a variable, or null.</param>
/// <param name="use">What is written for an expression. It is asked for each but those of <c>:+</c>.</param>
internal sealed class Interpolation(Func<string, string?> lookup, Func<VariableUse, string> use)
{
    public const int MaxLength = 32 * 1024;

    private const int MaxDepth = 8;

    private int _left = MaxLength;

    /// <exception cref="FormatException">The text is too long, before or after.</exception>
    public string Expand(string text)
    {
        if (!text.Contains('$', StringComparison.Ordinal)) return text;
        if (text.Length > MaxLength) throw new FormatException();
        _left = MaxLength;
        return Expand(text, depth: 0);
    }

    private string Expand(string text, int depth)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '$' || i + 1 == text.Length) Append(text.AsSpan(i, 1));
            else if (text[i + 1] == '$')
            {
                Append("$");
                i++;
            }
            else if (text[i + 1] == '{')
            {
                if (EndOf(text, i + 2) is not (>= 0 and var end))
                {
                    Append(text.AsSpan(i));
                    break;
                }
                Append(depth < MaxDepth && Read(text[(i + 2)..end], depth) is { } value ? value : text.AsSpan(i, end - i + 1));
                i = end;
            }
            else if (NameAt(text, i + 1) is { Length: > 0 } name)
            {
                Append(use(new VariableUse(name, lookup(name), IsRequired: false, HasDefault: false)));
                i += name.Length;
            }
            else Append("$");
        }
        return result.ToString();

        void Append(ReadOnlySpan<char> part)
        {
            if ((_left -= part.Length) < 0) throw new FormatException();
            result.Append(part);
        }
    }

    /// <returns>Null where the text between the braces is no expression.</returns>
    private string? Read(string inner, int depth)
    {
        var name = NameAt(inner, 0);
        if (name.Length == 0) return null;
        var rest = inner[name.Length..];
        var value = lookup(name);
        if (rest.Length == 0) return use(new VariableUse(name, value, IsRequired: false, HasDefault: false));
        // With a colon an empty value is none.
        var emptyIsNone = rest[0] == ':';
        if (emptyIsNone) rest = rest[1..];
        if (rest.Length == 0) return null;
        var isSet = value is not null && !(emptyIsNone && value.Length == 0);
        var word = rest[1..];
        return rest[0] switch
        {
            '-' => use(new VariableUse(name, isSet ? value : Expand(word, depth + 1), IsRequired: false, HasDefault: true)),
            '?' => use(new VariableUse(name, isSet ? value : null, IsRequired: true, HasDefault: false)),
            '+' => isSet ? Expand(word, depth + 1) : "",
            _ => null,
        };
    }

    /// <returns>Where the brace closes that is open at <paramref name="from"/>, or -1.</returns>
    private static int EndOf(string text, int from)
    {
        var open = 1;
        for (var i = from; i < text.Length; i++)
        {
            if (text[i] == '$' && i + 1 < text.Length && text[i + 1] == '{') open++;
            else if (text[i] == '}' && --open == 0) return i;
        }
        return -1;
    }

    private static string NameAt(string text, int from)
    {
        var end = from;
        while (end < text.Length && (text[end] == '_' || char.IsAsciiLetter(text[end]) || (end > from && char.IsAsciiDigit(text[end])))) end++;
        return text[from..end];
    }
}
