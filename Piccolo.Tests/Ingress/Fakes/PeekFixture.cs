using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Limits;
using Piccolo.Api.Ingress.Tls;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>What who waits for a hello needs, anew for each test.</summary>
internal abstract class PeekFixture
{
    private ServiceProvider _services = null!;

    private protected FakeTimeProvider Time { get; private set; } = null!;

    private protected IngressOptions Limits { get; private set; } = null!;

    /// <summary>The scope of <see cref="Metrics"/>.</summary>
    private protected IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    private protected IngressMetrics Metrics { get; private set; } = null!;

    private protected WaitingPeeks Waiting { get; private set; } = null!;

    [SetUp]
    public void StartPeeking()
    {
        (Time, Limits) = (new FakeTimeProvider(), new IngressOptions());
        _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        Metrics = new IngressMetrics(Meters);
        Waiting = new WaitingPeeks(Options.Create(Limits), Metrics);
    }

    [TearDown]
    public void StopPeeking()
    {
        Metrics.Dispose();
        _services.Dispose();
    }

    private protected ClientHelloPeek NewPeek() => new(Options.Create(Limits), Waiting, Time);
}
