using System.Globalization;

namespace Piccolo.Demo.Chaos;

/// <summary>Runs a scenario among visitors, and judges it.</summary>
internal sealed class ChaosRun(ChaosWorld world)
{
    private static readonly TimeSpan ShownLimit = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan BackLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PageLimit = TimeSpan.FromSeconds(15);

    public async Task<ChaosResult> RunAsync(ChaosScenario scenario)
    {
        await using var watch = new StatusWatch(world.Stack.Api);
        if (!await world.SettleAsync(watch))
            return new ChaosResult(scenario.Name, Said(watch), null, scenario.Limit, 0, 0, "the world was not whole before it began");
        var lan = await CheckedDownload.StartAsync(world.Lan, StartLimit);
        var tunnel = await CheckedDownload.StartAsync(world.Tunnel, StartLimit);
        var before = watch.Seen.Count;
        List<string> broken = [];
        TimeSpan? back;
        try
        {
            if (await scenario.Break(world, watch) is { } first) broken.Add(first);
            if (scenario.Shows is { } shows)
            {
                if (await watch.UntilAsync(shows, ShownLimit) is null) broken.Add($"the status did not show it within {ShownLimit.TotalSeconds:0} s");
                await Task.Delay(scenario.Outage, TimeProvider.System);
            }
        }
        finally
        {
            await scenario.Mend(world);
        }
        var mended = TimeProvider.System.GetTimestamp();
        back = await watch.UntilAsync(scenario.IsGood, BackLimit) is null ? null : TimeProvider.System.GetElapsedTime(mended);
        if (back is null) broken.Add($"it was not good again after {BackLimit.TotalSeconds:0} s");
        else if (back > scenario.Limit) broken.Add(string.Create(CultureInfo.InvariantCulture, $"it took longer than {scenario.Limit.TotalSeconds:0} s"));
        if (await world.VisitAsync(PageLimit) is null) broken.Add("a stranger got no page afterwards");
        var stayedOnline = watch.Seen.Skip(before).All(s => s.StartsWith("online", StringComparison.Ordinal));
        if (scenario.KeepsStreams && scenario.Shows is null && !stayedOnline) broken.Add("the tunnel did not stay online");
        await lan.DisposeAsync();
        await tunnel.DisposeAsync();
        var disturbed = (lan.Cut is null ? 0 : 1) + (scenario.KeepsStreams && tunnel.Cut is not null ? 1 : 0);
        if (disturbed > 0) broken.Add($"disturbed: {lan.Cut ?? tunnel.Cut}");
        var changed = lan.Changed + tunnel.Changed;
        if (changed > 0) broken.Add($"{changed} bytes were not the app's");
        return new ChaosResult(scenario.Name, Said(watch, before), back, scenario.Limit, changed, disturbed,
            broken.Count == 0 ? null : string.Join("; ", broken));
    }

    private static string Said(StatusWatch watch, int before = 0)
    {
        // Attempts under way, and the names' looks at a tunnel that is down, say nothing more about the fault.
        var told = watch.Seen.Skip(before)
            .Where(s => s != "online" && !s.StartsWith("connecting", StringComparison.Ordinal) && !s.StartsWith("authenticating", StringComparison.Ordinal))
            .Where(s => s.StartsWith("online", StringComparison.Ordinal) || !s.Contains('[', StringComparison.Ordinal)).Distinct().Take(3).ToList();
        return told.Count == 0 ? "online throughout" : string.Join("; then ", told);
    }
}
