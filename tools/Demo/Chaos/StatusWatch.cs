using System.Text.Json.Nodes;
using Piccolo.Rig;

namespace Piccolo.Demo.Chaos;

/// <summary>Asks the appliance for its remote status again and again, and remembers what it said.</summary>
internal sealed class StatusWatch : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ApplianceClient _api;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _seen = [];
    private readonly Lock _gate = new();
    private readonly Task _running;
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private JsonNode? _latest;

    public StatusWatch(ApplianceClient api)
    {
        _api = api;
        _running = RunAsync();
    }

    /// <summary>
    /// Every state of the tunnel that was shown, in order, with what was said about it; and what the names' own looks said when it was not good.
    /// </summary>
    public IReadOnlyList<string> Seen
    {
        get { lock (_gate) return [.. _seen]; }
    }

    public static bool IsOnline(JsonNode status) => (string?)status["tunnel"]!["state"] == "online";

    /// <summary>Waits for a status, asked from now on.</summary>
    /// <returns>Null when none came within the limit.</returns>
    public async Task<JsonNode?> UntilAsync(Func<JsonNode, bool> holds, TimeSpan limit)
    {
        using var patience = new CancellationTokenSource(limit, TimeProvider.System);
        try
        {
            while (true)
            {
                Task next;
                lock (_gate) next = _next.Task;
                await next.WaitAsync(patience.Token);
                lock (_gate)
                {
                    if (_latest is { } status && holds(status)) return status;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Remember(await _api.GetAsync("/api/v1/remote/status"));
                await Task.Delay(Pause, TimeProvider.System, _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or HttpRequestException)
            {
                // Stopped, or the machine is so busy that the answer took too long: asked again.
            }
        }
    }

    private void Remember(JsonNode status)
    {
        var tunnel = status["tunnel"]!;
        var shown = (string?)tunnel["state"] + ((string?)tunnel["reason"] is { } reason ? $": {reason}" : "");
        var names = status["names"]?.AsArray().Select(n => (string?)n!["result"]).Where(r => r is "wrong_key" or "dead" or "dns").Distinct()
            .Order(StringComparer.Ordinal).ToList() ?? [];
        if (names.Count > 0) shown += $" [names: {string.Join(", ", names)}]";
        TaskCompletionSource told;
        lock (_gate)
        {
            if (_seen.Count == 0 || _seen[^1] != shown) _seen.Add(shown);
            _latest = status;
            (told, _next) = (_next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        told.TrySetResult();
    }
}
