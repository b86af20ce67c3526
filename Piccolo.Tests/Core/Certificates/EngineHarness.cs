using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Hosting;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Authorities;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>The whole engine over a real sealed store in a folder of its own; what the composition root would wire.</summary>
internal sealed class EngineHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>
    /// For a stepped clock: pauses between two questions to the CA, and shorter than any wait after a failure of it, which is to be seen first.
    /// </summary>
    public static readonly TimeSpan LongestPoll = AcmePolling.Longest;

    private readonly CertificateEngine _engine;

    public EngineHarness(
        string folder, DataKey key, AcmeOptions options, TimeProvider? time = null, Http01Challenges? challenges = null, TlsAlpn01Challenges? tls = null,
        Func<string, OrderStep, Task>? step = null)
    {
        var clock = time ?? TimeProvider.System;
        Health = new HealthTracker(clock, NullLogger<HealthTracker>.Instance);
        Store = new SealedStore(new StatePaths(folder), Health, NullLogger<SealedStore>.Instance);
        Key = key;
        Gate = new OrderGate(_ => GateIsOpen, new ChangeSignal());
        _engine = CertificateEngine.Create(new CertificateEngineParts(
            options, new SealedCertificateStore(Store), challenges ?? new Http01Challenges(), tls ?? new TlsAlpn01Challenges(clock), Table, Gate,
            new TrackedCertificateHealth(Health), clock, () => 0.5, Log)
        { Step = step });
    }

    public DataKey Key { get; }

    public HealthTracker Health { get; }

    public SealedStore Store { get; }

    public ServerCertificateTable Table { get; } = new();

    public CapturedLog Log { get; } = new();

    public OrderGate Gate { get; }

    public bool GateIsOpen { get; set; } = true;

    public CertificateAuthority Authority => _engine.Authorities[0];

    public RenewalScheduler Scheduler => _engine.Scheduler;

    public CertificateInventory Inventory => _engine.Inventory;

    public static WantedCertificate Want(string name, params string[] more) =>
        new("host:" + name, [DomainName.Parse(name), .. more.Select(DomainName.Parse)]);

    public static AcmeOptions OptionsFor(HostileCa ca) =>
        new() { DirectoryUrl = ca.DirectoryUrl, TrustedRootsFile = ca.TrustFile, RequestTimeout = TimeSpan.FromSeconds(20) };

    /// <summary>Opens the store and runs the loop.</summary>
    public async Task StartAsync()
    {
        Store.Open(Key);
        await _engine.Loop.StartAsync(CancellationToken.None);
    }

    public Task StopAsync() => _engine.Loop.StopAsync(CancellationToken.None);

    public ComponentHealth CertificatesHealth => Health.Snapshot.Reported[HealthComponents.Certificates];

    public IReadOnlyList<CertificateRecord> Stored() => new SealedCertificateStore(Store).Certificates();

    public IReadOnlyList<AttemptRecord> Attempts() => new SealedCertificateStore(Store).Attempts();

    /// <summary>Waits until the inventory is as the test wants it.</summary>
    public async Task<ImmutableArray<CertificateEntry>> UntilAsync(Func<ImmutableArray<CertificateEntry>, bool> isSo)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var seen = Inventory.Changed.Version;
            var list = Inventory.List();
            if (isSo(list)) return list;
            try
            {
                await Inventory.Changed.WaitAsync(seen, limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"The inventory stays {string.Join("; ", list.Select(e => $"{e.Id} {e.Status} {e.LastError}"))}\n{Log.Text}");
            }
        }
    }

    public async Task<CertificateEntry> UntilAsync(string id, CertificateStatus status) =>
        (await UntilAsync(list => list.Any(e => e.Id == id && e.Status == status))).Single(e => e.Id == id);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _engine.Dispose();
        Store.Dispose();
    }
}
