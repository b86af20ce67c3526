using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Core.Certificates.Simulation;

/// <summary>The engine's store as dictionaries: for simulations of years only, where the sealed one would be the whole cost.</summary>
internal sealed class MemoryCertificateStore : ICertificateStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, CertificateRecord> _certificates = [];
    private readonly Dictionary<string, AttemptRecord> _attempts = [];
    private readonly Dictionary<string, RenewalRequest> _requests = [];
    private readonly Dictionary<string, RenewalHintRecord> _hints = [];
    private readonly Dictionary<string, RevocationRecord> _revocations = [];
    private readonly Dictionary<Uri, BudgetRecord> _budgets = [];

    public ChangeSignal Changed { get; } = new();

    public bool IsOpen => true;

    public IReadOnlyList<CertificateRecord> Certificates() => Of(_certificates);

    public IReadOnlyList<AttemptRecord> Attempts() => Of(_attempts);

    public IReadOnlyList<RenewalRequest> RenewalRequests() => Of(_requests);

    public IReadOnlyList<RenewalHintRecord> Hints() => Of(_hints);

    public IReadOnlyList<RevocationRecord> Revocations() => Of(_revocations);

    public IReadOnlyList<BudgetRecord> Budgets() => Of(_budgets);

    public TranscriptRecord? Transcript(string id) => null;

    public AccountRecord? Account(Uri directory) => null;

    public void Put(AccountRecord account) => throw new NotSupportedException();

    public void Put(AttemptRecord attempt, BudgetRecord? budget = null)
    {
        lock (_gate)
        {
            _attempts[attempt.Id] = attempt;
            if (budget is not null) _budgets[budget.Directory] = budget;
        }
    }

    public void Put(RenewalRequest request) => Set(_requests, request.Id, request);

    public void Put(RenewalHintRecord hint) => Set(_hints, hint.Id, hint);

    public void Put(RevocationRecord revocation) => Set(_revocations, revocation.Serial, revocation);

    public void Put(TranscriptRecord transcript) => throw new NotSupportedException();

    public void Complete(CertificateRecord certificate, RevocationRecord? revocation, bool requestDone)
    {
        lock (_gate)
        {
            _certificates[certificate.Id] = certificate;
            _attempts.Remove(certificate.Id);
            _hints.Remove(certificate.Id);
            if (requestDone) _requests.Remove(certificate.Id);
            if (revocation is not null) _revocations[revocation.Serial] = revocation;
        }
    }

    public void Forget(string id)
    {
        lock (_gate)
        {
            _certificates.Remove(id);
            _attempts.Remove(id);
        }
    }

    public void ForgetRevocation(string serial)
    {
        lock (_gate) _revocations.Remove(serial);
    }

    private List<T> Of<TKey, T>(Dictionary<TKey, T> rows) where TKey : notnull
    {
        lock (_gate) return [.. rows.Values];
    }

    private void Set<T>(Dictionary<string, T> rows, string key, T row)
    {
        lock (_gate) rows[key] = row;
    }
}
