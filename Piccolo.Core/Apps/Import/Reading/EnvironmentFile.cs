using System.Text;

namespace Piccolo.Core.Apps.Import.Reading;

/// <summary>
/// A <c>.env</c> as compose reads it: <c>NAME=value</c>, also with <c>export</c> or a colon; <c>#</c> begins a comment at the start of a line and after a
/// space; single quotes keep everything, double quotes know escapes, both may span lines; variables are filled in but in single quotes. Lines that are none
/// of this are passed over.
/// </summary>
internal sealed class EnvironmentFile
{
    public const int MaxVariables = 2048;

    // As many characters as all values together may have once variables are filled in.
    private const int MaxLength = 512 * 1024;

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private int _length;

    /// <summary>In the order of the file; a name that comes twice has its last value.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <param name="outer">What variables stand for that the file itself does not have.</param>
    /// <exception cref="FormatException">It is larger than its bounds, or becomes so.</exception>
    public static EnvironmentFile Read(string text, Func<string, string?>? outer = null)
    {
        var file = new EnvironmentFile();
        text = References.Clean(text).Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (text.StartsWith('\uFEFF')) text = text[1..];
        var interpolation = new Interpolation(name => file._values.GetValueOrDefault(name) ?? outer?.Invoke(name), u => u.Value ?? "");
        var at = 0;
        while (at < text.Length) at = file.ReadLine(text, at, interpolation);
        return file;
    }

    /// <returns>Where the next line begins.</returns>
    private int ReadLine(string text, int at, Interpolation interpolation)
    {
        var lineEnd = text.IndexOf('\n', at) is >= 0 and var end ? end : text.Length;
        var line = text.AsSpan(at, lineEnd - at);
        var nameAt = at + (line.Length - line.TrimStart().Length);
        if (text.AsSpan(nameAt).StartsWith("export ")) nameAt += "export ".Length;
        var stop = nameAt;
        while (stop < lineEnd && text[stop] is not ('=' or ':' or '#')) stop++;
        var name = text[nameAt..Math.Max(nameAt, stop)].Trim();
        // A name without a value takes it from outside, where nothing is.
        if (stop >= lineEnd || text[stop] == '#' || !IsName(name)) return lineEnd + 1;
        var valueAt = stop + 1;
        while (valueAt < lineEnd && text[valueAt] is ' ' or '\t') valueAt++;
        var quote = valueAt < lineEnd ? text[valueAt] : '\0';
        if (quote is '"' or '\'' && ClosingQuote(text, valueAt + 1, quote) is >= 0 and var close)
        {
            var inner = text[(valueAt + 1)..close];
            Keep(name, quote == '\'' ? inner : interpolation.Expand(Unescape(inner)));
            return text.IndexOf('\n', close) is >= 0 and var next ? next + 1 : text.Length;
        }
        Keep(name, interpolation.Expand(WithoutComment(text.AsSpan(valueAt, lineEnd - valueAt)).Trim().ToString()));
        return lineEnd + 1;
    }

    private void Keep(string name, string value)
    {
        _length += value.Length;
        if (_length > MaxLength || _values.Count >= MaxVariables) throw new FormatException();
        _values[name] = value;
    }

    private static bool IsName(string name) => name.Length is > 0 and <= 255 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    private static int ClosingQuote(string text, int from, char quote)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (text[i] == '\\' && quote == '"') i++;
            else if (text[i] == quote) return i;
        }
        return -1;
    }

    private static ReadOnlySpan<char> WithoutComment(ReadOnlySpan<char> value)
    {
        for (var i = 0; i < value.Length; i++)
            if (value[i] == '#' && (i == 0 || value[i - 1] is ' ' or '\t')) return value[..i];
        return value;
    }

    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal)) return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }
            _ = text[++i] switch
            {
                'n' => result.Append('\n'),
                'r' => result.Append('\r'),
                't' => result.Append('\t'),
                // Stays a dollar sign through what fills variables in.
                '$' => result.Append("$$"),
                '"' or '\\' => result.Append(text[i]),
                var other => result.Append('\\').Append(other),
            };
        }
        return result.ToString();
    }
}
