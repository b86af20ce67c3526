using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>
/// A certificate as a handshake needs it: leaf with key, whole chain and the cached context of the TLS stack. Immutable; swapped by reference, so that
/// open connections keep theirs.
/// </summary>
public sealed class ServerCertificateBundle
{
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
}
