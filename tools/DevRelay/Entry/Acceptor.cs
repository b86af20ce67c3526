using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Piccolo.DevRelay.Entry;

/// <summary>A bound TCP port: accepts until it is stopped and hands every socket to its handler, which owns it.</summary>
internal sealed class Acceptor : IAsyncDisposable
{
    private const int Backlog = 512;
    private static readonly TimeSpan RetryAfterFailure = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    private readonly Socket _listener;
    private readonly Func<Socket, CancellationToken, Task> _serve;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Socket, Task> _connections = new();
    private readonly Task _accepting;

    public Acceptor(IPEndPoint listen, Func<Socket, CancellationToken, Task> serve, TimeProvider time, ILogger logger)
    {
        _serve = serve;
        _time = time;
        _logger = logger;
        _listener = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(listen);
            _listener.Listen(Backlog);
        }
        catch (SocketException)
        {
            _listener.Dispose();
            throw;
        }

        Listen = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>As bound, with the port that was picked.</summary>
    public IPEndPoint Listen { get; }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAny(Task.WhenAll(_connections.Values), Task.Delay(StopPatience, TimeProvider.System));
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_stopping.Token);
                // Entered before it starts, so that it cannot be missing when it leaves.
                var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _connections[socket] = RunAsync(socket, start.Task);
                start.SetResult();
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException || _stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                _logger.AcceptFailed(e, Listen);
                await Task.WhenAny(Task.Delay(RetryAfterFailure, _time, _stopping.Token));
            }
        }
    }

    private async Task RunAsync(Socket socket, Task start)
    {
        await start;
        try
        {
            await _serve(socket, _stopping.Token);
        }
        catch (Exception e)
        {
            // The connection's edge: whatever a peer provokes ends here and costs only this connection.
            if (!_stopping.IsCancellationRequested) _logger.ConnectionFailed(e);
        }
        finally
        {
            socket.Dispose();
            _connections.TryRemove(socket, out _);
        }
    }
}
