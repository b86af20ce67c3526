using CsCheck;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Tunnel.Wire;
using Piccolo.DevRelay.Hub;
using Piccolo.Tests.Fakes;
using ServerOpcode = Piccolo.DevRelay.Hub.WebSocketOpcode;

namespace Piccolo.Tests.Core.Tunnel.Wire;

/// <summary>Our side of RFC 6455 against the relay's, which shares no code with it; and against bytes that are no WebSocket at all.</summary>
[Category("Nexus")]
internal sealed class WebSocketFrameTests
{
    private static readonly ServerOpcode[] Messages = [ServerOpcode.Text, ServerOpcode.Binary];

    private static readonly Gen<Sent[]> Conversations = Gen.Select(Gen.Int[0, 1], Gen.Int[1, 4], Gen.Int[0, 20_000], Gen.Bool,
        (kind, parts, length, ping) => new Sent(Messages[kind], parts, length, ping)).Array[0, 12];

    [Test]
    public void Head_OfAnyFrameOfOurs_IsUnderstoodByTheServer() => Gen.Select(Gen.Int[0, 70_000], Gen.UInt).Seeded().Sample((length, mask) =>
    {
        var body = TunnelUnderTest.Pattern(length);
        var frame = new byte[WebSocketFrame.HeadLength(length) + length];
        WebSocketFrame.WriteHead(frame.AsSpan(0, frame.Length - length), Piccolo.Core.Tunnel.Wire.WebSocketOpcode.Binary, length, mask);
        body.CopyTo(frame, frame.Length - length);
        WebSocketFrame.Mask(frame.AsSpan(frame.Length - length), mask);

        if (!WebSocketFraming.TryReadHead(frame, out var head, out var violation) || violation is not null) return false;
        WebSocketFraming.Unmask(frame.AsSpan(head.Size), head.Mask, 0);
        return head is { Final: true, Opcode: ServerOpcode.Binary } && head.Length == (ulong)length && frame.AsSpan(head.Size).SequenceEqual(body);
    });

    [Test]
    public void ReadHead_AnyBytes_NeedsMoreOnlyWhileAHeadIsIncomplete() => Gen.Byte.Array[0, 20].Seeded().Sample(bytes =>
    {
        var verdict = WebSocketFrame.ReadHead(bytes, out var head);
        var again = WebSocketFrame.ReadHead([.. bytes, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], out var longer);

        return again != WebSocketVerdict.NeedMore && (verdict == WebSocketVerdict.NeedMore || (verdict == again && head == longer))
            && (verdict != WebSocketVerdict.NeedMore || bytes.Length < 10) && head.Size <= bytes.Length;
    });

    [Test]
    public Task Receive_AnyConversationInAnyPieces_IsTheSameMessages() =>
        Gen.Select(Conversations, Gen.Int[1, 60_000].Array[1, 20]).SampleAsync(async (sent, pieces) =>
    {
        await using var wire = new PiecewiseStream(Frames(sent), pieces);
        using var socket = new RelaySocket(wire, null, new TunnelOptions(), TimeProvider.System);
        for (var i = 0; i < sent.Length; i++)
        {
            var message = await socket.ReceiveAsync(CancellationToken.None);
            var kind = sent[i].Kind == ServerOpcode.Text ? RelayMessageKind.Text : RelayMessageKind.Binary;
            if (message.Kind != kind || !message.Body.Span.SequenceEqual(TunnelUnderTest.Pattern(sent[i].Length, i))) return false;
        }
        return (await socket.ReceiveAsync(CancellationToken.None)).Kind == RelayMessageKind.Closed;
    });

    [Test]
    public Task Receive_ConversationChangedAnywhere_EndsWithoutAnException() =>
        Gen.Select(Conversations, Gen.Int[1, 60_000].Array[1, 20], Gen.Int[0, 500_000], Gen.Byte).SampleAsync(async (sent, pieces, at, value) =>
    {
        var bytes = Frames(sent);
        if (bytes.Length > 0) bytes[at % bytes.Length] = value;
        await using var wire = new PiecewiseStream(bytes, pieces);
        using var socket = new RelaySocket(wire, null, new TunnelOptions(), TimeProvider.System);
        RelayMessage message;
        do message = await socket.ReceiveAsync(CancellationToken.None);
        while (message.Kind is RelayMessageKind.Text or RelayMessageKind.Binary);

        return message.Kind is RelayMessageKind.Closed or RelayMessageKind.TooLarge;
    });

    [Test]
    public async Task Receive_PingsAmongFragments_AreAnsweredWithTheLatest()
    {
        await using var wire = new PiecewiseStream(Frames([new Sent(ServerOpcode.Binary, 3, 9_000, Ping: true)]), [100_000]);
        using var socket = new RelaySocket(wire, null, new TunnelOptions(), TimeProvider.System);

        var message = await socket.ReceiveAsync(CancellationToken.None);
        await socket.ReceiveAsync(CancellationToken.None);

        Assert.That(message.Body.Length, Is.EqualTo(9_000));
        var answer = wire.Written.ToArray();
        Assert.That(WebSocketFraming.TryReadHead(answer, out var head, out _), Is.True);
        WebSocketFraming.Unmask(answer.AsSpan(head.Size, (int)head.Length), head.Mask, 0);
        Assert.That((head.Opcode, answer.AsSpan(head.Size).ToArray()), Is.EqualTo((ServerOpcode.Pong, new byte[] { 2 })));
    }

    /// <summary>As the relay writes them: each message in so many fragments, before each of which a ping may come that numbers it.</summary>
    private static byte[] Frames(Sent[] sent)
    {
        var wire = new MemoryStream();
        for (var i = 0; i < sent.Length; i++)
        {
            var (kind, parts, length, ping) = sent[i];
            var body = TunnelUnderTest.Pattern(length, i);
            for (var part = 0; part < parts; part++)
            {
                if (ping) Write(wire, ServerOpcode.Ping, [(byte)part], final: true);
                var from = length * part / parts;
                Write(wire, part == 0 ? kind : ServerOpcode.Continuation, body[from..(length * (part + 1) / parts)], part == parts - 1);
            }
        }
        return wire.ToArray();
    }

    private static void Write(MemoryStream wire, ServerOpcode opcode, byte[] body, bool final)
    {
        var head = new byte[WebSocketFraming.LargestServerHead];
        var length = WebSocketFraming.WriteHead(head, opcode, body.Length);
        if (!final) head[0] &= 0x7F;
        wire.Write(head, 0, length);
        wire.Write(body);
    }

    private sealed record Sent(ServerOpcode Kind, int Parts, int Length, bool Ping);
}
