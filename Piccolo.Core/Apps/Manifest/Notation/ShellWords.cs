using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Piccolo.Core.Apps.Manifest.Notation;

/// <summary>
/// Splits a command as a POSIX shell splits a line into words: quotation marks and backslashes, and nothing else. Nothing is looked up, expanded or joined by
/// operators: no shell ever sees the words.
/// </summary>
internal static class ShellWords
{
    /// <returns>False where a quotation mark is not closed, or the last backslash has nothing behind it.</returns>
    public static bool TrySplit(string text, [NotNullWhen(true)] out List<string>? words)
    {
        words = null;
        var found = new List<string>();
        var word = new StringBuilder();
        var isWord = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is ' ' or '\t' or '\n' or '\r')
            {
                if (isWord) found.Add(word.ToString());
                word.Clear();
                isWord = false;
                continue;
            }
            isWord = true;
            switch (c)
            {
                case '\'' when text.IndexOf('\'', i + 1) is >= 0 and var end:
                    word.Append(text, i + 1, end - i - 1);
                    i = end;
                    break;
                case '"' when ReadQuoted(text, i + 1, word) is >= 0 and var end:
                    i = end;
                    break;
                case '\\' when i + 1 < text.Length:
                    // A backslash at the end of a line joins it with the next one.
                    if (text[++i] != '\n') word.Append(text[i]);
                    break;
                case '\'' or '"' or '\\':
                    return false;
                default:
                    word.Append(c);
                    break;
            }
        }
        if (isWord) found.Add(word.ToString());
        words = found;
        return true;
    }

    /// <returns>Where the closing mark stands, or -1.</returns>
    private static int ReadQuoted(string text, int from, StringBuilder word)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (text[i] == '"') return i;
            // Between double marks a backslash counts before these only (POSIX.1-2017, 2.2.3).
            if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] is '"' or '\\' or '$' or '`' or '\n')
            {
                if (text[++i] != '\n') word.Append(text[i]);
            }
            else word.Append(text[i]);
        }
        return -1;
    }
}
