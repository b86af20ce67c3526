using System.Text;
using CsCheck;
using Piccolo.Core.Http;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Http;

/// <summary>Chunked content in any pieces, and what only looks like it.</summary>
internal sealed class ChunkedDecoderTests
{
    [TestCase("0\r\n\r\n", "", "")]
    [TestCase("5\r\nhello\r\n0\r\n\r\n", "hello", "")]
    [TestCase("005\r\nhello\r\n00\r\n\r\n", "hello", "")]
    [TestCase("5;name=value;\"q\\\"\"\r\nhello\r\n6 ; x\r\n world\r\n0;last\r\n\r\n", "hello world", "")]
    [TestCase("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", "")]
    [TestCase("1\r\nx\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", "x", "X-Sum: 1\r\nX-More: 2\r\n")]
    public void Take_WholeContent_InAnyPieces_IsComplete(string text, string content, string trailers)
    {
        for (var size = 1; size <= text.Length; size++)
        {
            var decoder = new ChunkedDecoder();
            var (verdict, read, surplus) = Take(decoder, text + "HTTP/1.1", size);

            Assert.That((verdict, read, surplus), Is.EqualTo((ContentVerdict.Complete, content, "HTTP/1.1".Length)), $"pieces of {size}");
            Assert.That(Encoding.Latin1.GetString(decoder.Trailers), Is.EqualTo(trailers));
        }
    }

    [TestCase("\r\n")]
    [TestCase("g\r\n")]
    [TestCase(" 5\r\nhello")]
    [TestCase("-5\r\nhello")]
    [TestCase("0x5\r\nhello")]
    [TestCase("5\nhello\n")]
    [TestCase("5\rhello")]
    [TestCase("5\r\nhelloX")]
    [TestCase("5\r\nhello\n")]
    [TestCase("5\r\nhello\r\r")]
    [TestCase("5;a\nb\r\nhello")]
    [TestCase("0\r\n\n")]
    [TestCase("0\r\n\rX")]
    [TestCase("1000000000000000\r\n")]
    [TestCase("0000000000000005\r\n")]
    public void Take_OfWhatIsNotChunked_IsMalformed(string text)
    {
        for (var size = 1; size <= text.Length; size++)
            Assert.That(Take(new ChunkedDecoder(), text, size).Verdict, Is.EqualTo(ContentVerdict.Malformed), $"pieces of {size}");
    }

    [Test]
    public void Take_BeyondItsLimits_IsMalformed()
    {
        var extension = "5;" + new string('x', ChunkedDecoder.MaxLineBytes + 1);
        var trailers = "0\r\nX: " + new string('x', ChunkedDecoder.MaxTrailerBytes);

        Assert.That(Take(new ChunkedDecoder(), extension, 1000).Verdict, Is.EqualTo(ContentVerdict.Malformed));
        Assert.That(Take(new ChunkedDecoder(), trailers, 1000).Verdict, Is.EqualTo(ContentVerdict.Malformed));
    }

    [Test]
    public void Take_AnyContentInAnyChunksAndPieces_ComesOutWhole() =>
        Gen.Select(Gen.Byte.Array[0, 300].Array[0, 6], Gen.Int[1, 400], Gen.Bool).Seeded().Sample((chunks, size, extended) =>
        {
            var text = new StringBuilder();
            foreach (var chunk in chunks.Where(c => c.Length > 0))
                text.Append($"{chunk.Length:x}{(extended ? ";e" : "")}\r\n{Encoding.Latin1.GetString(chunk)}\r\n");
            text.Append("0\r\n\r\n");
            var (verdict, content, surplus) = Take(new ChunkedDecoder(), text.ToString(), size);
            return verdict == ContentVerdict.Complete && surplus == 0 && content == Encoding.Latin1.GetString([.. chunks.SelectMany(c => c)]);
        });

    [Test]
    public void Take_AnyBytes_GivesTheSameVerdictInAnyPieces() =>
        Gen.Select(Gen.Char["0123456789abcdef;\r\n\r\nXx: "].Array[0, 60], Gen.Int[1, 20]).Seeded().Sample((letters, size) =>
    {
        var text = new string(letters);
        return text.Length == 0 || Take(new ChunkedDecoder(), text, text.Length) == Take(new ChunkedDecoder(), text, size);
    });

    private static (ContentVerdict Verdict, string Content, int Surplus) Take(ChunkedDecoder decoder, string text, int size)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        var content = new StringBuilder();
        for (var position = 0; position < bytes.Length; position += size)
        {
            var piece = bytes[position..Math.Min(position + size, bytes.Length)];
            var verdict = decoder.Take(piece, out var length, out var taken);
            content.Append(Encoding.Latin1.GetString(piece, 0, length));
            if (verdict != ContentVerdict.NeedMore) return (verdict, content.ToString(), bytes.Length - position - taken);
        }
        return (ContentVerdict.NeedMore, content.ToString(), 0);
    }
}
