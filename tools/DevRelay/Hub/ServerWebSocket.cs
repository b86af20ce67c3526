using System.Buffers.Binary;
using System.Text;
using Piccolo.DevRelay.Streams;

namespace Piccolo.DevRelay.Hub;

/// <summary>One whole message, or the end of the connection with its cause. The payload is valid until the next receive.</summary>
/// <param name="CloseCode">Of the backend's close frame, if it sent one.</param>
internal readonly record struct WebSocketMessage(WebSocketOpcode Opcode, ReadOnlyMemory<byte> Payload, string? End, int? CloseCode = null)
{
    public bool IsEnd => Opcode is WebSocketOpcode.Close;
}

/// <summary>
/// The server side of RFC 6455 over a stream: one reader, any number of writers. Answers pings, echoes close codes, counts the whole message against
/// <see cref="ReceiveLimit"/> and tells about every pong, which the framework's own WebSocket does not.
/// </summary>
internal sealed class ServerWebSocket(Stream stream, TimeSpan writeLimit, TimeProvider time) : IDisposable
{
    /// <summary>A close frame carries at most this much reason; a longer one cannot be sent at all.</summary>
    public const int ReasonLimit = WebSocketFraming.ControlLimit - 2;

    public const int GoingAway = 1001;
    public const int ProtocolError = 1002;
    public const int PolicyViolation = 1008;
    public const int MessageTooBig = 1009;

    private const int NoStatus = 1005;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly byte[] _input = new byte[16_384];
    private byte[] _message = new byte[4_096];
    private byte[] _output = new byte[4_096];
    private readonly CancellationTokenSource _writeClock = new(Timeout.InfiniteTimeSpan, time);
    private int _start;
    private int _end;

    /// <summary>The largest whole message that is taken; what exceeds it ends the connection with 1009.</summary>
    public required int ReceiveLimit { get; set; }

    /// <summary>Holds back every send while it is shut; for the fault of a connection that has died without a word.</summary>
    public PauseGate? Gate { get; set; }

    /// <summary>What is sent goes nowhere, as on a way that died without a word.</summary>
    public bool Discards { get; set; }

    /// <summary>Called on the reader for each pong.</summary>
    public Action? Pong { get; set; }

    public async ValueTask<WebSocketMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        WebSocketOpcode? kind = null;
        var length = 0;
        while (true)
        {
            FrameHead head;
            string? violation;
            while (!WebSocketFraming.TryReadHead(_input.AsSpan(_start, _end - _start), out head, out violation))
            {
                if (!await FillAsync(cancellationToken)) return Ended("the backend closed the connection");
            }

            if (violation is null && !head.IsControl && kind.HasValue != head.Opcode is WebSocketOpcode.Continuation) violation = "continuation out of place";
            if (violation is not null) return await FailAsync(ProtocolError, violation, violation, cancellationToken);
            if (!head.IsControl && head.Length > (ulong)(ReceiveLimit - length))
                return await FailAsync(MessageTooBig, "", "message over the limit", cancellationToken);

            _start += head.Size;
            if (head.IsControl)
            {
                var control = new byte[head.Length];
                if (!await ReadPayloadAsync(control, head, cancellationToken)) return Ended("cut inside a control frame");
                if (head.Opcode is WebSocketOpcode.Close) return await AnswerCloseAsync(control, cancellationToken);
                if (head.Opcode is WebSocketOpcode.Pong) Pong?.Invoke();
                else await SendAsync(WebSocketOpcode.Pong, control, cancellationToken);
                continue;
            }

            kind ??= head.Opcode;
            var frame = (int)head.Length;
            if (_message.Length < length + frame) Array.Resize(ref _message, Math.Min(ReceiveLimit, Math.Max(length + frame, 2 * _message.Length)));
            if (!await ReadPayloadAsync(_message.AsMemory(length, frame), head, cancellationToken)) return Ended("cut inside a message");
            length += frame;
            if (head.Final) return new WebSocketMessage(kind.Value, _message.AsMemory(0, length), null);
        }
    }

    /// <summary>Sends one unfragmented frame; a peer that does not take it within the write limit costs the connection.</summary>
    public async ValueTask SendAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (Discards) return;
        if (Gate is not null) await Gate.WaitAsync(cancellationToken);
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var needed = WebSocketFraming.LargestServerHead + payload.Length;
            if (_output.Length < needed) _output = new byte[needed];
            var head = WebSocketFraming.WriteHead(_output, opcode, payload.Length);
            payload.CopyTo(_output.AsMemory(head));
            _writeClock.CancelAfter(writeLimit);
            await stream.WriteAsync(_output.AsMemory(0, head + payload.Length), _writeClock.Token);
            _writeClock.CancelAfter(Timeout.InfiniteTimeSpan);
        }
        catch (OperationCanceledException e)
        {
            throw new IOException("The write limit passed.", e);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Sends a close frame, unless the reason is too long for one: then nothing is sent, as the stock relay's library does.</summary>
    public async ValueTask SendCloseAsync(int code, string reason, CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetBytes(reason);
        if (text.Length > ReasonLimit) return;
        await SendAsync(WebSocketOpcode.Close, ClosePayload(code, text), cancellationToken);
    }

    public void Dispose()
    {
        _writeClock.Dispose();
        _writing.Dispose();
    }

    private static byte[] ClosePayload(int code, ReadOnlySpan<byte> reason)
    {
        if (code == NoStatus) return [];
        var payload = new byte[2 + reason.Length];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        reason.CopyTo(payload.AsSpan(2));
        return payload;
    }

    private static bool MayBeSent(int code) => code is >= 1000 and <= 1003 or >= 1007 and <= 1013 or >= 3000 and <= 4999;

    private static WebSocketMessage Ended(string cause) => new(WebSocketOpcode.Close, default, cause);

    private async ValueTask<WebSocketMessage> FailAsync(int code, string reason, string cause, CancellationToken cancellationToken)
    {
        await SendCloseAsync(code, reason, cancellationToken);
        return Ended(cause);
    }

    private async ValueTask<WebSocketMessage> AnswerCloseAsync(byte[] payload, CancellationToken cancellationToken)
    {
        var code = payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(payload) : NoStatus;
        if (payload.Length == 1 || (code != NoStatus && !MayBeSent(code)))
            return await FailAsync(ProtocolError, "bad close code", "bad close code", cancellationToken);
        return await FailAsync(code, "", $"the backend closed with {code}", cancellationToken) with { CloseCode = code };
    }

    private async ValueTask<bool> ReadPayloadAsync(Memory<byte> target, FrameHead head, CancellationToken cancellationToken)
    {
        for (var done = 0; done < target.Length;)
        {
            if (_start == _end && !await FillAsync(cancellationToken)) return false;
            var take = Math.Min(target.Length - done, _end - _start);
            var part = target.Slice(done, take).Span;
            _input.AsSpan(_start, take).CopyTo(part);
            WebSocketFraming.Unmask(part, head.Mask, done);
            _start += take;
            done += take;
        }

        return true;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _input.AsSpan(_start, _end - _start).CopyTo(_input);
            _end -= _start;
            _start = 0;
        }

        var read = await stream.ReadAsync(_input.AsMemory(_end), cancellationToken);
        _end += read;
        return read > 0;
    }
}
