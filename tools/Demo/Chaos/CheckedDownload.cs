using System.Globalization;
using Piccolo.Rig.Load;
using Piccolo.SampleApp;

namespace Piccolo.Demo.Chaos;

/// <summary>A visitor's download that runs until it is told to stop, and compares every byte as it comes.</summary>
internal sealed class CheckedDownload : IAsyncDisposable
{
    private const int LongEnoughMiB = 512;
    private const int KiBPerSecond = 1024;

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _flows = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _running;
    private long _bytes;

    private CheckedDownload(TunnelRoute route) => _running = RunAsync(route);

    /// <summary>So far.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Bytes that were not those of the app.</summary>
    public long Changed { get; private set; }

    /// <summary>What ended it, when it was not us.</summary>
    public string? Cut { get; private set; }

    /// <summary>Starts one; its first bytes have come when this returns.</summary>
    public static async Task<CheckedDownload> StartAsync(TunnelRoute route, TimeSpan limit)
    {
        var download = new CheckedDownload(route);
        await download._flows.Task.WaitAsync(limit);
        return download;
    }

    /// <summary>Ends it; what it found stands in its properties.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync(TunnelRoute route)
    {
        try
        {
            using var client = route.NewClient(1);
            var uri = new Uri(string.Create(CultureInfo.InvariantCulture, $"/download?mib={LongEnoughMiB}&kibps={KiBPerSecond}"), UriKind.Relative);
            using var response = await client.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, _stop.Token);
            response.EnsureSuccessStatusCode();
            await using var body = await response.Content.ReadAsStreamAsync(_stop.Token);
            await CompareAsync(body);
            Cut = "it ended by itself";
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Told to.
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            Cut = e.GetBaseException().Message;
        }
        finally
        {
            _flows.TrySetResult();
        }
    }

    private async Task CompareAsync(Stream body)
    {
        var expected = new byte[SampleContent.ChunkLength];
        var received = new byte[SampleContent.ChunkLength];
        for (var chunk = 0; ; chunk++)
        {
            SampleContent.Fill(chunk, expected);
            for (var at = 0; at < received.Length;)
            {
                var read = await body.ReadAsync(received.AsMemory(at), _stop.Token);
                if (read == 0) return;
                for (var i = at; i < at + read; i++) Changed += received[i] == expected[i] ? 0 : 1;
                at += read;
                Interlocked.Add(ref _bytes, read);
                _flows.TrySetResult();
            }
        }
    }
}
