using System.Net.WebSockets;

namespace Piccolo.Core.Tunnel;

internal enum RelayMessageKind
{
    Text,
    Binary,

    /// <summary>The connection is over; what the relay said about it stands in <see cref="RelayMessage.Detail"/>.</summary>
    Closed,
    TooLarge,
}

internal readonly record struct RelayMessage(RelayMessageKind Kind, ReadOnlyMemory<byte> Body, string? Detail = null, bool HasCloseFrame = false);

/// <summary>
/// One WebSocket (RFC 6455) as whole messages of bounded size. One caller may receive and one may send at a time. A message is valid until the next receive.
/// </summary>
internal sealed class RelaySocket(WebSocket socket) : IDisposable
{
    /// <summary>The relay replays up to 65,536 bytes that it read to find the route in one message of 65,553 bytes.</summary>
    public const int MaxMessage = 65_553;

    // One byte more tells "just fits" from "too large"; below the size from which arrays live in the large object heap.
    private readonly byte[] _buffer = new byte[MaxMessage + 1];

    public async ValueTask<RelayMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            var length = 0;
            while (true)
            {
                var part = await socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
                if (part.MessageType == WebSocketMessageType.Close)
                    return new RelayMessage(RelayMessageKind.Closed, default, $"{(int?)socket.CloseStatus} {socket.CloseStatusDescription}".Trim(), HasCloseFrame: true);
                length += part.Count;
                if (length > MaxMessage) return new RelayMessage(RelayMessageKind.TooLarge, default);
                if (!part.EndOfMessage) continue;
                var kind = part.MessageType == WebSocketMessageType.Text ? RelayMessageKind.Text : RelayMessageKind.Binary;
                return new RelayMessage(kind, _buffer.AsMemory(0, length));
            }
        }
        catch (Exception failure) when (failure is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException
            // An aborted socket cancels what it was doing.
            || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new RelayMessage(RelayMessageKind.Closed, default, failure.Message);
        }
    }

    public ValueTask SendTextAsync(string text, CancellationToken cancellationToken) =>
        socket.SendAsync(System.Text.Encoding.UTF8.GetBytes(text).AsMemory(), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);

    public ValueTask SendBinaryAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);

    /// <summary>Says goodbye; the relay's answer ends the receiving.</summary>
    public Task SendCloseAsync(WebSocketCloseStatus status, CancellationToken cancellationToken) =>
        socket.State is WebSocketState.Open or WebSocketState.CloseReceived ? socket.CloseOutputAsync(status, null, cancellationToken) : Task.CompletedTask;

    public void Abort() => socket.Abort();

    public void Dispose() => socket.Dispose();
}
