using Piccolo.Core.ControlStore;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>Certificates, attempts and accounts as sealed rows of the control store.</summary>
internal sealed class SealedCertificateStore(SealedStore store) : ICertificateStore
{
    private static readonly StoreCollection<AccountRecord> AccountRows = new("acme-accounts");
    private static readonly StoreCollection<CertificateRecord> CertificateRows = new("certificates");
    private static readonly StoreCollection<AttemptRecord> AttemptRows = new("attempts");

    public ChangeSignal Changed => store.Changed;

    public bool IsOpen => store.IsOpen;

    public IReadOnlyList<CertificateRecord> Certificates() => store.List(CertificateRows);

    public IReadOnlyList<AttemptRecord> Attempts() => store.List(AttemptRows);

    public AccountRecord? Account(Uri directory) => store.Get(AccountRows, directory.AbsoluteUri);

    public void Put(AccountRecord account) => store.Commit(t => t.Put(AccountRows, account.Directory.AbsoluteUri, account));

    public void Put(AttemptRecord attempt) => store.Commit(t => t.Put(AttemptRows, attempt.Id, attempt));

    public void Complete(CertificateRecord certificate) => store.Commit(t =>
    {
        t.Put(CertificateRows, certificate.Id, certificate);
        t.Delete(AttemptRows, certificate.Id);
    });

    public void Forget(string id) => store.Commit(t =>
    {
        t.Delete(CertificateRows, id);
        t.Delete(AttemptRows, id);
    });
}
