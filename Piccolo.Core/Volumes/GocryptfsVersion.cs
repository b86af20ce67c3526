using System.Globalization;
using System.Text.RegularExpressions;

namespace Piccolo.Core.Volumes;

/// <summary>Which gocryptfs may be used. Pure.</summary>
internal static partial class GocryptfsVersion
{
    /// <summary>The oldest that is tested with.</summary>
    private static readonly Version Oldest = new(2, 3, 0);

    /// <summary>MariaDB crashes on its mounts that other users may read.</summary>
    private static readonly Version Broken = new(2, 5, 0);

    /// <param name="text">What <c>gocryptfs -version</c> prints.</param>
    /// <returns>Why it may not be used; null when it may.</returns>
    public static string? Refusal(string text)
    {
        if (Parse(text) is not { } version) return "gocryptfs does not say which version it is.";
        if (version < Oldest) return $"gocryptfs {version} is too old: at least 2.3 is needed.";
        return version == Broken ? "gocryptfs 2.5.0 is known to crash databases: 2.5.1 is mended." : null;
    }

    internal static Version? Parse(string text)
    {
        var match = Line().Match(text);
        return match.Success ? new Version(Number(match, 1), Number(match, 2), Number(match, 3)) : null;
    }

    private static int Number(Match match, int group) =>
        match.Groups[group].Success ? int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"^gocryptfs v?([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?(?![0-9.])", RegexOptions.CultureInvariant)]
    private static partial Regex Line();
}
