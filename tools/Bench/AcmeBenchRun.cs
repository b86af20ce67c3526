using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Hosting;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Rig.Acme;

namespace Piccolo.Bench;

/// <summary>One certificate engine over a sealed store of its own.</summary>
internal sealed class AcmeBenchRun : IAsyncDisposable
{
    private readonly DataKey _key = DataKey.Generate();
    private readonly SealedStore _store;
    private readonly SealedCertificateStore _rows;
    private readonly CertificateEngine _engine;
    private readonly ServerCertificateTable _table;
    private int _inFlight;
    private int _most;

    public AcmeBenchRun(string folder, PebbleServer ca, AcmeBenchDoor door, AccountRecord? account)
    {
        var time = TimeProvider.System;
        var health = new HealthTracker(time, NullLogger<HealthTracker>.Instance);
        _store = new SealedStore(new StatePaths(folder), health, NullLogger<SealedStore>.Instance);
        _store.Open(_key);
        _rows = new SealedCertificateStore(_store);
        if (account is not null) _rows.Put(account);
        _table = door.Table;
        var none = new RateLimitOptions { Count = 0 };
        var options = new AcmeOptions
        {
            DirectoryUrl = ca.DirectoryUrl,
            TrustedRootsFile = ca.TrustFile,
            // Pebble has no limits, and what is measured is the flow.
            Limits = new AcmeLimitsOptions { NewOrders = none, CertificatesPerDomain = none, SameNames = none, FailedValidations = none },
        };
        _engine = CertificateEngine.Create(new CertificateEngineParts(
            options, _rows, door.Challenges, new TlsAlpn01Challenges(time), _table, new OrderGate(_ => true, new ChangeSignal()),
            new TrackedCertificateHealth(health), time, Random.Shared.NextDouble,
            NullLoggerFactory.Instance)
        { Step = CountAsync });
    }

    public int MostInFlight => _most;

    public static WantedCertificate Want(string name) => new("host:" + name, [DomainName.Parse(name)]);

    public async Task<TimeSpan> IssueAsync(IReadOnlyList<WantedCertificate> wanted, TimeSpan limit)
    {
        var start = TimeProvider.System.GetTimestamp();
        await _engine.Loop.StartAsync(CancellationToken.None);
        _engine.Scheduler.Want(wanted);
        using var patience = new CancellationTokenSource(limit);
        while (true)
        {
            var seen = _table.Changed.Version;
            if (wanted.All(w => _table.Find(w.Names[0].Value) is not null)) break;
            await _table.Changed.WaitAsync(seen, patience.Token);
        }
        var took = TimeProvider.System.GetElapsedTime(start);
        // The stories of the last orders are written right after their certificates.
        await _engine.Scheduler.SettledAsync();
        return took;
    }

    public IEnumerable<OrderTranscript> Stories() => _engine.Inventory.List().Select(e => _engine.Inventory.Transcript(e.Id)![0]);

    public AccountRecord Account(Uri directory) => _rows.Account(directory)!;

    public async ValueTask DisposeAsync()
    {
        await _engine.Loop.StopAsync(CancellationToken.None);
        _engine.Dispose();
        _store.Dispose();
        _key.Dispose();
    }

    private Task CountAsync(string id, OrderStep step)
    {
        if (step == OrderStep.Begun)
        {
            var now = Interlocked.Increment(ref _inFlight);
            int most;
            while (now > (most = Volatile.Read(ref _most)) && Interlocked.CompareExchange(ref _most, now, most) != most)
            {
            }
        }
        if (step == OrderStep.Stored) Interlocked.Decrement(ref _inFlight);
        return Task.CompletedTask;
    }
}
