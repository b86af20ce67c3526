using System.Collections.Immutable;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Ledger;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>What an order tells the ledger while it goes on; each call is durable when it returns.</summary>
internal interface IOrderLedger
{
    /// <summary>The next request may make an order at the CA.</summary>
    void Placing();

    /// <param name="order">What can be taken up again; null where the known order is of no more use.</param>
    void Placed(PendingOrder? order);

    /// <summary>The CA has issued the certificate.</summary>
    void Issued();

    /// <summary>The CA took the order only without <c>replaces</c> (RFC 9773, 5): no later attempt names the old certificate.</summary>
    void WithoutReplaces();
}

/// <summary>One order that is to be carried out.</summary>
/// <param name="Authority">Index of the CA.</param>
/// <param name="Resume">The order of an earlier attempt, if any.</param>
/// <param name="MaybePlaced">An earlier attempt was cut off while it placed an order.</param>
/// <param name="Challenge">The kind of challenge to answer first.</param>
/// <param name="Profile">Null for the CA's own choice.</param>
/// <param name="Replaces">The certificate whose place the new one takes (RFC 9773, 5).</param>
/// <param name="Step">Awaited at each step.</param>
internal sealed record OrderTicket(
    WantedCertificate Wanted, int Authority, PendingOrder? Resume, bool MaybePlaced, string Challenge, string? Profile, string? Replaces, IOrderLedger Ledger,
    Func<OrderStep, Task> Step);

/// <summary>The certificate authorities, as the scheduler needs them. Thread-safe.</summary>
internal interface ICertificateIssuer
{
    /// <summary>The directories of the CAs, the first one first.</summary>
    ImmutableArray<Uri> Directories { get; }

    Task<AcmeResult<CertificateRecord>> IssueAsync(OrderTicket ticket, CancellationToken cancellationToken);

    /// <summary>The CA's suggestion when to renew (RFC 9773); null where it gives none.</summary>
    Task<AcmeResult<RenewalHint?>> HintAsync(Uri directory, string certificateId, CancellationToken cancellationToken);

    Task<AcmeFailure?> RevokeAsync(Uri directory, byte[] certificateDer, CancellationToken cancellationToken);
}
