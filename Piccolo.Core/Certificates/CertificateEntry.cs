using System.Collections.Immutable;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>How a wanted certificate is.</summary>
public enum CertificateStatus
{
    /// <summary>Held, and the last attempt did not fail.</summary>
    Ok,

    /// <summary>Not held; being ordered or waiting for its turn.</summary>
    Pending,

    /// <summary>The last attempt failed. What is held, if anything, still serves: see the dates.</summary>
    Error,

    /// <summary>Held and being ordered again.</summary>
    Renewing,
}

/// <summary>One wanted certificate. Everything about a certificate comes from the leaf that is held, and is null where none is.</summary>
public sealed record CertificateEntry(string Id, ImmutableArray<DomainName> Names, CertificateStatus Status)
{
    public string? Issuer { get; init; }

    public string? Serial { get; init; }

    /// <summary><c>P-256</c>, <c>P-384</c> or <c>RSA-2048</c>.</summary>
    public string? KeyType { get; init; }

    /// <summary>The profile that was asked for; null for the CA's own choice.</summary>
    public string? Profile { get; init; }

    /// <summary>The directory of the CA that issued it.</summary>
    public Uri? Directory { get; init; }

    /// <summary>The kind of challenge by which the names were proven, or by which the next order will be.</summary>
    public string Challenge { get; init; } = "";

    public DateTimeOffset? IssuedAt { get; init; }

    public DateTimeOffset? NotBefore { get; init; }

    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>The scheduled time, the window it was picked from, and the source of that window.</summary>
    public RenewalMoment? Renewal { get; init; }

    public DateTimeOffset? RenewAt => Renewal?.At;

    public string? FingerprintSha256 { get; init; }

    /// <summary>When a client last finished a handshake that showed this very certificate, since the process began; null for never seen.</summary>
    public DateTimeOffset? LastShown { get; init; }

    public DateTimeOffset? LastAttempt { get; init; }

    /// <summary>When the next order begins, a renewal included; null while one is under way or cannot begin, for instance because the tunnel is down.</summary>
    public DateTimeOffset? NextAttempt { get; init; }

    /// <summary>
    /// What the next order waits for beyond its time: <c>not_reachable</c>, or a limit of the CA's that is kept on our side (<c>orders</c>, <c>domain</c>,
    /// <c>same_names</c>, <c>failed_validations</c>).
    /// </summary>
    public string? HeldBackBy { get; init; }

    /// <summary>Failed attempts since the last success.</summary>
    public int Failures { get; init; }

    public DateTimeOffset? FailingSince { get; init; }

    public AttemptError? LastError { get; init; }
}

/// <summary>The account at a CA, as a CAA record can name it (RFC 8657).</summary>
/// <param name="Account">Null while there is none.</param>
/// <param name="CaaIdentities">What the CA's directory says that a CAA record must name; empty before the directory was read.</param>
public sealed record CertificateAccount(Uri Directory, Uri? Account, ImmutableArray<string> CaaIdentities);
