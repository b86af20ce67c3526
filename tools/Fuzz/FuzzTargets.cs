using System.Buffers;
using Piccolo.Core.Http;
using Piccolo.Core.ProxyProtocol;
using Piccolo.Core.Tls;
using Piccolo.Core.Tunnel.Wire;
using Piccolo.DevRelay.Entry;

namespace Piccolo.Fuzz;

/// <summary>What strangers' bytes are given to, each with what must hold of every answer. A broken promise is an exception, as a crash is.</summary>
internal static class FuzzTargets
{
    private static readonly Dictionary<string, Action<byte[]>> All = new(StringComparer.Ordinal)
    {
        ["client-hello"] = ClientHello,
        ["proxy-v2"] = ProxyV2,
        ["frame"] = Frame,
        ["http-head"] = HttpRequestHead,
        ["http-answer"] = HttpAnswer,
        ["manifest"] = AppTargets.Manifest,
        ["compose"] = AppTargets.Compose,
    };

    public static IEnumerable<string> Names => All.Keys;

    public static Action<byte[]>? Find(string name) => All.GetValueOrDefault(name);

    private static void ClientHello(byte[] input)
    {
        var whole = ClientHelloParser.Parse(input);
        Promise(whole.Verdict == ClientHelloParser.Parse(Halves(input)).Verdict, "A cut changed the verdict.");
        Promise(whole.ServerName is not { } name || (name.Length is > 0 and <= 253 && !name.Any(char.IsUpper)), "A server name is not normal.");
        if (whole.Verdict == ClientHelloVerdict.NeedMore)
            Promise(whole.MinimumLength > input.Length && whole.MinimumLength <= ClientHelloParser.MaxInputLength, "The hint leads nowhere.");
        var earlier = ClientHelloParser.Parse(input.AsMemory(0, input.Length / 2)).Verdict;
        Promise(earlier == ClientHelloVerdict.NeedMore || earlier == whole.Verdict, "More bytes changed a verdict.");
    }

    private static void ProxyV2(byte[] input)
    {
        var whole = ProxyHeaderParser.Parse(input);
        Promise(whole.Equals(ProxyHeaderParser.Parse(Halves(input))), "A cut changed the header.");
        if (whole.Verdict == ProxyHeaderVerdict.NeedMore)
            Promise(whole.Length > input.Length && whole.Length <= ProxyHeaderParser.MaxHeaderBytes, "The hint leads nowhere.");
        if (whole.Verdict == ProxyHeaderVerdict.Header) Promise(whole.Length <= input.Length, "The header is longer than what came.");
        var earlier = ProxyHeaderParser.Parse(input.AsMemory(0, input.Length / 2));
        Promise(earlier.Verdict == ProxyHeaderVerdict.NeedMore || earlier.Equals(whole), "More bytes changed the header.");
        if (whole is not { Verdict: ProxyHeaderVerdict.Header, Source: { } source, Destination: { } destination }) return;
        var again = ProxyHeaderParser.Parse(ProxyHeaderWriter.Write(source, destination));
        Promise(source.Equals(again.Source) && destination.Equals(again.Destination), "What was read cannot be written.");
    }

    private static void Frame(byte[] input)
    {
        switch (NexusFrameCodec.Classify(input))
        {
            case NexusFrameKind.Data:
                var header = new byte[NexusFrameCodec.DataHeaderLength];
                NexusFrameCodec.WriteDataHeader(header, NexusFrameCodec.ReadDataId(input));
                Promise(input.AsSpan(0, header.Length).SequenceEqual(header), "The id was not kept.");
                Promise(NexusFrameCodec.ReadDataPayload(input).Length == input.Length - header.Length, "The payload was not kept.");
                break;
            case NexusFrameKind.Control when NexusFrameCodec.ReadControl(input) is { } control:
                Promise(control.Equals(NexusFrameCodec.ReadControl(NexusFrameCodec.WriteControl(control))), "What was read cannot be written.");
                break;
        }
        _ = NexusFrameCodec.ReadChallenge(input);
        WebSocketHead(input);
    }

    private static void WebSocketHead(byte[] input)
    {
        var verdict = WebSocketFrame.ReadHead(input, out var head);
        Promise(verdict != WebSocketVerdict.NeedMore || input.Length < WebSocketFrame.MaxHeadBytes, "No head is that long.");
        Promise(verdict != WebSocketVerdict.Head || head.Size <= input.Length, "The head is longer than what came.");
        var earlier = WebSocketFrame.ReadHead(input.AsSpan(0, input.Length / 2), out var half);
        Promise(earlier == WebSocketVerdict.NeedMore || (earlier == verdict && half == head), "More bytes changed a head.");
    }

    private static void HttpRequestHead(byte[] input)
    {
        var state = HttpHead.Parse(input, out var host);
        Promise(host is not null, "The host is null.");
        var earlier = HttpHead.Parse(input.AsSpan(0, input.Length / 2), out _);
        Promise(earlier == HeadState.NeedMore || earlier == state, "More bytes changed what was decided.");
    }

    private static void HttpAnswer(byte[] input)
    {
        var head = new ResponseHead();
        var verdict = ResponseHeadParser.Parse(input, head);
        var earlier = ResponseHeadParser.Parse(input.AsSpan(0, input.Length / 2), new ResponseHead());
        Promise(earlier == HeadVerdict.NeedMore || earlier == verdict, "More bytes changed a verdict.");
        if (verdict == HeadVerdict.Head)
        {
            Promise(head.Length > 0 && head.Length <= input.Length && head.Fields.Length <= ResponseHeadParser.MaxFields, "The head is larger than what came.");
            foreach (var field in head.Fields)
                Promise(FieldText.IsName(field.Name(input)) && FieldText.IsValue(field.Value(input)), "A field could break a line.");
            Promise(FieldText.IsValue(head.Reason.Value(input)), "The reason could break a line.");
        }
        // What follows the head, or everything, as chunks: whole, and in two pieces.
        var content = input[(verdict == HeadVerdict.Head ? head.Length : 0)..];
        var (whole, rest) = (content.ToArray(), content.ToArray());
        var (once, twice) = (new ChunkedDecoder(), new ChunkedDecoder());
        var end = once.Take(whole, out var length, out var taken);
        Promise(length <= taken && taken <= whole.Length, "There is more content than bytes.");
        var half = rest.Length / 2;
        var first = twice.Take(rest.AsSpan(0, half), out var firstLength, out var firstTaken);
        if (first != ContentVerdict.NeedMore)
        {
            Promise(first == end && firstLength == length && firstTaken == taken, "More bytes changed content.");
            return;
        }
        var second = twice.Take(rest.AsSpan(half), out var secondLength, out var secondTaken);
        Promise(second == end && firstLength + secondLength == length && firstTaken + secondTaken == taken, "A cut changed content.");
        Promise(whole.AsSpan(0, firstLength).SequenceEqual(rest.AsSpan(0, firstLength))
            && whole.AsSpan(firstLength, secondLength).SequenceEqual(rest.AsSpan(half, secondLength)), "A cut changed bytes.");
        Promise(once.Trailers.SequenceEqual(twice.Trailers), "A cut changed the trailers.");
        if (end == ContentVerdict.Complete) _ = ResponseHeadParser.ParseTrailers(once.Trailers, new ResponseHead());
    }

    private static ReadOnlySequence<byte> Halves(byte[] input)
    {
        var first = new Part(input.AsMemory(0, input.Length / 2), 0);
        var second = first.Followed(input.AsMemory(input.Length / 2));
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    public static void Promise(bool holds, string otherwise)
    {
        if (!holds) throw new InvalidOperationException(otherwise);
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Part Followed(ReadOnlyMemory<byte> memory)
        {
            var next = new Part(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
