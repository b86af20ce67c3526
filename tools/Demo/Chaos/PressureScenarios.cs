using System.Globalization;
using Piccolo.Rig.Load;
using Piccolo.Rig.Stack;

namespace Piccolo.Demo.Chaos;

/// <summary>A relay at its limits, and one that comes and goes. Each returns the expectation that did not hold, or null.</summary>
internal static class PressureScenarios
{
    public const int Visitors = 300;

    private const int Uploads = 6;

    /// <summary>As many as came in three quarters of a minute, ten a second; of them 95 % must be served.</summary>
    private const int NewUsers = 400;
    private const int MostUnserved = 20;

    private static readonly int[] Gaps = [2, 3, 4, 6, 9, 14, 20, 40, 16, 10, 5, 3, 2];

    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan UploadTime = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan UserLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan DownTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BackLimit = TimeSpan.FromSeconds(5);

    public static int Restarts => Gaps.Length;

    public static async Task<string?> BurstAsync(ChaosWorld world, StatusWatch watch)
    {
        await world.Stack.SetRelayFaultsAsync("""{"lose_disconnects":true}""");
        for (var run = 0; run < 2; run++) await PressureLoad.BurstAsync(world.Tunnel with { FromMany = false }, Visitors, Burst);
        if (await PressureLoad.AskAsync(world.Tunnel with { FromMany = false }, UserLimit) is null) return "the same address got no answer afterwards";
        var refused = (await world.Stack.Api.GetAsync("/api/v1/remote/status"))["tunnel"]!["streams_refused"]!.AsObject();
        return refused.Any(cause => cause.Key is "address_limit" or "stream_limit") ? $"users were refused: {refused.ToJsonString()}" : null;
    }

    public static async Task<string?> UploadsAsync(ChaosWorld world, StatusWatch watch)
    {
        var result = await PressureLoad.UploadsAsync(world.Tunnel, Uploads, UploadTime);
        return result.Cut + result.Failed == 0 ? null : $"{result.Cut} uploads cut, {result.Failed} of {result.Asked} short requests failed";
    }

    public static async Task<string?> HalfOpenAsync(ChaosWorld world, StatusWatch watch)
    {
        foreach (var portal in (string[])["portal2.home.test", DemoEndpoints.PortalHost])
        {
            await world.Stack.ConfigureRemoteAsync(world.Endpoint, portal);
            if (await watch.UntilAsync(s => s["tunnel"]!["hostnames"]!.AsArray().Any(h => (string?)h == portal), Noticed) is null)
                return "the relay did not learn a change";
        }
        // The certificates of the new names must be there: an order does not survive a session that is dead and still asked.
        if (await watch.UntilAsync(ChaosScenarios.AllReachable, Noticed) is null) return "the names were not reachable after the changes";
        var before = (long)(await world.Stack.Api.GetAsync("/api/v1/remote/status"))["tunnel"]!["reconnects"]!;
        await world.Stack.SetRelayFaultsAsync("""{"strand_sessions":true}""");
        if (await watch.UntilAsync(s => StatusWatch.IsOnline(s) && (long)s["tunnel"]!["reconnects"]! > before, Noticed) is null)
            return "the loss was not noticed";
        var unserved = 0;
        for (var user = 0; user < NewUsers; user++) unserved += await PressureLoad.AskAsync(world.Tunnel, UserLimit) is null ? 1 : 0;
        return unserved <= MostUnserved ? null : $"{unserved} of {NewUsers} new users were not served";
    }

    public static async Task<string?> RestartsAsync(ChaosWorld world, StatusWatch watch)
    {
        List<double> late = [];
        foreach (var gap in Gaps)
        {
            await world.Stack.KillRelayAsync();
            await watch.UntilAsync(s => !StatusWatch.IsOnline(s), Noticed);
            await Task.Delay(DownTime, TimeProvider.System);
            await world.Stack.RestartRelayAsync();
            var began = TimeProvider.System.GetTimestamp();
            await watch.UntilAsync(StatusWatch.IsOnline, Noticed);
            var taken = TimeProvider.System.GetElapsedTime(began);
            if (taken > BackLimit) late.Add(taken.TotalSeconds);
            await Task.Delay(TimeSpan.FromSeconds(gap), TimeProvider.System);
        }
        return late.Count == 0 ? null : $"back only after {string.Join(", ", late.Select(s => s.ToString("0.0", CultureInfo.InvariantCulture)))} s";
    }
}
