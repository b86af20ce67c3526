using System.Collections.Immutable;

namespace Piccolo.Core.Tls;

/// <summary>What the first bytes of a connection turned out to be.</summary>
public enum ClientHelloVerdict
{
    /// <summary>So far a ClientHello, but not yet a whole one.</summary>
    NeedMore,

    Hello,

    /// <summary>Not a TLS handshake record at all.</summary>
    NotTls,

    /// <summary>TLS that no honest client sends.</summary>
    Malformed,

    /// <summary>Not whole within <see cref="ClientHelloParser.MaxInputLength"/>.</summary>
    TooLarge,
}

/// <summary>The outcome of <see cref="ClientHelloParser.Parse(in System.Buffers.ReadOnlySequence{byte})"/>.</summary>
/// <param name="ServerName">The SNI in lower case, without a trailing dot; null when there is none.</param>
/// <param name="Alpn">The protocols that the client offers, in its order; GREASE values among them as Latin-1 text.</param>
/// <param name="MinimumLength">For <see cref="ClientHelloVerdict.NeedMore"/>: below this many bytes another look cannot say more.</param>
public readonly record struct ClientHello(ClientHelloVerdict Verdict, string? ServerName, ImmutableArray<string> Alpn, int MinimumLength)
{
    internal static ClientHello NeedMore(int minimumLength) => new(ClientHelloVerdict.NeedMore, null, [], minimumLength);

    internal static ClientHello Of(ClientHelloVerdict verdict) => new(verdict, null, [], 0);
}
