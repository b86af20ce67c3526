using System.Buffers.Binary;
using System.Text;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Podman;

namespace Piccolo.Tests.Core.Containers;

internal sealed class LogFramesTests
{
    private const string At = "2026-11-30T10:00:00.123456789+01:00";
    private static readonly DateTimeOffset Moment = DateTimeOffset.Parse(At, null);

    [Test]
    public void Read_FramesInPiecesOfAnySize_AreTheSameLines()
    {
        byte[] stream = [.. Frame(1, $"{At} one\n"), .. Frame(2, $"{At} two\r\n"), .. Frame(1, $"{At} \n"), .. Frame(1, $"{At} three\nfour")];
        ContainerLogLine[] expected =
        [
            new(Moment, false, "one"), new(Moment, true, "two"), new(Moment, false, ""), new(Moment, false, "three"), new(Moment, false, "four"),
        ];

        for (var size = 1; size <= stream.Length; size++) Assert.That(Lines(stream, size), Is.EqualTo(expected), $"in pieces of {size}");
    }

    /// <summary>Engines cut what has no end; each part has its time.</summary>
    [Test]
    public void Read_PartsOfALine_AreOneLine() => Assert.That(
        Lines([.. Frame(1, $"{At} be"), .. Frame(2, $"{At} oh no\n"), .. Frame(1, $"2026-11-30T11:00:00Z gin\n")]),
        Is.EqualTo(new ContainerLogLine[] { new(Moment, true, "oh no"), new(Moment, false, "begin") }));

    [TestCase("no time at all\n", "no time at all")]
    [TestCase("a-word-that-is-longer-than-any-time-is-and-goes-on\n", "a-word-that-is-longer-than-any-time-is-and-goes-on")]
    [TestCase("short", "short")]
    [TestCase("\n", "")]
    [TestCase("word\n", "word")]
    public void Read_FrameWithoutATime_IsText(string text, string line) => Assert.That(Lines(Frame(1, text)).Single().Text, Is.EqualTo(line));

    [Test]
    public void Read_NoEndForMegabytes_IsCutAndHoldsLittle()
    {
        var frames = new LogFrames();
        var lines = new List<ContainerLogLine>();
        var chunk = new byte[64 * 1024];
        frames.Read(Header(1, 1u << 30), lines);
        frames.Read(Encoding.ASCII.GetBytes(At + " "), lines);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1024; i++) frames.Read(chunk, lines);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(256 * 1024));
        Assert.That(lines, Is.Empty);
        frames.Read("\nnext\n"u8, lines);
        Assert.That(lines.Select(l => l.Text.Length), Is.EqualTo(new[] { LogFrames.MaxLine + 1, 4 }));
        Assert.That(lines[0].Text, Does.StartWith("\0\0").And.EndsWith("\0…"));
    }

    [Test]
    public void Read_BytesThatAreNoText_AreReplaced() => Assert.That(
        Lines([.. Header(1, (uint)At.Length + 5), .. Encoding.ASCII.GetBytes(At), (byte)' ', 0xff, 0xfe, 0, (byte)'\n']).Single().Text,
        Is.EqualTo("\ufffd\ufffd\0"));

    [Test]
    public void Read_EmptyFrames_AreNothing() => Assert.That(
        Lines([.. Header(1, 0), .. Header(2, 0), .. Frame(0, $"{At} x\n")]).Single().Text, Is.EqualTo("x"));

    [TestCase(new byte[] { 3, 0, 0, 0, 0, 0, 0, 1 })]
    [TestCase(new byte[] { 1, 0, 0, 1, 0, 0, 0, 1 })]
    [TestCase(new byte[] { (byte)'H', (byte)'T', (byte)'T', (byte)'P', (byte)'/', (byte)'1', (byte)'.', (byte)'1' })]
    public void Read_NoFrames_Throws(byte[] header) =>
        Assert.That(() => new LogFrames().Read(header, []), Throws.InstanceOf<InvalidDataException>());

    private static List<ContainerLogLine> Lines(byte[] stream, int size = int.MaxValue)
    {
        var frames = new LogFrames();
        var lines = new List<ContainerLogLine>();
        for (var i = 0; i < stream.Length; i += Math.Min(size, stream.Length - i)) frames.Read(stream.AsSpan(i, Math.Min(size, stream.Length - i)), lines);
        frames.End(lines);
        return lines;
    }

    private static byte[] Frame(byte output, string text) => [.. Header(output, (uint)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Header(byte output, uint length)
    {
        var header = new byte[8];
        header[0] = output;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), length);
        return header;
    }
}
