using System.Diagnostics;
using System.Net;

namespace Piccolo.Rig.Load;

/// <summary>What uploads side by side came to, and the short requests beside them.</summary>
internal sealed record UploadsResult(int Cut, int Asked, int Failed, double MedianSeconds);

/// <summary>Visitors who bring a relay to its limits.</summary>
internal static class PressureLoad
{
    private static readonly Uri Short = new("/healthz", UriKind.Relative);
    private static readonly TimeSpan ShortLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortPause = TimeSpan.FromMilliseconds(50);

    /// <summary>So many visitors ask for as long, each on a connection that it opens anew when it was lost; then all leave at once.</summary>
    /// <returns>Answers.</returns>
    public static async Task<int> BurstAsync(TunnelRoute route, int visitors, TimeSpan time)
    {
        using var over = new CancellationTokenSource(time, TimeProvider.System);
        return (await Task.WhenAll(Enumerable.Range(0, visitors).Select(_ => Task.Run(() => VisitAsync(route, over.Token))))).Sum();
    }

    /// <summary>Uploads that run for as long, and beside them one short request after the other, each on a connection of its own.</summary>
    public static async Task<UploadsResult> UploadsAsync(TunnelRoute route, int uploads, TimeSpan time)
    {
        var running = Task.WhenAll(Enumerable.Range(0, uploads).Select(_ => Task.Run(() => UploadAsync(route, time))));
        List<double> seconds = [];
        var failed = 0;
        // The first moments are those of the uploads' own handshakes.
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        while (!running.IsCompleted)
        {
            if (await AskAsync(route, ShortLimit) is { } taken) seconds.Add(taken.TotalSeconds);
            else failed++;
            await Task.Delay(ShortPause, TimeProvider.System);
        }
        return new UploadsResult((await running).Count(whole => !whole), seconds.Count + failed, failed, Samples.Percentile(seconds, 0.5));
    }

    /// <summary>One request on a connection of its own.</summary>
    /// <returns>How long it took; null when it was not answered.</returns>
    public static async Task<TimeSpan?> AskAsync(TunnelRoute route, TimeSpan limit)
    {
        using var patience = new CancellationTokenSource(limit, TimeProvider.System);
        using var client = route.NewClient(1);
        var began = Stopwatch.GetTimestamp();
        return await IsAnsweredAsync(client, patience.Token) ? Stopwatch.GetElapsedTime(began) : null;
    }

    private static async Task<int> VisitAsync(TunnelRoute route, CancellationToken over)
    {
        var answered = 0;
        while (!over.IsCancellationRequested)
        {
            using var client = route.NewClient(1);
            while (await IsAnsweredAsync(client, over)) answered++;
        }
        return answered;
    }

    private static async Task<bool> IsAnsweredAsync(HttpClient client, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetStringAsync(Short, cancellationToken) == "ok\n";
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task<bool> UploadAsync(TunnelRoute route, TimeSpan time)
    {
        try
        {
            using var client = route.NewClient(1);
            using var content = new TimedContent(time);
            using var response = await client.PostAsync(new Uri("/upload", UriKind.Relative), content);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Bytes for a time.</summary>
    private sealed class TimedContent(TimeSpan time) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var block = new byte[64 * 1024];
            for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < time;) await stream.WriteAsync(block);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
