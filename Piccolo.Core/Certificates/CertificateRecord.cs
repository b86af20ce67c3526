using Piccolo.Core.Certificates.Acme;

namespace Piccolo.Core.Certificates;

// What the store keeps. Dates of a certificate are never stored: they come from its leaf.

/// <summary>A certificate with its key, as it lies in the store.</summary>
/// <param name="KeyPkcs8">The leaf's private key. Wiped from memory when the store closes.</param>
/// <param name="ChainPem">Leaf first.</param>
/// <param name="RenewalShare">Between 0 and 1, drawn once: which moment of the renewal span is this certificate's.</param>
internal sealed record CertificateRecord(
    string Id, IReadOnlyList<string> Names, byte[] KeyPkcs8, string ChainPem, DateTimeOffset IssuedAt, Uri Directory, double RenewalShare);

/// <summary>The account at one CA. The key is stored before the CA hears of it, so that a crash between finds the same account again.</summary>
internal sealed record AccountRecord(Uri Directory, byte[] KeyPkcs8, Uri? Url, DateTimeOffset CreatedAt);

/// <summary>The ledger of attempts for one certificate; survives restarts, so that they never make more orders.</summary>
/// <param name="Names">What was to be certified: for other names the ledger does not count.</param>
/// <param name="Failures">Failed attempts since the last success.</param>
/// <param name="InRow">Of these, how many at the end were of the last error's class: the backoff table's row.</param>
/// <param name="Running">Set while an attempt runs; found set after a start, it was interrupted.</param>
/// <param name="Order">An order that the CA knows and that can be taken up again.</param>
internal sealed record AttemptRecord(
    string Id, IReadOnlyList<string> Names, DateTimeOffset LastAttempt, int Failures, int InRow, DateTimeOffset NextAttempt, bool Running, AttemptError? LastError, PendingOrder? Order);

/// <summary>Why the last attempt failed, for the owner.</summary>
/// <param name="Code">Stable, snake_case.</param>
/// <param name="Detail">The CA's words or one plain sentence.</param>
/// <param name="NextStep">What the owner can do, or that nothing is to be done.</param>
public sealed record AttemptError(AcmeFailureClass Class, string Code, string Detail, string NextStep);

/// <summary>An order at the CA and the key that its certificate will have.</summary>
internal sealed record PendingOrder(Uri Url, Uri Directory, IReadOnlyList<string> Names, byte[] KeyPkcs8, DateTimeOffset PlacedAt);
