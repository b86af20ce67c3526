using System.Net;
using System.Net.Sockets;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>Clients that send one byte a second of a ClientHello, from many addresses; who is cut off comes back.</summary>
internal sealed class SlowHellos : IAsyncDisposable
{
    private const int Batches = 20;
    private static readonly TimeSpan BatchEvery = TimeSpan.FromSeconds(1.0 / Batches);

    private readonly CancellationTokenSource _ended = new();
    private readonly (Socket? Socket, int Sent)[] _clients;
    private readonly byte[] _hello;
    private readonly int _port;
    private readonly TaskCompletionSource _allConnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;

    private SlowHellos(int port, byte[] hello, int count) => (_port, _hello, _clients) = (port, hello, new (Socket?, int)[count]);

    /// <summary>How often a client was cut off and came back.</summary>
    public int Returned { get; private set; }

    /// <summary>Returns when all are connected and sending.</summary>
    public static async Task<SlowHellos> StartAsync(int port, byte[] hello, int count)
    {
        var slow = new SlowHellos(port, hello, count);
        slow._running = Task.Run(slow.RunAsync);
        await await Task.WhenAny(slow._allConnected.Task, slow._running);
        return slow;
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _running;
        foreach (var (socket, _) in _clients) socket?.Dispose();
        _ended.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(BatchEvery, TimeProvider.System);
        for (var batch = 0; !_ended.IsCancellationRequested; batch++)
        {
            if (batch == Batches) _allConnected.TrySetResult();
            for (var i = batch % Batches; i < _clients.Length; i += Batches) await StepAsync(i);
            await timer.WaitForNextTickAsync();
        }
    }

    private async Task StepAsync(int index)
    {
        var (socket, sent) = _clients[index];
        try
        {
            // A byte short of the whole, so that it never becomes an answer.
            if (socket is not null && sent < _hello.Length - 1 && !(socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0))
            {
                socket.Send(_hello.AsSpan(sent, 1));
                _clients[index].Sent++;
                return;
            }
        }
        catch (SocketException)
        {
            // Cut off.
        }
        if (socket is not null) Returned++;
        socket?.Dispose();
        _clients[index] = (null, 0);
        try
        {
            var fresh = await RawClients.DialAsync(_port, IPAddress.Parse($"127.0.{1 + index / 250 % 250}.{1 + index % 250}"));
            fresh.Send(_hello.AsSpan(0, 1));
            _clients[index] = (fresh, 1);
        }
        catch (SocketException)
        {
            // The next turn tries again.
        }
    }
}
