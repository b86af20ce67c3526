using System.Diagnostics.CodeAnalysis;

namespace Piccolo.Core.Apps.Manifest.Notation;

/// <summary>Paths inside a container, and folders inside a volume.</summary>
internal static class ContainerPath
{
    /// <summary>As the schema has it; the rules are stricter.</summary>
    public const string Pattern = "/[^:]*";

    // The engine or the kernel puts its own files there.
    private static readonly string[] OfTheSystem = ["/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv"];

    /// <param name="normal">Without doubled slashes and without one at the end.</param>
    /// <param name="error">One sentence; null on success.</param>
    public static bool TryNormalise(string text, [NotNullWhen(true)] out string? normal, [NotNullWhen(false)] out string? error)
    {
        normal = null;
        error = !text.StartsWith('/') ? "A path in a container begins with '/'." : ErrorOf(text);
        if (error is not null) return false;
        normal = "/" + string.Join('/', text.Split('/', StringSplitOptions.RemoveEmptyEntries));
        return true;
    }

    /// <summary>Where something may be mounted: not the root, and not where the system's own files are.</summary>
    public static bool TryNormaliseMount(string text, [NotNullWhen(true)] out string? normal, [NotNullWhen(false)] out string? error)
    {
        if (!TryNormalise(text, out normal, out error)) return false;
        if (normal != "/" && !IsOfTheSystem(normal)) return true;
        error = normal == "/"
            ? "The root of a container cannot be a mount."
            : "The system's own files are at this path; nothing can be mounted there.";
        normal = null;
        return false;
    }

    public static int DepthOf(string path) => path.Count(c => c == '/');

    private static bool IsOfTheSystem(string path) => OfTheSystem.Any(s => path == s || path.StartsWith(s + "/", StringComparison.Ordinal));

    private static string? ErrorOf(string text) =>
        text.Length > ManifestLimits.PathLength ? $"A path has at most {ManifestLimits.PathLength} characters."
        : text.Split('/').Any(part => part is "." or "..") ? "A path has no parts '.' and '..'."
        : text.Any(c => char.IsControl(c) || c is ':' or '\\' or ',') || InvisibleCharacters.FirstIn(text) is not null
            ? "A path has no colons, commas, backslashes, control characters and invisible characters."
        : null;
}
