using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Api.Ingress;

namespace Piccolo.Tests.Ingress;

/// <summary>What a peek needs, anew for each test.</summary>
internal abstract class PeekFixture
{
    private ServiceProvider _services = null!;
    private IngressMetrics _metrics = null!;

    private protected FakeTimeProvider Time { get; private set; } = null!;

    private protected IngressOptions Limits { get; private set; } = null!;

    private protected SocketLoops Loops { get; private set; } = null!;

    [SetUp]
    public void StartPeeking()
    {
        (Time, Limits) = (new FakeTimeProvider(), new IngressOptions());
        _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        _metrics = new IngressMetrics(_services.GetRequiredService<IMeterFactory>());
        Loops = new SocketLoops(NullLogger<SocketLoops>.Instance);
    }

    [TearDown]
    public void StopPeeking()
    {
        Loops.Dispose();
        _metrics.Dispose();
        _services.Dispose();
    }

    /// <param name="time">Null: the test's own.</param>
    private protected ClientHelloPeek NewPeek(TimeProvider? time = null) => new(Options.Create(Limits), Loops, _metrics, time ?? Time);
}
