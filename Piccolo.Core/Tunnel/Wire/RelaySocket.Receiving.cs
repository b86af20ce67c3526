using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Piccolo.Core.Tunnel.Wire;

/// <summary>From frames to messages. A message that came in one frame is shown where it lies.</summary>
internal sealed partial class RelaySocket
{
    /// <summary>Above the largest message, so that a frame that is complete in it can always be had.</summary>
    private const int InputBufferBytes = 128 * 1024;

    private const int NoStatus = 1005;

    private readonly byte[] _input = new byte[InputBufferBytes];
    private readonly KeepAlive _keepAlive;
    private byte[]? _assembled;
    private WebSocketOpcode _assembledKind;
    private int _assembledLength;
    private bool _assembling;
    private int _start;
    private int _end;
    private Action? _due;

    /// <summary>Told when a ping or a pong wants to be sent, see <see cref="AddDue"/>. Until somebody listens, the receiver sends them itself.</summary>
    public void OnDue(Action due) => Volatile.Write(ref _due, due);

    /// <summary>Composes the ping and the pong that are due.</summary>
    public void AddDue()
    {
        if (_keepAlive.TakePong() is { } payload) Add(WebSocketOpcode.Pong, payload);
        if (_keepAlive.TakePing()) Add(WebSocketOpcode.Ping, []);
    }

    /// <summary>The next message; valid until the next receive.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RelayMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (TryTake(out var message)) return message;
                if (_keepAlive.IsDue && Volatile.Read(ref _due) is null)
                {
                    AddDue();
                    await FlushAsync(cancellationToken);
                }
                var read = await _stream.ReadAsync(_input.AsMemory(_end), cancellationToken);
                if (read == 0) return Closed(_abortReason ?? "The relay closed the connection without a goodbye.") with { EndedByRelay = _abortReason is null };
                _keepAlive.Heard();
                _end += read;
            }
        }
        catch (Exception failure) when (IsLoss(failure, cancellationToken))
        {
            return Closed(_abortReason ?? failure.Message);
        }
    }

    /// <summary>
    /// Drops what still comes until the relay closes or the socket is aborted. A socket that is closed over unread input resets the connection, and the relay
    /// may then never read our goodbye.
    /// </summary>
    public async Task DiscardAsync()
    {
        try
        {
            while (await _stream.ReadAsync(_input) > 0)
            {
            }
        }
        catch (Exception failure) when (IsLoss(failure, CancellationToken.None))
        {
            // Then it has ended the other way.
        }
    }

    // An aborted socket cancels what it was doing.
    private static bool IsLoss(Exception failure, CancellationToken cancellationToken) =>
        failure is IOException or ObjectDisposedException or InvalidOperationException
        || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private void DueChanged() => Volatile.Read(ref _due)?.Invoke();

    private bool TryTake(out RelayMessage message)
    {
        message = default;
        while (true)
        {
            var verdict = WebSocketFrame.ReadHead(_input.AsSpan(_start, _end - _start), out var head);
            if (verdict == WebSocketVerdict.Violation || (verdict == WebSocketVerdict.Head && !Fits(head)))
            {
                message = Closed("The relay broke the WebSocket protocol.");
                return true;
            }
            if (verdict == WebSocketVerdict.Head && !head.IsControl && head.Length > (ulong)(MaxMessageBytes - _assembledLength))
            {
                message = new RelayMessage(RelayMessageKind.TooLarge, default);
                return true;
            }
            if (verdict == WebSocketVerdict.NeedMore || _end - _start < head.Size + (int)head.Length)
            {
                MakeRoom(verdict == WebSocketVerdict.NeedMore ? WebSocketFrame.MaxHeadBytes : head.Size + (int)head.Length);
                return false;
            }
            var body = _input.AsMemory(_start + head.Size, (int)head.Length);
            _start += head.Size + (int)head.Length;
            if (OnFrame(head, body, out message)) return true;
        }
    }

    /// <summary>Continuations continue something, and nothing else comes in between.</summary>
    private bool Fits(WebSocketHead head) => head.IsControl || _assembling == (head.Opcode == WebSocketOpcode.Continuation);

    private bool OnFrame(WebSocketHead head, ReadOnlyMemory<byte> body, out RelayMessage message)
    {
        message = default;
        switch (head.Opcode)
        {
            case WebSocketOpcode.Close:
                message = OnClose(body.Span);
                return true;
            case WebSocketOpcode.Ping:
                _keepAlive.QueuePong(body.ToArray());
                DueChanged();
                return false;
            case WebSocketOpcode.Pong:
                return false;
        }
        if (head.IsFinal && !_assembling)
        {
            message = new RelayMessage(head.Opcode == WebSocketOpcode.Text ? RelayMessageKind.Text : RelayMessageKind.Binary, body);
            return true;
        }
        if (!_assembling) (_assembling, _assembledKind, _assembledLength) = (true, head.Opcode, 0);
        _assembled ??= new byte[MaxMessageBytes];
        body.CopyTo(_assembled.AsMemory(_assembledLength));
        _assembledLength += body.Length;
        if (!head.IsFinal) return false;
        message = new RelayMessage(
            _assembledKind == WebSocketOpcode.Text ? RelayMessageKind.Text : RelayMessageKind.Binary, _assembled.AsMemory(0, _assembledLength));
        (_assembling, _assembledLength) = (false, 0);
        return true;
    }

    private static RelayMessage OnClose(ReadOnlySpan<byte> body)
    {
        var code = body.Length >= sizeof(ushort) ? BinaryPrimitives.ReadUInt16BigEndian(body) : NoStatus;
        var reason = body.Length > sizeof(ushort) ? Encoding.UTF8.GetString(body[sizeof(ushort)..]) : "";
        return new RelayMessage(RelayMessageKind.Closed, default, $"{code} {reason}".Trim(), HasCloseFrame: true, EndedByRelay: true);
    }

    private static RelayMessage Closed(string detail) => new(RelayMessageKind.Closed, default, detail);

    private void MakeRoom(int needed)
    {
        if (_start == _end) (_start, _end) = (0, 0);
        if (_input.Length - _start >= needed && _end < _input.Length) return;
        _input.AsSpan(_start, _end - _start).CopyTo(_input);
        (_start, _end) = (0, _end - _start);
    }
}
