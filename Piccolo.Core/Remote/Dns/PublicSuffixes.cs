using System.Collections.Frozen;
using System.Text;
using Microsoft.Extensions.Options;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Remote.Dns;

/// <summary>
/// Below which names everybody may register (publicsuffix.org): no CA certifies such a name itself, and no owner has it. The system's list where there is
/// one (Debian's package <c>publicsuffix</c>), else the one that was built in, of 2023-02-09. Thread-safe.
/// </summary>
public sealed class PublicSuffixes
{
    private const string BuiltIn = "public_suffix_list.dat";
    private const long MaxFileBytes = 4 * 1024 * 1024;

    private readonly Lazy<FrozenSet<string>> _rules;

    public PublicSuffixes(IOptions<RemoteOptions> options) => _rules = new Lazy<FrozenSet<string>>(() => Read(options.Value.PublicSuffixFile));

    /// <summary>Whether nobody can own this name, because it is a suffix below which names are registered.</summary>
    public bool IsPublicSuffix(DomainName name) => SuffixOf(name) == name.Value;

    /// <summary>The public suffix of a name. Where no rule speaks of it, its last label (the list's own default rule).</summary>
    public string SuffixOf(DomainName name)
    {
        var labels = name.Value.Split('.');
        for (var first = 0; first < labels.Length; first++)
        {
            var candidate = string.Join('.', labels[first..]);
            // An exception wins over the wildcard that it is an exception to; its suffix is one label shorter.
            if (_rules.Value.Contains("!" + candidate)) return string.Join('.', labels[(first + 1)..]);
            if (_rules.Value.Contains(candidate)) return candidate;
            if (first + 1 < labels.Length && _rules.Value.Contains("*." + string.Join('.', labels[(first + 1)..]))) return candidate;
        }
        return labels[^1];
    }

    /// <summary>The name that somebody registered: the public suffix and one label more. A public suffix is its own.</summary>
    public DomainName RegisteredOf(DomainName name)
    {
        var suffix = SuffixOf(name);
        if (suffix == name.Value) return name;
        var below = name.Value[..^(suffix.Length + 1)];
        return DomainName.Parse(name.Value[(below.LastIndexOf('.') + 1)..]);
    }

    private static FrozenSet<string> Read(string file)
    {
        using var reader = Open(file);
        var rules = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            // A rule ends at the first white space; anything else is a comment.
            var rule = line.Split([' ', '\t'], 2)[0];
            if (rule.Length == 0 || rule.StartsWith("//", StringComparison.Ordinal)) continue;
            var prefix = rule.StartsWith('!') ? "!" : rule.StartsWith("*.", StringComparison.Ordinal) ? "*." : "";
            if (DomainName.TryParse(rule[prefix.Length..], out var name)) rules.Add(prefix + name.Value);
        }
        return rules.ToFrozenSet(StringComparer.Ordinal);
    }

    private static StreamReader Open(string file)
    {
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > 0 and <= MaxFileBytes }) return new StreamReader(file, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // The built-in one is as good, only older.
        }
        return new StreamReader(typeof(PublicSuffixes).Assembly.GetManifestResourceStream(BuiltIn)!, Encoding.UTF8);
    }
}
