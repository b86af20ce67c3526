using System.Collections.Immutable;
using Piccolo.Core.Certificates.Acme.Wire;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Acme.Messages;

/// <summary>The states of orders, authorizations and challenges (RFC 8555, 7.1.6).</summary>
internal enum AcmeStatus
{
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
    Deactivated,
    Expired,
    Revoked,
}

/// <summary>An account at the CA, ready to sign. Owns its key.</summary>
internal sealed record AcmeAccount(Uri Url, JwsSigner Signer) : IDisposable
{
    public void Dispose() => Signer.Dispose();
}

/// <summary>An order whose fields fit its state: as many authorizations as may be, a certificate URL where it is valid.</summary>
internal sealed record AcmeOrder(
    Uri Url, AcmeStatus Status, ImmutableSortedSet<string> Names, ImmutableArray<Uri> Authorizations, Uri Finalize, Uri? Certificate, AcmeProblem? Error)
{
    /// <summary>As the CA tells it; null where it does not.</summary>
    public string? Profile { get; init; }

    public TimeSpan? RetryAfter { get; init; }
}

internal sealed record AcmeAuthorization(AcmeStatus Status, DomainName Name, ImmutableArray<AcmeChallenge> Challenges)
{
    public TimeSpan? RetryAfter { get; init; }

    public AcmeChallenge? Find(string type) => Challenges.FirstOrDefault(c => c.Type == type);
}

internal sealed record AcmeChallenge(string Type, Uri Url, AcmeStatus Status, string Token, AcmeProblem? Error)
{
    public const string TypeHttp01 = "http-01";
    public const string TypeTlsAlpn01 = "tls-alpn-01";
}
