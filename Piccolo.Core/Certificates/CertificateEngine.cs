using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.Certificates.Serving;

namespace Piccolo.Core.Certificates;

/// <summary>What the engine is given by whoever puts it together.</summary>
/// <param name="Random">Between 0 and 1.</param>
internal sealed record CertificateEngineParts(
    AcmeOptions Options, ICertificateStore Store, Http01Challenges Http01, TlsAlpn01Challenges TlsAlpn01, ServerCertificateTable Table,
    OrderGate Gate, ICertificateHealthSink Health,
    TimeProvider Time, Func<double> Random, ILoggerFactory Loggers)
{
    /// <summary>Instead of the CAs of the options.</summary>
    public ICertificateIssuer? Issuer { get; init; }

    /// <summary>Instead of reading the certificate.</summary>
    public Func<CertificateRecord, HeldCertificate>? Hold { get; init; }

    /// <summary>Awaited at each step of an order.</summary>
    public Func<string, OrderStep, Task>? Step { get; init; }
}

/// <summary>The engine's parts, put together once: what the host and the tests share. Owns the connections to the CA.</summary>
internal sealed class CertificateEngine : IDisposable
{
    private readonly ImmutableArray<CertificateAuthority> _authorities;

    private CertificateEngine(ImmutableArray<CertificateAuthority> authorities, RenewalScheduler scheduler, CertificateInventory inventory, RenewalLoop loop) =>
        (_authorities, Scheduler, Inventory, Loop) = (authorities, scheduler, inventory, loop);

    public RenewalScheduler Scheduler { get; }

    public CertificateInventory Inventory { get; }

    public RenewalLoop Loop { get; }

    /// <summary>The first one first.</summary>
    public ImmutableArray<CertificateAuthority> Authorities => _authorities;

    public static CertificateEngine Create(CertificateEngineParts parts)
    {
        var (options, store, time, loggers) = (parts.Options, parts.Store, parts.Time, parts.Loggers);
        ImmutableArray<CertificateAuthority> authorities = parts.Issuer is null
            ? [.. options.Authorities().Select(o => new CertificateAuthority(o, store, time, loggers))]
            : [];
        var issuer = parts.Issuer ?? new CertificateIssuer(
            authorities, new ChallengeValidation(parts.Http01, parts.TlsAlpn01), options, time, parts.Random, loggers.CreateLogger<CertificateIssuer>());
        var ledger = new CertificateLedger(store, parts.Table, options.Limits, time, parts.Random, loggers.CreateLogger<CertificateLedger>(), parts.Hold);
        var runner = new OrderRunner(
            ledger, issuer, new AuthorityReachability(time, parts.Random), store, options, time, loggers.CreateLogger<OrderRunner>(), parts.Step);
        var maintenance = new CertificateMaintenance(ledger, issuer, time, parts.Random, loggers.CreateLogger<CertificateMaintenance>());
        var scheduler = new RenewalScheduler(
            ledger, runner, maintenance, store, parts.Gate, new CertificateHealth(parts.Health), time, loggers.CreateLogger<RenewalScheduler>());
        var loop = new RenewalLoop(scheduler, store, parts.Gate, time, loggers.CreateLogger<RenewalLoop>());
        return new CertificateEngine(
            authorities, scheduler, new CertificateInventory(scheduler, ledger, store, [.. authorities.Select(a => (a.Accounts, a.Channel))]), loop);
    }

    public void Dispose()
    {
        Loop.Dispose();
        Scheduler.Dispose();
        foreach (var authority in _authorities) authority.Dispose();
    }
}
