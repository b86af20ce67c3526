using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Health;

namespace Piccolo.Core.Certificates;

/// <summary>The engine's parts, put together once: what the host and the tests share. Owns the connections to the CA.</summary>
internal sealed class CertificateEngine : IDisposable
{
    private readonly AcmeHttp _http;
    private readonly AcmeAccounts _accounts;

    private CertificateEngine(AcmeHttp http, AcmeAccounts accounts, RenewalScheduler scheduler, CertificateInventory inventory, RenewalLoop loop) =>
        (_http, _accounts, Scheduler, Inventory, Loop) = (http, accounts, scheduler, inventory, loop);

    public RenewalScheduler Scheduler { get; }

    public CertificateInventory Inventory { get; }

    public RenewalLoop Loop { get; }

    public static CertificateEngine Create(
        AcmeOptions options, ICertificateStore store, Http01Challenges challenges, ServerCertificateTable table, OrderGate gate, HealthTracker health,
        TimeProvider time, Func<double> random, ILoggerFactory loggers)
    {
        var http = new AcmeHttp(AcmeTransport.Create(options), options.RequestTimeout, time);
        var client = new AcmeClient(http, options, time, loggers.CreateLogger<AcmeClient>());
        var accounts = new AcmeAccounts(client, store, time, loggers.CreateLogger<AcmeAccounts>());
        var issuer = new CertificateIssuer(client, accounts, new Http01Validation(client, challenges), options, time, random);
        var ledger = new CertificateLedger(store, table, time, random, loggers.CreateLogger<CertificateLedger>());
        var scheduler = new RenewalScheduler(ledger, issuer, store, gate, new CertificateHealth(health), time, loggers.CreateLogger<RenewalScheduler>());
        var loop = new RenewalLoop(scheduler, store, gate, time, loggers.CreateLogger<RenewalLoop>());
        return new CertificateEngine(http, accounts, scheduler, new CertificateInventory(scheduler, ledger), loop);
    }

    public void Dispose()
    {
        Loop.Dispose();
        Scheduler.Dispose();
        _accounts.Dispose();
        _http.Dispose();
    }
}
