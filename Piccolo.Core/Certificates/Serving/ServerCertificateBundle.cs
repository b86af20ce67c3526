using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Serving;

/// <summary>
/// A certificate as a handshake needs it: leaf with key, whole chain and the cached context of the TLS stack. Immutable but for the note when it was
/// shown; swapped by reference, so that open connections keep theirs.
/// </summary>
public sealed class ServerCertificateBundle
{
    private long _lastShown;

    public ServerCertificateBundle(X509Certificate2 leaf, X509Certificate2Collection intermediates, IEnumerable<DomainName> names)
    {
        Leaf = leaf;
        Names = [.. names];
        // offline: the chain comes from the CA's answer; a handshake never waits for a download.
        Context = SslStreamCertificateContext.Create(leaf, intermediates, offline: true);
    }

    public X509Certificate2 Leaf { get; }

    public ImmutableArray<DomainName> Names { get; }

    public SslStreamCertificateContext Context { get; }

    /// <summary>When a client last finished a handshake that showed this certificate, since the process began; null for never.</summary>
    public DateTimeOffset? LastShown => Volatile.Read(ref _lastShown) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>A handshake with this certificate was finished by the client.</summary>
    public void Shown(DateTimeOffset at) => Volatile.Write(ref _lastShown, at.UtcTicks);
}
