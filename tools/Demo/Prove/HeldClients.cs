using System.Net.Http.Headers;

namespace Piccolo.Demo.Prove;

/// <summary>
/// Clients that know nothing of a lock and let go of nothing by themselves: a connection that asks again and again, a download, a stream of events.
/// </summary>
internal sealed class HeldClients : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _letGo = new();
    private readonly List<HttpClient> _clients = [];
    private readonly List<Task> _running = [];

    public int Count => _running.Count;

    /// <summary>How many have been cut off.</summary>
    public int Ended => _running.Count(r => r.IsCompleted);

    /// <summary>Asks once, and then goes on asking over the same connection until it is refused.</summary>
    public async Task AskAsync(HttpClient client, Uri address)
    {
        _clients.Add(client);
        using (var first = await client.GetAsync(address).WaitAsync(Patience)) first.EnsureSuccessStatusCode();
        _running.Add(RunAsync(async () =>
        {
            while (true)
            {
                using var response = await client.GetAsync(address, _letGo.Token);
                await Task.Delay(Pause, TimeProvider.System, _letGo.Token);
            }
        }));
    }

    /// <summary>Begins to read an answer, and goes on for as long as it lasts.</summary>
    public async Task ReadAsync(HttpClient client, Uri address)
    {
        _clients.Add(client);
        var response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
        response.EnsureSuccessStatusCode();
        var content = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[16 * 1024];
        if (await content.ReadAsync(buffer).AsTask().WaitAsync(Patience) == 0) throw new InvalidOperationException($"{address} answers nothing.");
        _running.Add(RunAsync(async () =>
        {
            while (await content.ReadAsync(buffer, _letGo.Token) > 0)
            {
                // What it says does not matter.
            }
        }));
    }

    public static HttpClient Script(Uri address, string token) =>
        new(new SocketsHttpHandler())
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };

    public async ValueTask DisposeAsync()
    {
        await _letGo.CancelAsync();
        await Task.WhenAll(_running);
        foreach (var client in _clients) client.Dispose();
        _letGo.Dispose();
    }

    private static async Task RunAsync(Func<Task> use)
    {
        try
        {
            await use();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            // Cut off, or let go of.
        }
    }
}
