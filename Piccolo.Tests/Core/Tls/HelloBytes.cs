using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Piccolo.Tests.Core.Tls;

/// <summary>ClientHellos for tests: captured ones, and ones that are put together field by field.</summary>
internal static class HelloBytes
{
    public static byte[] Captured(string name) =>
        File.ReadAllBytes(Path.Combine(TestContext.CurrentContext.TestDirectory, "TestData", "client-hellos", name));

    public static byte[] Example => Captured("openssl-3.0-relay-example.bin");

    public static byte[] WithServerName(string name) => Records(Message(Extension(0, ServerNames((0, Encoding.Latin1.GetBytes(name))))));

    public static byte[] ServerNames(params (byte Type, byte[] Name)[] entries) =>
        Vector16([.. entries.SelectMany(e => new[] { e.Type }.Concat(Vector16(e.Name)))]);

    public static byte[] Alpn(params string[] protocols) =>
        Vector16([.. protocols.SelectMany(p => new[] { (byte)p.Length }.Concat(Encoding.Latin1.GetBytes(p)))]);

    public static byte[] Extension(ushort type, byte[] data) => [.. UInt16(type), .. Vector16(data)];

    /// <summary>The handshake message with its own header.</summary>
    public static byte[] Message(params byte[][] extensions)
    {
        byte[] body = [3, 3, .. new byte[32], 0, .. Vector16([0x13, 0x01]), 1, 0, .. Vector16([.. extensions.SelectMany(e => e)])];
        return [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    /// <summary>The message in records of at most <paramref name="size"/> bytes each.</summary>
    public static byte[] Records(byte[] message, int size = 16384) =>
        [.. message.Chunk(size).SelectMany(part => new byte[] { 22, 3, 1 }.Concat(Vector16(part)))];

    /// <summary>A sequence of segments that end at the given positions.</summary>
    public static ReadOnlySequence<byte> Segments(byte[] bytes, params int[] cuts)
    {
        Segment? first = null, last = null;
        var start = 0;
        foreach (var end in cuts.Append(bytes.Length))
        {
            var next = new Segment(bytes.AsMemory(start, end - start), last);
            first ??= next;
            last = next;
            start = end;
        }
        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private static byte[] UInt16(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }

    private static byte[] Vector16(byte[] data) => [.. UInt16(data.Length), .. data];

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is null) return;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }
}
