using System.Net;

namespace Piccolo.Core.ProxyProtocol;

/// <summary>What the first bytes of a connection from a proxy turned out to be.</summary>
public enum ProxyHeaderVerdict
{
    /// <summary>So far a header, but not yet a whole one.</summary>
    NeedMore,

    Header,

    /// <summary>No PROXY protocol header of version 2.</summary>
    NotProxy,

    /// <summary>A header that breaks the protocol's rules.</summary>
    Malformed,

    /// <summary>Longer than <see cref="ProxyHeaderParser.MaxHeaderBytes"/>.</summary>
    TooLarge,
}

/// <summary>The outcome of <see cref="ProxyHeaderParser.Parse(in System.Buffers.ReadOnlySequence{byte})"/>.</summary>
/// <param name="Source">The client as the proxy names it; null when it speaks for itself (LOCAL) or does not know.</param>
/// <param name="Destination">Where the client connected; null together with <paramref name="Source"/>.</param>
/// <param name="IsLocal">The proxy's own connection, such as its health check: the peer of the socket is the client.</param>
/// <param name="Length">For <see cref="ProxyHeaderVerdict.Header"/>: its bytes, after which the client's own begin. For
/// <see cref="ProxyHeaderVerdict.NeedMore"/>: below this many bytes another look cannot say more.</param>
public readonly record struct ProxyHeader(ProxyHeaderVerdict Verdict, IPEndPoint? Source, IPEndPoint? Destination, bool IsLocal, int Length)
{
    internal static ProxyHeader NeedMore(int length) => new(ProxyHeaderVerdict.NeedMore, null, null, false, length);

    internal static ProxyHeader Of(ProxyHeaderVerdict verdict) => new(verdict, null, null, false, 0);
}
