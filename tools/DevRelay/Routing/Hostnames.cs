using System.Globalization;
using System.Text;

namespace Piccolo.DevRelay.Routing;

/// <summary>How the relay normalises names and what counts as a wildcard. Pure.</summary>
internal static class Hostnames
{
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <summary>Trimmed, one trailing dot dropped, ASCII where IDNA can give it, lower case; <c>*.</c> is kept in front.</summary>
    public static string Normalize(string name)
    {
        name = name.Trim();
        if (name.EndsWith('.')) name = name[..^1];
        var wildcard = name.StartsWith("*.", StringComparison.Ordinal) ? "*." : "";
        return wildcard + ToAscii(name[wildcard.Length..]).ToLowerInvariant();
    }

    /// <summary>
    /// The suffix that a wildcard claim matches, <c>.example.com</c> of <c>*.example.com</c>; null when fewer than two labels follow the star.
    /// </summary>
    public static string? WildcardSuffix(string claim)
    {
        if (!claim.StartsWith("*.", StringComparison.Ordinal)) return null;
        var labels = claim[2..].Split('.');
        return labels.Length >= 2 && labels.All(l => l.Length > 0 && !l.Contains('*', StringComparison.Ordinal)) ? claim[1..] : null;
    }

    /// <summary>The name from its first dot on: what is looked up among the wildcard suffixes.</summary>
    public static string? FirstDotSuffix(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 ? name[dot..] : null;
    }

    /// <summary>An authority without its port and brackets, normalised.</summary>
    public static string FromAuthority(string authority)
    {
        authority = authority.Trim();
        if (authority.StartsWith('['))
        {
            var close = authority.IndexOf(']', StringComparison.Ordinal);
            return close > 0 ? Normalize(authority[1..close]) : Normalize(authority);
        }

        var colon = authority.IndexOf(':', StringComparison.Ordinal);
        return Normalize(colon >= 0 && colon == authority.LastIndexOf(':') ? authority[..colon] : authority);
    }

    private static string ToAscii(string name)
    {
        if (Ascii.IsValid(name)) return name;
        try
        {
            return Idn.GetAscii(name);
        }
        catch (ArgumentException)
        {
            return name;
        }
    }
}
