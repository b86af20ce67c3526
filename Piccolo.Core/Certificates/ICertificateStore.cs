using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>
/// What the certificate engine asks of storage: durable, sealed, each call one transaction. All but the first two throw
/// <see cref="CertificateStoreClosedException"/> while closed.
/// </summary>
internal interface ICertificateStore
{
    /// <summary>Raised at least when the store opens or closes.</summary>
    ChangeSignal Changed { get; }

    bool IsOpen { get; }

    IReadOnlyList<CertificateRecord> Certificates();

    IReadOnlyList<AttemptRecord> Attempts();

    IReadOnlyList<RenewalRequest> RenewalRequests();

    IReadOnlyList<RenewalHintRecord> Hints();

    IReadOnlyList<RevocationRecord> Revocations();

    IReadOnlyList<BudgetRecord> Budgets();

    TranscriptRecord? Transcript(string id);

    AccountRecord? Account(Uri directory);

    void Put(AccountRecord account);

    /// <param name="budget">What the attempt spends, where it does.</param>
    void Put(AttemptRecord attempt, BudgetRecord? budget = null);

    void Put(RenewalRequest request);

    void Put(RenewalHintRecord hint);

    void Put(RevocationRecord revocation);

    void Put(TranscriptRecord transcript);

    /// <summary>Key, chain, metadata, the end of the attempt, and of the request with the revocation that it may want: all of it or nothing.</summary>
    void Complete(CertificateRecord certificate, RevocationRecord? revocation, bool requestDone);

    /// <summary>All that is kept about a certificate.</summary>
    void Forget(string id);

    void ForgetRevocation(string serial);
}

/// <summary>The store was closed, or closes: whatever goes on ends here and is taken up again once it opens.</summary>
public sealed class CertificateStoreClosedException(Exception? inner = null) : Exception("The certificate store is closed.", inner);
