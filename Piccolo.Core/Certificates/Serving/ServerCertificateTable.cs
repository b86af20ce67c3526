using System.Collections.Frozen;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Serving;

/// <summary>Host name to certificate, for handshakes: one volatile read and one look-up. Empty while locked. Thread-safe.</summary>
public sealed class ServerCertificateTable
{
    private FrozenDictionary<string, ServerCertificateBundle> _byHost = FrozenDictionary<string, ServerCertificateBundle>.Empty;

    /// <summary>Raised after each replacement.</summary>
    public ChangeSignal Changed { get; } = new();

    public bool IsEmpty => Volatile.Read(ref _byHost).Count == 0;

    public ServerCertificateBundle? Find(string host) => Volatile.Read(ref _byHost).GetValueOrDefault(host);

    public void Replace(IEnumerable<ServerCertificateBundle> bundles)
    {
        var next = bundles.SelectMany(b => b.Names.Select(n => (n.Value, b)))
            .GroupBy(p => p.Value, StringComparer.OrdinalIgnoreCase)
            // Of two certificates for one name the one that lasts longer serves.
            .ToFrozenDictionary(g => g.Key, g => g.MaxBy(p => p.b.Leaf.NotAfter).b, StringComparer.OrdinalIgnoreCase);
        Volatile.Write(ref _byHost, next);
        Changed.Raise();
    }
}
