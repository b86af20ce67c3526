using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Piccolo.SampleApp;

namespace Piccolo.Rig.Load;

/// <summary>What one run over a route took, and what of it did not arrive.</summary>
internal readonly record struct LoadResult(double Seconds, int Failed);

/// <summary>The visitors of the tunnel's benchmark. Every byte and every answer is checked.</summary>
internal static class TunnelLoad
{
    private static readonly Dictionary<int, (byte[] Bytes, string Sha256)> Bodies = [];

    public static async Task<LoadResult> DownloadAsync(TunnelRoute route, int mib)
    {
        var expected = SampleContent.Sha256(mib);
        using var client = route.NewClient(1);
        // The handshake is another benchmark's.
        await client.GetStringAsync(new Uri("/healthz", UriKind.Relative));
        var began = Stopwatch.GetTimestamp();
        var hash = await TryAsync(async () =>
        {
            using var response = await client.GetAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"/download?mib={mib}"), UriKind.Relative),
                HttpCompletionOption.ResponseHeadersRead);
            response.EnsureSuccessStatusCode();
            await using var body = await response.Content.ReadAsStreamAsync();
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(body));
        });
        return new LoadResult(Stopwatch.GetElapsedTime(began).TotalSeconds, hash == expected ? 0 : 1);
    }

    public static async Task<LoadResult> UploadAsync(TunnelRoute route, int mib)
    {
        var (bytes, expected) = Body(mib);
        using var client = route.NewClient(1);
        await client.GetStringAsync(new Uri("/healthz", UriKind.Relative));
        var began = Stopwatch.GetTimestamp();
        var hash = await TryAsync(async () =>
        {
            using var content = new ByteArrayContent(bytes);
            using var response = await client.PostAsync(new Uri("/upload", UriKind.Relative), content);
            response.EnsureSuccessStatusCode();
            return (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["sha256"];
        });
        return new LoadResult(Stopwatch.GetElapsedTime(began).TotalSeconds, hash == expected ? 0 : 1);
    }

    /// <summary>So many visitors at once, each on one connection that it keeps. All have connected before the first is counted.</summary>
    /// <returns>Time of the requests alone; failed are those that were not answered as they should, the opening ones included.</returns>
    public static async Task<(LoadResult Result, T Before, T After)> KeepAliveAsync<T>(TunnelRoute route, int connections, int requests, Func<Task<T>> sample)
    {
        var clients = Enumerable.Range(0, connections).Select(_ => route.NewClient(1)).ToList();
        try
        {
            using var opening = new SemaphoreSlim(MaxOpening);
            var failed = (await Task.WhenAll(clients.Select(client => OpenAsync(client, opening)))).Count(ok => !ok);
            var before = await sample();
            var began = Stopwatch.GetTimestamp();
            var each = Math.Max(requests / connections, 1);
            failed += (await Task.WhenAll(clients.Select(client => RepeatAsync(client, each)))).Sum();
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            return (new LoadResult(seconds, failed), before, await sample());
        }
        finally
        {
            foreach (var client in clients) client.Dispose();
        }
    }

    /// <summary>One request per connection, some connections at a time.</summary>
    public static async Task<LoadResult> ConnectAsync(TunnelRoute route, int connections)
    {
        using var opening = new SemaphoreSlim(MaxOpening);
        var began = Stopwatch.GetTimestamp();
        var answered = await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            using var client = route.NewClient(1);
            return await OpenAsync(client, opening);
        }));
        return new LoadResult(Stopwatch.GetElapsedTime(began).TotalSeconds, answered.Count(ok => !ok));
    }

    /// <summary>
    /// How many open a connection at the same moment. A relay's lane holds 256 messages; whoever comes when it is full is closed by the relay.
    /// </summary>
    private const int MaxOpening = 32;

    private static async Task<bool> OpenAsync(HttpClient client, SemaphoreSlim opening)
    {
        await opening.WaitAsync();
        try
        {
            return await IsAnsweredAsync(client);
        }
        finally
        {
            opening.Release();
        }
    }

    private static async Task<int> RepeatAsync(HttpClient client, int times)
    {
        var failed = 0;
        for (var i = 0; i < times; i++) failed += await IsAnsweredAsync(client) ? 0 : 1;
        return failed;
    }

    private static async Task<bool> IsAnsweredAsync(HttpClient client) =>
        await TryAsync(async () => await client.GetStringAsync(new Uri("/healthz", UriKind.Relative))) == "ok\n";

    private static int _explained;

    private static async Task<string?> TryAsync(Func<Task<string?>> attempt)
    {
        try
        {
            return await attempt();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            // The first few say what it is; the count says how many.
            if (Interlocked.Increment(ref _explained) <= 5) Console.WriteLine($"failed: {e.GetBaseException().Message}");
            return null;
        }
    }

    private static (byte[] Bytes, string Sha256) Body(int mib)
    {
        lock (Bodies)
        {
            if (Bodies.TryGetValue(mib, out var body)) return body;
            var bytes = new byte[mib << 20];
            for (var i = 0; i < mib * SampleContent.ChunksPerMiB; i++)
                SampleContent.Fill(i, bytes.AsSpan(i * SampleContent.ChunkLength, SampleContent.ChunkLength));
            return Bodies[mib] = (bytes, SampleContent.Sha256(mib));
        }
    }
}
