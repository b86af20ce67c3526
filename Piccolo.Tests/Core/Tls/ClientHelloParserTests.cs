using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using CsCheck;
using Piccolo.Core.Tls;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Core.Tls.HelloBytes;

namespace Piccolo.Tests.Core.Tls;

internal sealed class ClientHelloParserTests
{
    private static readonly byte[][] Hellos = [Captured("openssl-3.0-relay-example.bin"), Captured("openssl-3.0-tls12-h2.bin"), Captured("curl-7.88-h2.bin")];

    [TestCase("openssl-3.0-relay-example.bin", "app.example.test", "http/1.1")]
    [TestCase("openssl-3.0-no-sni.bin", null, "")]
    [TestCase("openssl-3.0-tls12-h2.bin", "web.home.test", "h2,http/1.1")]
    [TestCase("curl-7.88-h2.bin", "web.home.test", "h2,http/1.1")]
    public void Parse_CapturedHello_FindsNameAndAlpn(string file, string? serverName, string alpn)
    {
        var hello = ClientHelloParser.Parse(Captured(file));

        Assert.That(hello.Verdict, Is.EqualTo(ClientHelloVerdict.Hello));
        Assert.That(hello.ServerName, Is.EqualTo(serverName));
        Assert.That(string.Join(',', hello.Alpn), Is.EqualTo(alpn));
    }

    [Test]
    public void Parse_ExampleOfTheRelay_Is517Bytes() => Assert.That(Example, Has.Length.EqualTo(517));

    [Test]
    public async Task Parse_HelloOfSslStream_FindsNameAndAlpn()
    {
        var (fromClient, toClient) = (new Pipe(), new Pipe());
        await using var client = new SslStream(new DuplexStream(toClient.Reader.AsStream(), fromClient.Writer.AsStream()));
        var handshake = client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "Web.Home.Test",
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        });

        var sent = (await fromClient.Reader.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience)).Buffer.ToArray();
        var hello = ClientHelloParser.Parse(sent);

        Assert.That(hello.Verdict, Is.EqualTo(ClientHelloVerdict.Hello));
        Assert.That(hello.ServerName, Is.EqualTo("web.home.test"));
        Assert.That(hello.Alpn, Is.EqualTo(new[] { "h2", "http/1.1" }));
        await toClient.Writer.CompleteAsync();
        Assert.That(async () => await handshake.WaitAsync(FrontDoor.Patience), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void Parse_EveryPrefix_NeedsMore()
    {
        var bytes = Example;
        for (var length = 0; length < bytes.Length; length++)
        {
            var hello = ClientHelloParser.Parse(bytes.AsMemory(0, length));
            Assert.That(hello.Verdict, Is.EqualTo(ClientHelloVerdict.NeedMore), $"{length} bytes");
            Assert.That(hello.MinimumLength, Is.GreaterThan(length).And.LessThanOrEqualTo(bytes.Length));
        }
    }

    [Test]
    public void Parse_EverySplitIntoTwoSegments_SameAnswer()
    {
        var bytes = Example;
        for (var cut = 0; cut <= bytes.Length; cut++)
            Assert.That(ClientHelloParser.Parse(Segments(bytes, cut)).ServerName, Is.EqualTo("app.example.test"), $"cut at {cut}");
    }

    [Test]
    public void Parse_EveryRecordSize_SameAnswer([Values(false, true)] bool singleByteSegments)
    {
        var message = Example[5..];
        for (var size = 1; size <= message.Length; size++)
        {
            var bytes = Records(message, size);
            var input = singleByteSegments ? Segments(bytes, [.. Enumerable.Range(1, bytes.Length - 1)]) : new ReadOnlySequence<byte>(bytes);
            var hello = ClientHelloParser.Parse(input);
            Assert.That((hello.Verdict, hello.ServerName), Is.EqualTo((ClientHelloVerdict.Hello, "app.example.test")), $"records of {size}");
        }
    }

    [Test]
    public void Parse_BytesAfterTheHello_AreNotLookedAt()
    {
        byte[] bytes = [.. Example, 23, 3, 3, 0, 1, 0xff];

        Assert.That(ClientHelloParser.Parse(bytes).ServerName, Is.EqualTo("app.example.test"));
    }

    [Test]
    public void Parse_LargestHello_IsRead()
    {
        var padding = ClientHelloParser.MaxHelloLength - Message(Extension(21, []), Extension(0, ServerNames((0, "a.test"u8.ToArray())))).Length;
        var message = Message(Extension(21, new byte[padding]), Extension(0, ServerNames((0, "a.test"u8.ToArray()))));

        Assert.That(message, Has.Length.EqualTo(ClientHelloParser.MaxHelloLength));
        Assert.That(ClientHelloParser.Parse(Records(message)).ServerName, Is.EqualTo("a.test"));
    }

    [Test]
    public void Parse_LongerThanTheLimit_IsTooLargeFromItsFirstBytes() =>
        Assert.That(ClientHelloParser.Parse(new byte[] { 22, 3, 1, 0x40, 0, 1, 1, 0, 1 }).Verdict, Is.EqualTo(ClientHelloVerdict.TooLarge));

    [Test]
    public void Parse_LargeHelloInSingleByteRecords_IsTooLargeAfterFewLooks()
    {
        var bytes = Records(Message(Extension(21, new byte[60_000])), 1);
        var (length, looks) = (0, 0);
        ClientHello hello;
        do
        {
            hello = ClientHelloParser.Parse(bytes.AsMemory(0, length));
            length = hello.MinimumLength;
            looks++;
        }
        while (hello.Verdict == ClientHelloVerdict.NeedMore);

        Assert.That(hello.Verdict, Is.EqualTo(ClientHelloVerdict.TooLarge));
        Assert.That(looks, Is.LessThan(100));
    }

    [TestCase("GET / HTTP/1.1\r\n")]
    [TestCase("SSH-2.0-OpenSSH_9.2\r\n")]
    [TestCase("\u0080\u002e\u0001\u0003\u0001")]
    [TestCase("\u0016\u0002\u0000")]
    [TestCase("\u0017\u0003\u0003")]
    public void Parse_OtherProtocols_NotTls(string text) =>
        Assert.That(ClientHelloParser.Parse(System.Text.Encoding.Latin1.GetBytes(text)).Verdict, Is.EqualTo(ClientHelloVerdict.NotTls));

    [TestCase("WEB.Home.Test", "web.home.test")]
    [TestCase("web.home.test.", "web.home.test")]
    [TestCase("_dmarc.home.test", "_dmarc.home.test")]
    [TestCase("xn--mller-kva.test", "xn--mller-kva.test")]
    public void Parse_AcceptableName_IsNormalised(string sent, string expected) =>
        Assert.That(ClientHelloParser.Parse(WithServerName(sent)).ServerName, Is.EqualTo(expected));

    [TestCase("192.168.1.10")]
    [TestCase("127.0.0.1")]
    [TestCase("0x7f.1")]
    [TestCase("2001:db8::1")]
    [TestCase("::1")]
    public void Parse_Address_IsAsNoName(string sent)
    {
        var hello = ClientHelloParser.Parse(WithServerName(sent));

        Assert.That((hello.Verdict, hello.ServerName), Is.EqualTo((ClientHelloVerdict.Hello, (string?)null)));
    }

    [TestCase("")]
    [TestCase(".")]
    [TestCase("a..b")]
    [TestCase(".a")]
    [TestCase("a..")]
    [TestCase("192.168.1.10:443")]
    [TestCase("a/../b")]
    [TestCase("a\u0000b")]
    [TestCase("m\u00fcller.test")]
    [TestCase("a b")]
    [TestCase("this-label-has-sixty-four-characters-which-is-one-more-than-dns-s.test")]
    public void Parse_UnacceptableName_IsMalformed(string sent) =>
        Assert.That(ClientHelloParser.Parse(WithServerName(sent)).Verdict, Is.EqualTo(ClientHelloVerdict.Malformed));

    [Test]
    public void Parse_NameOf254Octets_IsMalformed()
    {
        var name = string.Join('.', Enumerable.Repeat(new string('a', 49), 5)) + ".com";

        Assert.That(ClientHelloParser.Parse(WithServerName(name[..253])).ServerName, Has.Length.EqualTo(253));
        Assert.That(ClientHelloParser.Parse(WithServerName(name + "m")).Verdict, Is.EqualTo(ClientHelloVerdict.Malformed));
    }

    private static IEnumerable<TestCaseData> BrokenExtensions()
    {
        byte[] name = ServerNames((0, "a.test"u8.ToArray()));
        yield return new TestCaseData((object)(byte[][])[Extension(0, name), Extension(0, name)]).SetArgDisplayNames("two server_name extensions");
        yield return new TestCaseData((object)(byte[][])[Extension(0, ServerNames((0, "a.test"u8.ToArray()), (0, "b.test"u8.ToArray())))])
            .SetArgDisplayNames("two host_names");
        yield return new TestCaseData((object)(byte[][])[Extension(0, [])]).SetArgDisplayNames("empty server_name");
        yield return new TestCaseData((object)(byte[][])[Extension(0, [0, 0])]).SetArgDisplayNames("empty name list");
        yield return new TestCaseData((object)(byte[][])[Extension(0, [.. name, 0])]).SetArgDisplayNames("byte after the name list");
        yield return new TestCaseData((object)(byte[][])[Extension(0, name[..^1])]).SetArgDisplayNames("name list too short");
        yield return new TestCaseData((object)(byte[][])[Extension(16, [])]).SetArgDisplayNames("empty alpn");
        yield return new TestCaseData((object)(byte[][])[Extension(16, Alpn(""))]).SetArgDisplayNames("empty protocol");
        yield return new TestCaseData((object)(byte[][])[Extension(16, Alpn("h2")), Extension(16, Alpn("h2"))]).SetArgDisplayNames("two alpn extensions");
        yield return new TestCaseData((object)(byte[][])[new byte[] { 0, 0, 0, 9, 1 }]).SetArgDisplayNames("extension longer than the block");
    }

    [TestCaseSource(nameof(BrokenExtensions))]
    public void Parse_BrokenExtension_IsMalformed(byte[][] extensions) =>
        Assert.That(ClientHelloParser.Parse(Records(Message(extensions))).Verdict, Is.EqualTo(ClientHelloVerdict.Malformed));

    [Test]
    public void Parse_GreaseExtensionsAndProtocols_AreTolerated()
    {
        var message = Message(Extension(0x0a0a, []), Extension(16, Alpn("\u00fa\u00fa", "h2")), Extension(0, ServerNames((0, "a.test"u8.ToArray()))),
            Extension(0xfafa, [0]));

        var hello = ClientHelloParser.Parse(Records(message));

        Assert.That(hello.ServerName, Is.EqualTo("a.test"));
        Assert.That(hello.Alpn, Is.EqualTo(new[] { "\u00fa\u00fa", "h2" }));
    }

    [Test]
    public void Parse_ThousandsOfProtocols_KeepsFew()
    {
        var hello = ClientHelloParser.Parse(Records(Message(Extension(16, Alpn([.. Enumerable.Repeat("x", 8_000)])))));

        Assert.That((hello.Verdict, hello.Alpn.Length), Is.EqualTo((ClientHelloVerdict.Hello, 64)));
    }

    [Test]
    public void Parse_NameOfUnknownType_IsPassedOver()
    {
        var hello = ClientHelloParser.Parse(Records(Message(Extension(0, ServerNames((7, [1, 2]), (0, "a.test"u8.ToArray()))))));

        Assert.That(hello.ServerName, Is.EqualTo("a.test"));
    }

    [Test]
    public void Parse_EmptyOrOversizedOrForeignRecord_IsMalformed()
    {
        Assert.That(ClientHelloParser.Parse(new byte[] { 22, 3, 1, 0, 0 }).Verdict, Is.EqualTo(ClientHelloVerdict.Malformed));
        Assert.That(ClientHelloParser.Parse(new byte[] { 22, 3, 1, 0x40, 1 }).Verdict, Is.EqualTo(ClientHelloVerdict.Malformed));
        Assert.That(ClientHelloParser.Parse(new byte[] { 22, 3, 1, 0, 1, 2 }).Verdict, Is.EqualTo(ClientHelloVerdict.Malformed), "a ServerHello");
        Assert.That(ClientHelloParser.Parse(new byte[] { 22, 3, 1, 0, 1, 1, 20 }).Verdict, Is.EqualTo(ClientHelloVerdict.Malformed),
            "another record in between");
    }

    [Test]
    public void Parse_AnySplitOfAnyRecords_GivesTheSameVerdict() =>
        Gen.Select(Gen.Int[0, Hellos.Length - 1], Gen.Int[1, 700], Gen.Int[0, 600].Array[0, 12]).Seeded().Sample((which, record, cuts) =>
        {
            var captured = Hellos[which];
            var bytes = Records(captured[5..], record);
            var input = Segments(bytes, [.. cuts.Where(c => c < bytes.Length).Order()]);
            var (whole, split) = (ClientHelloParser.Parse(captured), ClientHelloParser.Parse(input));
            return split.Verdict == ClientHelloVerdict.Hello && split.ServerName == whole.ServerName && split.Alpn.SequenceEqual(whole.Alpn);
        });

    [Test]
    public void Parse_AnyPrefixOfAnyRecords_NeedsMore() =>
        Gen.Select(Gen.Int[1, 700], Gen.Int[0, 5000]).Seeded().Sample((record, length) =>
        {
            var bytes = Records(Example[5..], record);
            length %= bytes.Length;
            var hello = ClientHelloParser.Parse(bytes.AsMemory(0, length));
            return hello.Verdict == ClientHelloVerdict.NeedMore && hello.MinimumLength > length && hello.MinimumLength <= bytes.Length;
        });

    [Test]
    public void Parse_AnyMutation_EndsInAVerdict()
    {
        var original = Example;
        var edits = Gen.Select(Gen.Int[0, original.Length - 1], Gen.Byte, Gen.Int[0, 3]).List[1, 12];

        edits.Seeded().Sample(list =>
        {
            var bytes = original.ToList();
            foreach (var (at, value, kind) in list)
            {
                var index = Math.Min(at, bytes.Count - 1);
                if (kind == 0) bytes.Insert(index, value);
                else if (kind == 1 && bytes.Count > 1) bytes.RemoveAt(index);
                else bytes[index] = value;
            }
            var whole = ClientHelloParser.Parse(bytes.ToArray());
            var cut = ClientHelloParser.Parse(Segments([.. bytes], bytes.Count / 3, bytes.Count / 2));
            return whole.Verdict == cut.Verdict && whole.ServerName == cut.ServerName
                && (whole.Verdict != ClientHelloVerdict.NeedMore || whole.MinimumLength > bytes.Count)
                && (whole.ServerName is null || whole.ServerName.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.' or '_'));
        }, iter: 20_000);
    }

    [Test]
    public void Parse_AnyBytes_EndsInAVerdict() =>
        Gen.Byte.Array[0, 400].Seeded().Sample(bytes => Enum.IsDefined(ClientHelloParser.Parse((byte[])[22, 3, 1, .. bytes]).Verdict), iter: 20_000);
}
