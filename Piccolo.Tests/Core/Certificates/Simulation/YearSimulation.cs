using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Hosting;
using Piccolo.Core.Certificates.Ledger;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Core.Certificates.Simulation;

/// <summary>What a year was like.</summary>
/// <param name="WorstMargin">The least share of a lifetime that was left when a renewal came; negative is a gap.</param>
internal sealed record YearResult(int Names, int Issued, int Asked, int Passes, double WorstMargin, int MostInAWeek);

/// <summary>The real scheduler, ledger and policies over a year of a fake clock, with a CA that fails by seed.</summary>
internal static class YearSimulation
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);
    private static readonly X509Certificate2 Anything = MakeAnything();

    // What a handshake would use costs more than all decisions of a year together, and is not what is looked at.
    private static readonly ConcurrentDictionary<string, ServerCertificateBundle> Bundles = [];

    /// <param name="share">Of the lifetime: the CA is reachable once within each such span.</param>
    public static async Task<YearResult> RunAsync(int seed, int names, TimeSpan lifetime, bool hints, double share = 1.0 / 3)
    {
        var random = new Random(seed);
        var time = new FakeTimeProvider(Start);
        // One open hour in each last third, the time to come around included.
        var ca = new SimulatedAuthority(new Outages(Start, Year, (lifetime * share) - TimeSpan.FromHours(3), names <= 20, random), lifetime, hints, random,
            time);
        var options = new AcmeOptions();
        var store = new MemoryCertificateStore();
        using var engine = CertificateEngine.Create(new CertificateEngineParts(
            options, store, new Http01Challenges(), new TlsAlpn01Challenges(time), new ServerCertificateTable(), new OrderGate(_ => true, new ChangeSignal()),
            new TrackedCertificateHealth(new HealthTracker(time, NullLogger<HealthTracker>.Instance)), time, random.NextDouble, NullLoggerFactory.Instance)
        {
            Issuer = ca,
            Hold = r => Hold(r, lifetime, hints),
        });
        // Ten domains, because public CAs give fifty new certificates per domain and week.
        engine.Scheduler.Want([.. Enumerable.Range(0, names).Select(i => EngineHarness.Want($"n{i}.d{i % 10}.test"))]);
        var passes = 0;
        while (time.GetUtcNow() < Start + Year)
        {
            var wait = engine.Scheduler.Pass();
            var running = engine.Scheduler.SettledAsync();
            passes++;
            if (!running.IsCompleted)
            {
                await running;
                continue;
            }
            // Orders that were ready in this pass but had no place run in the next one, at the same time.
            time.Advance(wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1));
        }
        return Judge(ca, names, lifetime, passes);
    }

    private static YearResult Judge(SimulatedAuthority ca, int names, TimeSpan lifetime, int passes)
    {
        var worst = 1.0;
        var most = 0;
        foreach (var (id, list) in ca.Issued)
        {
            for (var i = 1; i < list.Count; i++) worst = Math.Min(worst, (list[i - 1].NotAfter - list[i].Issued) / lifetime);
            Assert.That(list[^1].NotAfter, Is.GreaterThan(Start + Year), $"{id} ended without a successor");
            most = Math.Max(most, list.Max(c => list.Count(o => o.Issued >= c.Issued && o.Issued < c.Issued + TimeSpan.FromDays(7))));
        }
        Assert.That(ca.Issued, Has.Count.EqualTo(names), "every name was certified");
        return new YearResult(names, ca.Issued.Values.Sum(l => l.Count), ca.Asked, passes, worst, most);
    }

    private static HeldCertificate Hold(CertificateRecord record, TimeSpan lifetime, bool hints)
    {
        var facts = new LeafFacts(
            [.. record.Names], "Simulated", record.ChainPem, record.IssuedAt, record.IssuedAt + lifetime, $"{record.Id}/{record.ChainPem}");
        return new HeldCertificate(record, facts,
            Bundles.GetOrAdd(record.Names[0], name => new ServerCertificateBundle(Anything, [], [DomainName.Parse(name)])))
        {
            CertificateId = hints ? $"{record.Id}@{record.IssuedAt.ToUnixTimeSeconds()}" : null,
        };
    }

    private static X509Certificate2 MakeAnything()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=anything", key, HashAlgorithmName.SHA256).CreateSelfSigned(Start.AddYears(-1), Start.AddYears(3));
    }
}
