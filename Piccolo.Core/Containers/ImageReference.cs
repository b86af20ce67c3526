using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Piccolo.Core.Containers;

/// <summary>
/// An image's reference in the grammar of the OCI distribution specification: <c>[registry[:port]/]path[:tag][@digest]</c>. Path in lower case,
/// tag in any case. Compares by value.
/// </summary>
public sealed partial record ImageReference
{
    /// <summary>The longest text that is looked at: name 255, tag 128, digest of sha512 135, separators.</summary>
    public const int MaxLength = 255 + 1 + 128 + 1 + 135;

    public const string DefaultRegistry = "docker.io";

    private const int MaxNameLength = 255;

    private ImageReference(string name, string? tag, string? digest) => (Name, Tag, Digest) = (name, tag, digest);

    /// <summary>Registry and path.</summary>
    public string Name { get; }

    /// <summary>The host from which it is fetched, with its port; <see cref="DefaultRegistry"/> where the name has none.</summary>
    public string Registry =>
        Name.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && IsRegistry(Name[..slash]) ? Name[..slash].ToLowerInvariant() : DefaultRegistry;

    /// <summary>Whether it was made on this device: Podman's name for images of no registry.</summary>
    public bool IsLocal => Registry == "localhost";

    /// <summary>Null when only a digest is given; <c>latest</c> when neither is.</summary>
    public string? Tag { get; }

    /// <summary>Such as <c>sha256:…</c>.</summary>
    public string? Digest { get; }

    public static ImageReference Parse(string text) => TryParse(text, out var reference, out var error) ? reference : throw new FormatException(error);

    /// <param name="error">One sentence that names the part that is wrong; null on success.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out ImageReference? reference, [NotNullWhen(false)] out string? error)
    {
        reference = null;
        error = Check(text, out var name, out var tag, out var digest);
        if (error is not null) return false;
        reference = new ImageReference(name, tag ?? (digest is null ? "latest" : null), digest);
        return true;
    }

    public override string ToString() => Name + (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    private static string? Check(string text, out string name, out string? tag, out string? digest)
    {
        (name, tag, digest) = (text, null, null);
        if (text.Length is 0 or > MaxLength) return $"An image reference has 1 to {MaxLength} characters.";
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0) (name, digest) = (name[..at], name[(at + 1)..]);
        // A colon after the last slash starts the tag; one before it belongs to the registry's port.
        var colon = name.LastIndexOf(':');
        if (colon > name.LastIndexOf('/')) (name, tag) = (name[..colon], name[(colon + 1)..]);

        if (digest is not null && !DigestPattern().IsMatch(digest))
            return "The digest after '@' must be sha256 or sha512 with its full length in lower-case hexadecimal.";
        if (tag is not null && !TagPattern().IsMatch(tag)) return "The tag has 1 to 128 letters, digits, '_', '.' or '-', and does not start with '.' or '-'.";
        if (name.Length > MaxNameLength) return $"The image's name has at most {MaxNameLength} characters.";
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var hasRegistry = slash > 0 && IsRegistry(name[..slash]);
        if (hasRegistry && !RegistryPattern().IsMatch(name[..slash])) return "The registry before the first '/' is not a host name with an optional port.";
        var path = hasRegistry ? name[(slash + 1)..] : name;
        return PathPattern().IsMatch(path)
            ? null
            : "The image's name has parts of lower-case letters and digits, joined by '/', with single '.', '_', '__' or '-' only inside a part.";
    }

    // As every client decides it: a first part with a dot, a port or an upper-case letter, or 'localhost', is a registry, anything else a path.
    private static bool IsRegistry(string part) => part == "localhost" || part.AsSpan().ContainsAny(".:[") || part.Any(char.IsAsciiLetterUpper);

    [GeneratedRegex(
        @"^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex RegistryPattern();

    [GeneratedRegex(
        @"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex PathPattern();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TagPattern();

    [GeneratedRegex(@"^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})\z", RegexOptions.CultureInvariant)]
    private static partial Regex DigestPattern();
}
