using System.Net;
using CsCheck;
using Piccolo.Core.ProxyProtocol;
using Piccolo.Tests.Fakes;
using static Piccolo.Tests.Core.Tls.HelloBytes;

namespace Piccolo.Tests.Core.Routing;

internal sealed class ProxyHeaderTests
{
    private static readonly byte[] Signature = ProxyHeaderParser.Signature.ToArray();

    // Version 2, PROXY, TCP over IPv4, from 203.0.113.9:49152 to 192.0.2.1:443: written by hand after proxy-protocol.txt, 2.2.
    private static readonly byte[] Inet = [.. Signature, 0x21, 0x11, 0, 12, 203, 0, 113, 9, 192, 0, 2, 1, 0xC0, 0x00, 0x01, 0xBB];

    [Test]
    public void Parse_Inet_TellsBothEndsAndItsLength()
    {
        var header = ProxyHeaderParser.Parse(new ReadOnlyMemory<byte>([.. Inet, 0x16, 3, 1]));

        Assert.That(header, Is.EqualTo(new ProxyHeader(
            ProxyHeaderVerdict.Header, IPEndPoint.Parse("203.0.113.9:49152"), IPEndPoint.Parse("192.0.2.1:443"), false, Inet.Length)));
    }

    [Test]
    public void Parse_EveryPrefix_NeedsMoreAndSaysHowMuch()
    {
        for (var length = 0; length < Inet.Length; length++)
        {
            var header = ProxyHeaderParser.Parse(Inet.AsMemory(0, length));
            Assert.That(header.Verdict, Is.EqualTo(ProxyHeaderVerdict.NeedMore), $"{length} bytes");
            Assert.That(header.Length, Is.GreaterThan(length).And.LessThanOrEqualTo(Inet.Length));
        }
    }

    [Test]
    public void Parse_InSingleByteSegments_SameAnswer() =>
        Assert.That(ProxyHeaderParser.Parse(Segments(Inet, [.. Enumerable.Range(1, Inet.Length - 1)])), Is.EqualTo(ProxyHeaderParser.Parse(Inet)));

    [TestCase("GET / HTTP/1.1\r\n")]
    [TestCase("PROXY TCP4 203.0.113.9 192.0.2.1 49152 443\r\n")]
    [TestCase("\r\n\r\n\0\r\nQUIX")]
    [TestCase("\u0016\u0003\u0001")]
    public void Parse_OtherBytes_AreNoHeader(string text) =>
        Assert.That(ProxyHeaderParser.Parse(System.Text.Encoding.Latin1.GetBytes(text)).Verdict, Is.EqualTo(ProxyHeaderVerdict.NotProxy));

    [TestCase(new byte[] { 0x11, 0x11, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2 }, TestName = "version 1")]
    [TestCase(new byte[] { 0x22, 0x11, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2 }, TestName = "command 2")]
    [TestCase(new byte[] { 0x21, 0x41, 0, 0 }, TestName = "family 4")]
    [TestCase(new byte[] { 0x21, 0x13, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2 }, TestName = "transport 3")]
    [TestCase(new byte[] { 0x21, 0x11, 0, 11, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0 }, TestName = "addresses too short")]
    [TestCase(new byte[] { 0x21, 0x11, 0, 14, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2, 4, 0 }, TestName = "half a TLV")]
    [TestCase(new byte[] { 0x21, 0x11, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2, 4, 0, 2, 9 }, TestName = "TLV longer than the header")]
    [TestCase(new byte[] { 0x21, 0x11, 0, 19, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2, 3, 0, 4, 0, 0, 0, 0 }, TestName = "wrong checksum")]
    public void Parse_BrokenRule_IsMalformed(byte[] rest) =>
        Assert.That(ProxyHeaderParser.Parse(new ReadOnlyMemory<byte>([.. Signature, .. rest])).Verdict, Is.EqualTo(ProxyHeaderVerdict.Malformed));

    [TestCase(new byte[] { 0x20, 0xFF, 0, 1, 9 }, true, TestName = "LOCAL, whatever else it says")]
    [TestCase(new byte[] { 0x21, 0x00, 0, 1, 9 }, false, TestName = "UNSPEC")]
    [TestCase(new byte[] { 0x21, 0x12, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2 }, false, TestName = "datagrams")]
    public void Parse_HeaderWithoutAddresses_NamesNobody(byte[] rest, bool isLocal)
    {
        var header = ProxyHeaderParser.Parse(new ReadOnlyMemory<byte>([.. Signature, .. rest]));

        Assert.That(header, Is.EqualTo(new ProxyHeader(ProxyHeaderVerdict.Header, null, null, isLocal, 12 + rest.Length)));
    }

    [Test]
    public void Parse_RightChecksum_IsAccepted()
    {
        byte[] header = [.. Signature, 0x21, 0x11, 0, 19, 203, 0, 113, 9, 192, 0, 2, 1, 0xC0, 0x00, 0x01, 0xBB, 3, 0, 4, 0, 0, 0, 0];
        var crc = Crc32C(header);
        for (var i = 0; i < 4; i++) header[^(4 - i)] = (byte)(crc >> (24 - 8 * i));

        Assert.That(ProxyHeaderParser.Parse(header).Source, Is.EqualTo(IPEndPoint.Parse("203.0.113.9:49152")));
    }

    [Test]
    public void Parse_LongerThanTheLimit_IsTooLargeFromItsPrefix() =>
        Assert.That(ProxyHeaderParser.Parse(new ReadOnlyMemory<byte>([.. Signature, 0x21, 0x11, 0x10, 0x00])).Verdict, Is.EqualTo(ProxyHeaderVerdict.TooLarge));

    [Test]
    public void Parse_AnyMutation_EndsInAVerdictWithinBounds() =>
        Gen.Select(Gen.Int[0, Inet.Length - 1], Gen.Byte, Gen.Byte.Array[0, 64]).Seeded().Sample((at, value, tail) =>
        {
            byte[] bytes = [.. Inet, .. tail];
            bytes[at] = value;
            var header = ProxyHeaderParser.Parse(bytes);
            return header.Verdict switch
            {
                ProxyHeaderVerdict.Header => header.Length <= bytes.Length,
                ProxyHeaderVerdict.NeedMore => header.Length > bytes.Length && header.Length <= ProxyHeaderParser.MaxHeaderBytes,
                _ => header.Source is null,
            };
        });

    [TestCase("203.0.113.9:49152", "192.0.2.1:443")]
    [TestCase("[2001:db8::9]:49152", "[2001:db8::1]:443")]
    [TestCase("[::ffff:203.0.113.9]:1", "192.0.2.1:443")]
    [TestCase("203.0.113.9:49152", "[2001:db8::1]:443")]
    [TestCase("[2001:db8::9]:49152", null)]
    public void Write_AnyEnds_AreReadBack(string source, string? destination)
    {
        var written = ProxyHeaderWriter.Write(IPEndPoint.Parse(source), destination is null ? null : IPEndPoint.Parse(destination));
        var header = ProxyHeaderParser.Parse(written);

        Assert.That(header.Length, Is.EqualTo(written.Length));
        Assert.That(header.Source,
            Is.EqualTo(IPEndPoint.Parse(source.Replace("::ffff:203.0.113.9", "0", StringComparison.Ordinal) is "[0]:1" ? "203.0.113.9:1" : source)));
        Assert.That(header.Destination, Is.EqualTo(destination is null ? new IPEndPoint(IPAddress.IPv6Any, 0) : IPEndPoint.Parse(destination)));
    }

    [Test]
    public void Write_UnknownClient_SaysSo() => Assert.That(ProxyHeaderWriter.Write(null, null), Is.EqualTo((byte[])[.. Signature, 0x21, 0, 0, 0]));

    [Test]
    public void Write_Inet_IsTheSpecificationsForm() =>
        Assert.That(ProxyHeaderWriter.Write(IPEndPoint.Parse("203.0.113.9:49152"), IPEndPoint.Parse("192.0.2.1:443")), Is.EqualTo(Inet));

    /// <summary>Bit by bit, so that it shares nothing with the code under test (RFC 3720, B.4).</summary>
    private static uint Crc32C(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var octet in bytes)
        {
            crc ^= octet;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
        }
        return ~crc;
    }
}
