using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Piccolo.Tests.Fakes;

/// <summary>Stands where systemd listens for sd_notify messages.</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Channel<string> _messages = Channel.CreateBounded<string>(1000);

    public NotifySocket()
    {
        _socket.Bind(new UnixDomainSocketEndPoint(Path));
        _ = ReceiveAsync();
    }

    public string Path => _folder.File("notify");

    /// <summary>Reads messages until one begins so; what came before is dropped.</summary>
    public async Task<string> NextAsync(string start, TimeSpan limit)
    {
        using var end = new CancellationTokenSource(limit);
        var seen = new List<string>();
        try
        {
            while (true)
            {
                var message = await _messages.Reader.ReadAsync(end.Token);
                if (message.StartsWith(start, StringComparison.Ordinal)) return message;
                seen.Add(message);
            }
        }
        catch (OperationCanceledException)
        {
            throw new AssertionException($"'{start}' did not come within {limit}, only: {string.Join(" | ", seen)}");
        }
    }

    /// <summary>What has come so far.</summary>
    public IReadOnlyList<string> Drain()
    {
        var all = new List<string>();
        while (_messages.Reader.TryRead(out var message)) all.Add(message);
        return all;
    }

    public void Dispose()
    {
        _socket.Dispose();
        _folder.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true) _messages.Writer.TryWrite(Encoding.UTF8.GetString(buffer, 0, await _socket.ReceiveAsync(buffer)));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _messages.Writer.TryComplete();
        }
    }
}
