using System.Text.Json.Nodes;
using Piccolo.Rig.Load;
using Piccolo.Rig.Stack;

namespace Piccolo.Demo.Chaos;

/// <summary>Everything that goes wrong between a home and its relay, one after the other.</summary>
internal static class ChaosScenarios
{
    private const int Changes = 50;
    private const int SlowBytesPerSecond = 64 * 1024;
    private const int MidFrame = 100_003;
    private const int UploadMiB = 4;

    private static readonly TimeSpan ShortOutage = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongOutage = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SeveralReauths = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Observation = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ChangeLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SlowVisit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan FarHalfTrip = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RestartLimit = TimeSpan.FromSeconds(3);

    public static IReadOnlyList<ChaosScenario> All { get; } =
    [
        new("relay killed", async (world, _) => { await world.Stack.KillRelayAsync(); return null; }, world => world.Stack.RestartRelayAsync())
        {
            Shows = IsDown, Outage = ShortOutage, Limit = RestartLimit,
        },
        new("relay hung", Faults("""{"hang":true,"drop_sessions":true}"""), Mend("""{"hang":false}""")) { Shows = IsDown },
        new("half-open socket", (world, _) => { world.Line.Swallow = true; return None; },
            world => { world.Line.Swallow = false; return Task.CompletedTask; }) { Shows = IsDown },
        new("TLS cut mid-frame", CutMidFrameAsync, _ => Task.CompletedTask),
        new("DNS gone", (world, _) => { world.Names.Set(); world.Line.Cut(); return None; },
            world => { world.Names.Set(HubCertificate.Name); return Task.CompletedTask; })
        {
            Shows = status => IsDown(status) && (string?)status["tunnel"]!["reason"] is not null,
        },
        new("re-auth refused", Faults("""{"refuse_reauth":true}"""), Mend("""{"refuse_reauth":false}"""))
        {
            // Each session is accepted and lives for two seconds: good is one that has lived longer.
            Shows = IsDown, IsGood = s => StatusWatch.IsOnline(s) && TimeProvider.System.GetUtcNow() - (DateTimeOffset)s["last_handshake"]! > SeveralReauths,
        },
        new("clocks an hour apart", Faults("""{"clock_offset_seconds":3600,"drop_sessions":true}"""), Mend("""{"clock_offset_seconds":0}"""))
        {
            Shows = status => (string?)status["tunnel"]!["state"] == "refused"
                && ((string?)status["tunnel"]!["reason"])!.Contains("clock", StringComparison.Ordinal),
        },
        new("session without streams", Faults("""{"carry_no_stream":true}"""), Mend("""{"carry_no_stream":false}"""))
        {
            Shows = status => HasName(status, "dead"), IsGood = AllReachable, KeepsStreams = true,
        },
        new("relay ends TLS itself", Faults("""{"end_tls":true}"""), Mend("""{"end_tls":false}"""))
        {
            Shows = status => HasName(status, "wrong_key"), IsGood = AllReachable, KeepsStreams = true,
        },
        new("100 ms round trip", (world, _) => { world.Line.Delay = FarHalfTrip; return ObserveAsync(world, Observation); },
            world => { world.Line.Delay = TimeSpan.Zero; return Task.CompletedTask; })
        {
            KeepsStreams = true,
        },
        new("64 KB/s", (world, _) => { world.Line.BytesPerSecond = SlowBytesPerSecond; return ObserveAsync(world, SlowVisit); },
            world => { world.Line.BytesPerSecond = 0; return Task.CompletedTask; })
        {
            KeepsStreams = true,
        },
        new($"two bursts of {PressureScenarios.Visitors} visitors, whose ends are not told", PressureScenarios.BurstAsync,
            Mend("""{"lose_disconnects":false}""")) { KeepsStreams = true },
        new("6 uploads at once", PressureScenarios.UploadsAsync, _ => Task.CompletedTask) { KeepsStreams = true },
        new("half-open socket after changes of names", PressureScenarios.HalfOpenAsync, _ => Task.CompletedTask),
        new("relay away for 30 s", async (world, _) => { await world.Stack.KillRelayAsync(); return null; }, world => world.Stack.RestartRelayAsync())
        {
            Shows = IsDown, Outage = LongOutage, Limit = RestartLimit,
        },
        new($"{PressureScenarios.Restarts} relay restarts, 2 to 40 s apart", PressureScenarios.RestartsAsync, _ => Task.CompletedTask),
        new($"{Changes} hostname changes", ChangeNamesAsync, _ => Task.CompletedTask) { KeepsStreams = true },
    ];

    private static Task<string?> None => Task.FromResult<string?>(null);

    private static bool IsDown(JsonNode status) => !StatusWatch.IsOnline(status);

    private static bool HasName(JsonNode status, string result) => status["names"]!.AsArray().Any(n => (string?)n!["result"] == result);

    public static bool AllReachable(JsonNode status) =>
        StatusWatch.IsOnline(status) && status["names"]!.AsArray().All(n => (string?)n!["result"] == "reachable");

    private static Func<ChaosWorld, StatusWatch, Task<string?>> Faults(string json) => async (world, _) =>
    {
        await world.Stack.SetRelayFaultsAsync(json);
        return null;
    };

    private static Func<ChaosWorld, Task> Mend(string json) => world => world.Stack.SetRelayFaultsAsync(json);

    /// <summary>In the middle of an upload, whose messages are large: the cut falls into one of them.</summary>
    private static async Task<string?> CutMidFrameAsync(ChaosWorld world, StatusWatch watch)
    {
        var before = (long)(await world.Stack.Api.GetAsync("/api/v1/remote/status"))["tunnel"]!["reconnects"]!;
        world.Line.CutAfter(MidFrame);
        // Fewer bytes arrive than were sent, and the app must not take that for all.
        var upload = await TunnelLoad.UploadAsync(world.Tunnel, UploadMiB);
        if (upload.Failed == 0) return "an upload that was cut counted as whole";
        var again = await watch.UntilAsync(s => StatusWatch.IsOnline(s) && (long)s["tunnel"]!["reconnects"]! > before, ChangeLimit);
        return again is null ? "the tunnel did not notice that its connection was cut" : null;
    }

    private static async Task<string?> ObserveAsync(ChaosWorld world, TimeSpan time)
    {
        await WaitAsync(time);
        return await world.VisitAsync(time) is null ? $"a stranger got no page within {time.TotalSeconds:0} s" : null;
    }

    private static async Task<string?> ChangeNamesAsync(ChaosWorld world, StatusWatch watch)
    {
        for (var i = 0; i < Changes; i++)
        {
            var portal = i % 2 == 0 ? "portal2.home.test" : DemoEndpoints.PortalHost;
            await world.Stack.ConfigureRemoteAsync(world.Endpoint, portal);
            if (await watch.UntilAsync(s => s["tunnel"]!["hostnames"]!.AsArray().Any(h => (string?)h == portal), ChangeLimit) is null)
                return $"the relay did not learn change {i + 1}";
        }
        return null;
    }

    private static Task WaitAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);
}
