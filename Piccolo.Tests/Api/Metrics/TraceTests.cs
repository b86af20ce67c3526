using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Api.Metrics;

/// <summary>Traces, from a request to its commit, and metrics: to a collector that is configured and to nobody else.</summary>
/// <remarks>Not beside others: activity sources are static, so that a collector would get the spans of every appliance in this process.</remarks>
[NonParallelizable]
internal sealed class TraceTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Collector_Configured_GetsTheRequestAndItsCommit()
    {
        var metrics = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var bodies = Channel.CreateUnbounded<string>();
        await using var collector = await FakeApp.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            if (context.Request.Path == "/v1/traces") bodies.Writer.TryWrite(Encoding.Latin1.GetString(body.ToArray()));
            if (context.Request.Path == "/v1/metrics") metrics.TrySetResult(Encoding.Latin1.GetString(body.ToArray()));
        });
        await using var appliance = await new TestAppliance(
            null, ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{collector.Port}"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100")).OwnedAsync();
        var (trace, caller) = (ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom());

        using var created = await appliance.SendAsync(HttpMethod.Post, "/api/v1/auth/tokens", System.Net.Http.Json.JsonContent.Create(new { name = "traced" }),
            r => r.Headers.Add("traceparent", $"00-{trace}-{caller}-01"));
        Assert.That((int)created.StatusCode, Is.EqualTo(201));

        // Raw bytes in each span: the trace's id, and the id of the span above it. Above the request's own is the caller's.
        var (id, above) = (Raw(trace.ToString()), Raw(caller.ToString()));
        var seen = new StringBuilder();
        using var limit = new CancellationTokenSource(Limit);
        while (!(Holds(seen, "store commit") && Holds(seen, above)))
        {
            var body = await bodies.Reader.ReadAsync(limit.Token);
            if (body.Contains(id, StringComparison.Ordinal)) seen.Append(body);
        }
        appliance.Services.GetRequiredService<MeterProvider>().ForceFlush();
        Assert.That(await metrics.Task.WaitAsync(Limit), Does.Contain("piccolo.store.revision"));
    }

    /// <summary>The exporter's own default is a collector on this machine: exactly there nothing may arrive.</summary>
    [Test]
    public async Task Collector_NotConfigured_IsNotEvenDialled()
    {
        using var grpc = new TcpListener(IPAddress.Loopback, 4317);
        using var http = new TcpListener(IPAddress.Loopback, 4318);
        grpc.Start();
        http.Start();
        await using var appliance = await new TestAppliance(null, ("OTEL_EXPORTER_OTLP_ENDPOINT", "")).OwnedAsync();

        // Sends what is there at once, to whoever is to have it.
        appliance.Services.GetRequiredService<MeterProvider>().ForceFlush();
        appliance.Services.GetService<TracerProvider>()?.ForceFlush();

        Assert.That((grpc.Pending(), http.Pending()), Is.EqualTo((false, false)));
        Assert.That(appliance.Services.GetService<TracerProvider>(), Is.Null, "spans are not even made");
    }

    private static string Raw(string hex) => Encoding.Latin1.GetString(Convert.FromHexString(hex));

    private static bool Holds(StringBuilder text, string what) => text.ToString().Contains(what, StringComparison.Ordinal);
}
