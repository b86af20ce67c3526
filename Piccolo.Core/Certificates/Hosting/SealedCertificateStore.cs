using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Hosting;

/// <summary>Certificates, attempts and accounts as sealed rows of the control store.</summary>
internal sealed class SealedCertificateStore(SealedStore store) : ICertificateStore
{
    private static readonly StoreCollection<AccountRecord> AccountRows = new("acme-accounts");
    private static readonly StoreCollection<CertificateRecord> CertificateRows = new("certificates");
    private static readonly StoreCollection<AttemptRecord> AttemptRows = new("attempts");
    private static readonly StoreCollection<RenewalRequest> RequestRows = new("certificate-asks");
    private static readonly StoreCollection<RenewalHintRecord> HintRows = new("renewal-hints");
    private static readonly StoreCollection<RevocationRecord> RevocationRows = new("revocations");
    private static readonly StoreCollection<BudgetRecord> BudgetRows = new("acme-budgets");
    private static readonly StoreCollection<TranscriptRecord> TranscriptRows = new("acme-stories");

    public ChangeSignal Changed => store.Changed;

    public bool IsOpen => store.IsOpen;

    public IReadOnlyList<CertificateRecord> Certificates() => Read(s => s.List(CertificateRows));

    public IReadOnlyList<AttemptRecord> Attempts() => Read(s => s.List(AttemptRows));

    public IReadOnlyList<RenewalRequest> RenewalRequests() => Read(s => s.List(RequestRows));

    public IReadOnlyList<RenewalHintRecord> Hints() => Read(s => s.List(HintRows));

    public IReadOnlyList<RevocationRecord> Revocations() => Read(s => s.List(RevocationRows));

    public IReadOnlyList<BudgetRecord> Budgets() => Read(s => s.List(BudgetRows));

    public TranscriptRecord? Transcript(string id) => Read(s => s.Get(TranscriptRows, id));

    public AccountRecord? Account(Uri directory) => Read(s => s.Get(AccountRows, directory.AbsoluteUri));

    public void Put(AccountRecord account) => Commit(t => t.Put(AccountRows, account.Directory.AbsoluteUri, account));

    public void Put(AttemptRecord attempt, BudgetRecord? budget = null) => Commit(t =>
    {
        t.Put(AttemptRows, attempt.Id, attempt);
        if (budget is not null) t.Put(BudgetRows, budget.Directory.AbsoluteUri, budget);
    });

    public void Put(RenewalRequest request) => Commit(t => t.Put(RequestRows, request.Id, request));

    public void Put(RenewalHintRecord hint) => Commit(t => t.Put(HintRows, hint.Id, hint));

    public void Put(RevocationRecord revocation) => Commit(t => t.Put(RevocationRows, revocation.Serial, revocation));

    public void Put(TranscriptRecord transcript) => Commit(t => t.Put(TranscriptRows, transcript.Id, transcript));

    public void Complete(CertificateRecord certificate, RevocationRecord? revocation, bool requestDone) => Commit(t =>
    {
        t.Put(CertificateRows, certificate.Id, certificate);
        t.Delete(AttemptRows, certificate.Id);
        if (requestDone) t.Delete(RequestRows, certificate.Id);
        t.Delete(HintRows, certificate.Id);
        if (revocation is not null) t.Put(RevocationRows, revocation.Serial, revocation);
    });

    public void Forget(string id) => Commit(t =>
    {
        t.Delete(CertificateRows, id);
        t.Delete(AttemptRows, id);
        t.Delete(RequestRows, id);
        t.Delete(HintRows, id);
        t.Delete(TranscriptRows, id);
    });

    public void ForgetRevocation(string serial) => Commit(t => t.Delete(RevocationRows, serial));

    private T Read<T>(Func<SealedStore, T> read)
    {
        try
        {
            return read(store);
        }
        catch (StoreSealedException e)
        {
            throw new CertificateStoreClosedException(e);
        }
    }

    private void Commit(Action<StoreTransaction> change)
    {
        try
        {
            store.Commit(change);
        }
        catch (StoreSealedException e)
        {
            throw new CertificateStoreClosedException(e);
        }
    }
}
