using Microsoft.Extensions.Primitives;

namespace Piccolo.Api.Http;

/// <summary>What a client would like of an answer (RFC 7240). A preference that is not understood is as good as none. Pure.</summary>
internal static class Preferences
{
    public const string Header = "Prefer";

    public const string AppliedHeader = "Preference-Applied";

    /// <summary>Rather an answer at once than one when the work is done.</summary>
    public const string RespondAsync = "respond-async";

    public static bool Has(StringValues headers, string preference)
    {
        foreach (var header in headers)
        {
            var rest = header.AsSpan();
            while (!rest.IsEmpty)
            {
                var member = Take(ref rest, ',');
                var name = Take(ref member, ';');
                if (IsPreference(name, preference)) return true;
            }
        }
        return false;
    }

    /// <summary>A value that is empty is as good as none.</summary>
    private static bool IsPreference(ReadOnlySpan<char> text, string preference)
    {
        var name = Take(ref text, '=').Trim(" \t");
        return name.Equals(preference, StringComparison.OrdinalIgnoreCase) && text.Trim(" \t") is "" or "\"\"";
    }

    /// <summary>Up to the next separator that is in no quoted string; the rest is what comes after it.</summary>
    private static ReadOnlySpan<char> Take(scoped ref ReadOnlySpan<char> rest, char separator)
    {
        var isQuoted = false;
        for (var i = 0; i < rest.Length; i++)
        {
            if (isQuoted && rest[i] == '\\') i++;
            else if (rest[i] == '"') isQuoted = !isQuoted;
            else if (!isQuoted && rest[i] == separator)
            {
                var taken = rest[..i];
                rest = rest[(i + 1)..];
                return taken;
            }
        }
        var all = rest;
        rest = [];
        return all;
    }
}
