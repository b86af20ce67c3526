using System.Text.Json.Serialization;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Scheduling;

namespace Piccolo.Core.Certificates.Ledger;

// What the store keeps. Dates of a certificate are never stored: they come from its leaf.

/// <summary>A certificate with its key, as it lies in the store.</summary>
/// <param name="KeyPkcs8">The leaf's private key. Wiped from memory when the store closes.</param>
/// <param name="ChainPem">Leaf first.</param>
/// <param name="RenewalShare">Between 0 and 1, drawn once: which moment of the renewal span is this certificate's.</param>
internal sealed record CertificateRecord(
    string Id, IReadOnlyList<string> Names, byte[] KeyPkcs8, string ChainPem, DateTimeOffset IssuedAt, Uri Directory, double RenewalShare)
{
    /// <summary>The profile that was asked for; null for the CA's own choice.</summary>
    public string? Profile { get; init; }

    /// <summary>The kind of challenge that proved the names; null where the CA believed them already.</summary>
    public string? Challenge { get; init; }
}

/// <summary>The account at one CA. The key is stored before the CA hears of it, so that a crash between finds the same account again.</summary>
internal sealed record AccountRecord(Uri Directory, byte[] KeyPkcs8, Uri? Url, DateTimeOffset CreatedAt)
{
    /// <summary>The address that the CA was told.</summary>
    public string? Email { get; init; }
}

/// <summary>The ledger of attempts for one certificate; survives restarts, so that they never make more orders.</summary>
/// <param name="Names">What was to be certified: for other names the ledger does not count.</param>
/// <param name="Failures">Failed attempts since the last success.</param>
/// <param name="ConsecutiveFailures">Of these, how many at the end were of the last error's class: the backoff table's row. Stored as in_row.</param>
/// <param name="Running">Set while an attempt runs; found set after a start, it was interrupted.</param>
/// <param name="Order">An order that the CA knows and that can be taken up again.</param>
internal sealed record AttemptRecord(
    string Id, IReadOnlyList<string> Names, DateTimeOffset LastAttempt, int Failures, [property: JsonPropertyName("in_row")] int ConsecutiveFailures,
    DateTimeOffset NextAttempt, bool Running, AttemptError? LastError, PendingOrder? Order)
{
    /// <summary>When the first of the failures began.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>The CA of the last attempt.</summary>
    public Uri? Directory { get; init; }

    /// <summary>The kind of challenge that the last attempt answered.</summary>
    public string? Challenge { get; init; }

    /// <summary>The CA refused an order that named the certificate to replace: the next order must not name it (RFC 9773, 5).</summary>
    public bool WithoutReplaces { get; init; }

    /// <summary>An order may be at the CA that <see cref="Order"/> does not know: set from before the request until its answer is stored.</summary>
    public bool Placing { get; init; }

    /// <summary>Whether it is about exactly these names.</summary>
    public bool IsFor(WantedCertificate wanted) => Names.SequenceEqual(wanted.Names.Select(n => n.Value), StringComparer.Ordinal);
}

/// <summary>Why the last attempt failed, for the owner.</summary>
/// <param name="Code">Stable, snake_case.</param>
/// <param name="Detail">The CA's words or one plain sentence.</param>
/// <param name="NextStep">What the owner can do, or that nothing is to be done.</param>
public sealed record AttemptError(AcmeFailureClass Class, string Code, string Detail, string NextStep);

/// <summary>An order at the CA and the key that its certificate will have.</summary>
internal sealed record PendingOrder(Uri Url, Uri Directory, IReadOnlyList<string> Names, byte[] KeyPkcs8, DateTimeOffset PlacedAt)
{
    public string? Profile { get; init; }

    /// <summary>Its certificate was issued, and is counted among what the CA limits.</summary>
    public bool IsCounted { get; init; }
}

/// <summary>What the CA suggested for one certificate (RFC 9773), as it was received.</summary>
/// <param name="Fingerprint">Of the leaf that it is about.</param>
/// <param name="Start">Null with <paramref name="End"/>: nothing usable so far.</param>
internal sealed record RenewalHintRecord(
    string Id, string Fingerprint, DateTimeOffset? Start, DateTimeOffset? End, string? Explanation, DateTimeOffset CheckedAt, DateTimeOffset NextCheck);

/// <summary>The owner asked for a new certificate, kept until it is there.</summary>
/// <param name="Revoke">The one that is held now is to be revoked afterwards.</param>
internal sealed record RenewalRequest(string Id, bool Revoke, DateTimeOffset At);

/// <summary>A certificate that the CA is still to be asked to revoke.</summary>
/// <param name="Serial">Hexadecimal; the key.</param>
internal sealed record RevocationRecord(string Serial, string Id, byte[] CertificateDer, Uri Directory, int Failures, DateTimeOffset NextAttempt);

/// <summary>What is left of the limits of one CA.</summary>
internal sealed record BudgetRecord(Uri Directory, IReadOnlyDictionary<string, TokenBucket> Buckets);
