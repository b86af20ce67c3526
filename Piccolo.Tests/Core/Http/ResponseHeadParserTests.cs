using System.Text;
using CsCheck;
using Piccolo.Core.Http;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Http;

/// <summary>An app's answers, honest and otherwise.</summary>
internal sealed class ResponseHeadParserTests
{
    private const string Whole = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nX-Empty:\r\nContent-Length: 5\r\nX-High: caf\u00e9\r\n\r\n";

    private static readonly Gen<string> Answers = Gen.OneOf(
        Gen.Const(Whole), Gen.Const("HTTP/1.0 404 Not Found\n\n"), Gen.Const("HTTP/1.1 204\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Gen.Const("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"));

    [Test]
    public void Parse_AWholeHead_FindsEveryField()
    {
        var bytes = Encoding.Latin1.GetBytes(Whole + "hello");
        var head = new ResponseHead();

        Assert.That(ResponseHeadParser.Parse(bytes, head), Is.EqualTo(HeadVerdict.Head));
        Assert.That((head.Status, head.MinorVersion, head.Length, head.ContentLength), Is.EqualTo((200, 1, Whole.Length, (long?)5)));
        Assert.That(Encoding.Latin1.GetString(head.Reason.Value(bytes)), Is.EqualTo("OK"));
        Assert.That(
            head.Fields.ToArray().Select(f => $"{Encoding.Latin1.GetString(f.Name(bytes))}={Encoding.Latin1.GetString(f.Value(bytes))}"),
            Is.EqualTo(new[] { "Content-Type=text/plain", "Set-Cookie=a=1", "X-Empty=", "Content-Length=5", "X-High=caf\u00e9" }));
    }

    [TestCase("HTTP/1.1 200 OK\r\n\r\n", ContentFraming.UntilEnd, false)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ContentFraming.Length, true)]
    [TestCase("HTTP/1.1 200 OK\r\ncontent-LENGTH:7\r\nConnection: Close\r\n\r\n", ContentFraming.Length, false)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n", ContentFraming.Length, true)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 7, 7\r\n\r\n", ContentFraming.Length, true)]
    [TestCase("HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n", ContentFraming.Length, false)]
    [TestCase("HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\n", ContentFraming.Length, true)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", ContentFraming.Chunked, true)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n", ContentFraming.Chunked, false)]
    [TestCase("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n", ContentFraming.Chunked, false)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", ContentFraming.Unknown, false)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", ContentFraming.Unknown, false)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n", ContentFraming.Unknown, false)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n", ContentFraming.Unknown, false)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n", ContentFraming.Unknown, false)]
    [TestCase("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", ContentFraming.None, true)]
    [TestCase("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", ContentFraming.None, true)]
    [TestCase("HTTP/1.9 200 OK\nContent-Length: 7\n\n", ContentFraming.Length, true)]
    public void Parse_OfAHead_SaysHowItsContentEndsAndWhetherMoreMayFollow(string text, ContentFraming framing, bool mayFollow)
    {
        var head = Head(text);

        Assert.That(head.FramingOf(toHead: false), Is.EqualTo(framing));
        Assert.That(head.MayFollow(framing), Is.EqualTo(mayFollow));
        Assert.That(head.FramingOf(toHead: true), Is.EqualTo(ContentFraming.None));
    }

    [TestCase("nonsense")]
    [TestCase("HTTP/2 200\r\n\r\n")]
    [TestCase("http/1.1 200 OK\r\n\r\n")]
    [TestCase("HTTP/1.x 200 OK\r\n\r\n")]
    [TestCase("HTTP/1.1  200 OK\r\n\r\n")]
    [TestCase("HTTP/1.1 20 OK\r\n\r\n")]
    [TestCase("HTTP/1.1 2000 OK\r\n\r\n")]
    [TestCase("HTTP/1.1 099 OK\r\n\r\n")]
    [TestCase("HTTP/1.1 099 OK\r\n\r\n")]
    [TestCase("HTTP/1.1 200 O\rK\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\n X: 1\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\n : 1\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\n: 1\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nnothing\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nX\u00e9: 1\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: ,\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n")]
    public void Parse_OfWhatIsNoAnswer_IsMalformed(string text) =>
        Assert.That(ResponseHeadParser.Parse(Encoding.Latin1.GetBytes(text), new ResponseHead()), Is.EqualTo(HeadVerdict.Malformed));

    [Test]
    public void Parse_BeyondItsLimits_IsTooLarge()
    {
        var fields = string.Concat(Enumerable.Repeat("X: y\r\n", ResponseHeadParser.MaxFields));
        var endless = "HTTP/1.1 200 OK\r\nX: " + new string('x', ResponseHeadParser.MaxHeadBytes);

        Assert.That(Verdict("HTTP/1.1 200 OK\r\n" + fields + "\r\n"), Is.EqualTo(HeadVerdict.Head));
        Assert.That(Verdict("HTTP/1.1 200 OK\r\n" + fields + "X: y\r\n\r\n"), Is.EqualTo(HeadVerdict.TooLarge));
        Assert.That(Verdict(endless), Is.EqualTo(HeadVerdict.TooLarge));
        Assert.That(Verdict(endless + "\r\n\r\n"), Is.EqualTo(HeadVerdict.TooLarge));
        Assert.That(Verdict(endless[..(ResponseHeadParser.MaxHeadBytes - 1)]), Is.EqualTo(HeadVerdict.NeedMore));
        Assert.That(Verdict(endless[..(ResponseHeadParser.MaxHeadBytes - 4)] + "\r\n\r\n"), Is.EqualTo(HeadVerdict.Head));
    }

    [Test]
    public void Parse_AnyPrefix_NeedsMore() => Answers.Seeded().Sample(text =>
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        for (var length = 0; length < bytes.Length; length++)
            if (ResponseHeadParser.Parse(bytes.AsSpan(0, length), new ResponseHead()) != HeadVerdict.NeedMore) return false;
        return ResponseHeadParser.Parse(bytes, new ResponseHead()) == HeadVerdict.Head;
    });

    [Test]
    public void Parse_MutatedBytes_GiveOneVerdictThatMoreBytesDoNotChange() =>
        Gen.Select(Answers, Gen.Int[0, 200], Gen.Byte, Gen.Byte.Array[0, 64]).Seeded().Sample((text, at, value, more) =>
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        bytes[at % bytes.Length] = value;
        var head = new ResponseHead();
        var verdict = ResponseHeadParser.Parse(bytes, head);
        if (verdict == HeadVerdict.NeedMore) return true;
        var length = head.Length;
        return ResponseHeadParser.Parse([.. bytes, .. more], head) == verdict
            && (verdict != HeadVerdict.Head || (head.Length == length && length <= bytes.Length));
    });

    private static ResponseHead Head(string text)
    {
        var head = new ResponseHead();
        Assert.That(ResponseHeadParser.Parse(Encoding.Latin1.GetBytes(text), head), Is.EqualTo(HeadVerdict.Head));
        return head;
    }

    private static HeadVerdict Verdict(string text) => ResponseHeadParser.Parse(Encoding.Latin1.GetBytes(text), new ResponseHead());
}
