using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>An owner who sees a 502 finds its cause, and an app that always fails does not fill the log.</summary>
internal sealed class ForwardFailureLogTests
{
    private const string Cause = "The status line is too long.";

    private readonly FakeTimeProvider _time = new();
    private CapturedLog _log;
    private ServiceProvider _services;
    private IngressMetrics _metrics;
    private ForwardFailureLog _failures;

    [SetUp]
    public void Prepare()
    {
        _services = TestServices.New().AddMetrics().BuildServiceProvider();
        _log = new CapturedLog();
        _metrics = new IngressMetrics(_services.GetRequiredService<IMeterFactory>());
        _failures = new ForwardFailureLog(_metrics, _time, _log.For<ForwardFailureLog>());
    }

    [TearDown]
    public void End()
    {
        _metrics.Dispose();
        _services.Dispose();
        _log.Dispose();
    }

    [Test]
    public void Failures_OfAnApp_AreAWarningAMinuteForEachListenerWithTheCause()
    {
        foreach (var listener in new[] { "web", "web", "admin" }) Note(listener, new(ForwardOutcome.BadAnswer, Cause));
        Assert.That(Levels(), Is.EqualTo((LogLevel[])[LogLevel.Warning, LogLevel.Debug, LogLevel.Warning]));
        Assert.That(_log.Entries.Select(e => e.Message),
            Has.All.Contains(Cause).And.Some.StartsWith("App blog/web did not answer").And.Some.StartsWith("App blog/admin did not answer"));

        _time.Advance(TimeSpan.FromSeconds(59));
        Note("web", new(ForwardOutcome.TimedOut));
        _time.Advance(TimeSpan.FromSeconds(1));
        Note("web", new(ForwardOutcome.TimedOut));
        Assert.That(Levels()[3..], Is.EqualTo((LogLevel[])[LogLevel.Debug, LogLevel.Warning]));
    }

    [Test]
    public void Failures_ThatAreNotTheApps_AreNoWarning()
    {
        foreach (var outcome in new[]
        {
            ForwardOutcome.ClientGone,
            ForwardOutcome.BadTarget,
            ForwardOutcome.BadField,
            ForwardOutcome.BadContent,
            ForwardOutcome.NotImplemented,
        })
            Note("web", new(outcome));

        Assert.That(Levels(), Is.All.EqualTo(LogLevel.Debug));
    }

    [Test]
    public void Failures_Whatever_AreCountedByOutcome()
    {
        var counted = new Dictionary<string, long>();
        using var counter = MeterListeners.On(_services.GetRequiredService<IMeterFactory>(), "piccolo.ingress.forward.failures");
        counter.SetMeasurementEventCallback<long>((_, n, tags, _) => counted[(string)tags[0].Value!] = counted.GetValueOrDefault((string)tags[0].Value!) + n);
        counter.Start();

        foreach (var outcome in new[] { ForwardOutcome.BadAnswer, ForwardOutcome.ClientGone, ForwardOutcome.BadAnswer }) Note("web", new(outcome));

        Assert.That(counted, Is.EquivalentTo(new Dictionary<string, long> { ["BadAnswer"] = 2, ["ClientGone"] = 1 }));
    }

    private void Note(string listener, ForwardResult result) => _failures.Note(
        new PublishedListener("blog", new ListenerDefinition(listener, 8080, ListenerFlow.Tcp, ListenerProtocol.Http, [443]), 15000, 35000), result,
        ForwardFailure.Of(result.Outcome));

    private LogLevel[] Levels() => [.. _log.Entries.Select(e => e.Level)];
}
