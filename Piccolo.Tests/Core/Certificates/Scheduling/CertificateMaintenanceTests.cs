using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Tests.Core.Certificates.Simulation;

namespace Piccolo.Tests.Core.Certificates.Scheduling;

/// <summary>What is asked of a CA beside orders, and when it is asked again.</summary>
internal sealed class CertificateMaintenanceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly WantedCertificate Wanted = EngineHarness.Want("web.home.test");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero));

    [Test]
    public async Task Wait_OfACertificateThatIsNoLongerHeld_IsForgotten()
    {
        var ca = new SilentAuthority();
        var ledger = new CertificateLedger(new MemoryCertificateStore(), new ServerCertificateTable(), new AcmeLimitsOptions(), _time, () => 0.5,
            NullLogger<CertificateLedger>.Instance);
        var chores = new CertificateMaintenance(ledger, ca, _time, () => 0.5, NullLogger<CertificateMaintenance>.Instance);
        var held = LedgerSnapshot.Empty with { Certificates = LedgerSnapshot.Empty.Certificates.Add(Wanted.Id, Held()) };

        await PassAsync(held);
        Pass(held);
        Assert.That((ca.Asked, chores.UnderWay.Length), Is.EqualTo((1, 0)), "it waits");

        Pass(LedgerSnapshot.Empty);
        await PassAsync(held);
        Assert.That(ca.Asked, Is.EqualTo(2), "a day has not passed");

        void Pass(LedgerSnapshot snapshot) => chores.Pass([Wanted], snapshot, _time.GetUtcNow(), () => { }, CancellationToken.None);

        async Task PassAsync(LedgerSnapshot snapshot)
        {
            Pass(snapshot);
            await Task.WhenAll(chores.UnderWay).WaitAsync(Patience);
        }
    }

    private HeldCertificate Held()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (from, to) = (_time.GetUtcNow().AddDays(-1), _time.GetUtcNow().AddDays(89));
        var leaf = new CertificateRequest("CN=web.home.test", key, HashAlgorithmName.SHA256).CreateSelfSigned(from, to);
        var record = new CertificateRecord(Wanted.Id, [.. Wanted.Names.Select(n => n.Value)], [], leaf.ExportCertificatePem(), from,
            SilentAuthority.Directory, 0.5);
        return new HeldCertificate(record, LeafFacts.From(leaf), new ServerCertificateBundle(leaf, [], Wanted.Names)) { CertificateId = "id" };
    }

    /// <summary>Gives no renewal information.</summary>
    private sealed class SilentAuthority : ICertificateIssuer
    {
        public static readonly Uri Directory = new("https://ca.test/dir");

        public int Asked { get; private set; }

        public ImmutableArray<Uri> Directories { get; } = [Directory];

        public Task<AcmeResult<CertificateRecord>> IssueAsync(OrderTicket ticket, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<AcmeResult<RenewalHint?>> HintAsync(Uri directory, string certificateId, CancellationToken cancellationToken)
        {
            Asked++;
            return Task.FromResult<AcmeResult<RenewalHint?>>((RenewalHint?)null);
        }

        public Task<AcmeFailure?> RevokeAsync(Uri directory, byte[] certificateDer, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
