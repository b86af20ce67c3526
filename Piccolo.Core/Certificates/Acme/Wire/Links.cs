using System.Collections.Immutable;

namespace Piccolo.Core.Certificates.Acme.Wire;

/// <summary>Link headers (RFC 8288), as far as ACME uses them. Pure; what is malformed is skipped.</summary>
internal static class Links
{
    private const int MaxLinks = 50;

    public static ImmutableArray<Uri> Alternates(IEnumerable<string> headers, Uri request)
    {
        var found = ImmutableArray.CreateBuilder<Uri>();
        foreach (var link in headers.SelectMany(h => h.Split(',')).Take(MaxLinks))
        {
            var from = link.IndexOf('<', StringComparison.Ordinal);
            var to = link.IndexOf('>', StringComparison.Ordinal);
            if (from < 0 || to < from) continue;
            var isAlternate = link[(to + 1)..].Split(';').Select(p => p.Trim().Replace("\"", "", StringComparison.Ordinal))
                .Any(p => p.Equals("rel=alternate", StringComparison.OrdinalIgnoreCase));
            if (isAlternate && Uri.TryCreate(request, link[(from + 1)..to], out var url)) found.Add(url);
        }
        return found.ToImmutable();
    }
}
