using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>
/// What the certificate engine asks of storage: durable, sealed, each call one transaction. All but the first two throw while closed.
/// </summary>
internal interface ICertificateStore
{
    /// <summary>Raised at least when the store opens or closes.</summary>
    ChangeSignal Changed { get; }

    bool IsOpen { get; }

    IReadOnlyList<CertificateRecord> Certificates();

    IReadOnlyList<AttemptRecord> Attempts();

    AccountRecord? Account(Uri directory);

    void Put(AccountRecord account);

    void Put(AttemptRecord attempt);

    /// <summary>Key, chain, metadata and the end of the attempt: all of it or nothing.</summary>
    void Complete(CertificateRecord certificate);

    void Forget(string id);
}
