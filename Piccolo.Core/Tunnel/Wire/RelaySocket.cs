using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Tunnel.Wire;

internal enum RelayMessageKind
{
    Text,
    Binary,

    /// <summary>The connection is over; what the relay said about it stands in <see cref="RelayMessage.Detail"/>.</summary>
    Closed,
    TooLarge,
}

/// <param name="EndedByRelay">The relay ended the connection itself, with a close frame or without: it has let the session go.</param>
internal readonly record struct RelayMessage(
    RelayMessageKind Kind, ReadOnlyMemory<byte> Body, string? Detail = null, bool HasCloseFrame = false, bool EndedByRelay = false);

/// <summary>
/// One WebSocket (RFC 6455) as whole messages of bounded size. One caller may receive and one may send at a time. The sender composes as many frames as it has
/// and flushes them together; pings and pongs go out with what it sends (ADR 0011 says why this is not <c>ClientWebSocket</c>).
/// </summary>
internal sealed partial class RelaySocket : IDisposable
{
    /// <summary>The relay replays up to 65,536 bytes that it read to find the route in one message of 65,553 bytes.</summary>
    public const int MaxMessageBytes = 65_553;

    /// <summary>
    /// Three full messages, and what is small beside them: enough to fill TLS records and packets, little enough for others to get their turn.
    /// </summary>
    private const int OutputBufferBytes = (3 * (WebSocketFrame.MaxHeadBytes + MaxDataMessageBytes)) + 4096;

    private const int MaxDataMessageBytes = NexusFrameCodec.DataHeaderLength + NexusFrameCodec.MaxPayloadBytes;
    private const int MasksAtOnce = 64;

    private readonly Stream _stream;
    private readonly RelayTransport? _transport;
    private readonly IDisposable[] _owned;
    private readonly byte[] _masks = new byte[MasksAtOnce * sizeof(uint)];
    private readonly byte[] _standardOutput = new byte[OutputBufferBytes];
    private byte[] _output;
    private int _composed;
    private int _room;
    private int _maskAt;
    private volatile string? _abortReason;

    /// <param name="transport">The socket below <paramref name="stream"/>, which needs flushing.</param>
    /// <param name="owned">Disposed after the stream.</param>
    public RelaySocket(Stream stream, RelayTransport? transport, TunnelOptions options, TimeProvider time, params IDisposable[] owned)
    {
        (_stream, _transport, _owned, _output) = (stream, transport, owned, _standardOutput);
        _maskAt = _masks.Length;
        if (transport is not null) transport.Gathers = true;
        _keepAlive = new KeepAlive(options, time, () => DueChanged(), () => Abort("The relay answered no ping."));
    }

    /// <summary>Whether a data message of any size still fits into what is composed.</summary>
    public bool HasRoom => _output.Length - _composed >= WebSocketFrame.MaxHeadBytes + MaxDataMessageBytes;

    public bool HasOutput => _composed > 0;

    /// <summary>Where the next message's body goes; <c>Add</c> makes a frame of it.</summary>
    public Span<byte> Room(int length)
    {
        _room = _composed + WebSocketFrame.HeadLength(length);
        // Only a token with very many names is that long.
        if (_output.Length < _room + length) Array.Resize(ref _output, _room + length);
        return _output.AsSpan(_room, length);
    }

    /// <summary>Makes a frame of the first <paramref name="length"/> bytes that were put into <see cref="Room"/>.</summary>
    public void Add(WebSocketOpcode opcode, int length)
    {
        var mask = NextMask();
        var body = _output.AsSpan(_room, length);
        WebSocketFrame.Mask(body, mask);
        var head = WebSocketFrame.HeadLength(length);
        // Frames lie one after the other: a body much shorter than its room has a shorter head.
        if (_room != _composed + head) body.CopyTo(_output.AsSpan(_composed + head));
        WebSocketFrame.WriteHead(_output.AsSpan(_composed, head), opcode, length, mask);
        _composed += head + length;
    }

    public void Add(WebSocketOpcode opcode, ReadOnlySpan<byte> body)
    {
        body.CopyTo(Room(body.Length));
        Add(opcode, body.Length);
    }

    /// <summary>Sends what was composed.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_composed == 0) return;
        await _stream.WriteAsync(_output.AsMemory(0, _composed), cancellationToken);
        if (_transport is not null) await _transport.FlushAsync(cancellationToken);
        _composed = 0;
        _output = _standardOutput;
    }

    public ValueTask SendTextAsync(string text, CancellationToken cancellationToken)
    {
        Add(WebSocketOpcode.Text, Encoding.UTF8.GetBytes(text));
        return FlushAsync(cancellationToken);
    }

    /// <summary>Says goodbye; the relay's answer ends the receiving.</summary>
    public void AddClose(WebSocketCloseStatus status)
    {
        Span<byte> code = stackalloc byte[sizeof(ushort)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(code, (ushort)status);
        Add(WebSocketOpcode.Close, code);
    }

    public void Abort() => Abort(null);

    public void Dispose()
    {
        Abort();
        _stream.Dispose();
        foreach (var part in _owned) part.Dispose();
    }

    private void Abort(string? reason)
    {
        _abortReason ??= reason;
        _keepAlive.Dispose();
        // The socket itself: whatever waits on it ends at once, and TLS is not asked for a goodbye.
        if (_transport is not null) _transport.Dispose();
        else _stream.Dispose();
    }

    private uint NextMask()
    {
        // RFC 6455, 10.3: not to be foreseen. Drawn in stock, because each draw costs a system call.
        if (_maskAt == _masks.Length)
        {
            RandomNumberGenerator.Fill(_masks);
            _maskAt = 0;
        }
        var mask = BitConverter.ToUInt32(_masks, _maskAt);
        _maskAt += sizeof(uint);
        return mask;
    }
}
