using System.Text;
using CsCheck;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Tunnel.Wire;

[Category("Nexus")]
internal sealed class NexusFrameCodecTests
{
    private const string Id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    private const string IdBytes = "3f2504e04f8941d39a0c0305e82c3301";

    [Test]
    public void Nx041_StreamId_TextAndBytes_AreInNetworkOrder()
    {
        var id = StreamId.Read(Convert.FromHexString(IdBytes));
        var written = new byte[16];
        id.Write(written);

        Assert.That(id.ToString(), Is.EqualTo(Id));
        Assert.That(Convert.ToHexStringLower(written), Is.EqualTo(IdBytes));
    }

    [Test]
    public void Nx040_DataHeader_IsKindAndId()
    {
        var header = new byte[NexusFrameCodec.DataHeaderLength];

        NexusFrameCodec.WriteDataHeader(header, new StreamId(Guid.Parse(Id)));

        Assert.That(Convert.ToHexStringLower(header), Is.EqualTo("01" + IdBytes));
        Assert.That(NexusFrameCodec.Classify(header), Is.EqualTo(NexusFrameKind.Data));
        Assert.That(NexusFrameCodec.ReadDataId(header).ToString(), Is.EqualTo(Id));
        Assert.That(NexusFrameCodec.ReadDataPayload(header).Length, Is.Zero);
    }

    [Test]
    public void WriteControl_GrantAndDisconnect_AreTheWorkedExample()
    {
        var id = new StreamId(Guid.Parse(Id));

        var grant = NexusFrameCodec.WriteControl(ControlMessage.Grant(id, 64));
        var disconnect = NexusFrameCodec.WriteControl(ControlMessage.Disconnect(id, "normal"));

        Assert.That(Convert.ToHexStringLower(grant), Is.EqualTo(
            "027b226576656e74223a22726573756d655f73747265616d222c22636c69656e745f6964223a2233663235303465302d346638392d343164332d396130632d30333035653"
            + "8326333333031222c2263726564697473223a36347d"));
        Assert.That(Convert.ToHexStringLower(disconnect), Is.EqualTo(
            "027b226576656e74223a22646973636f6e6e656374222c22636c69656e745f6964223a2233663235303465302d346638392d343164332d396130632d30333035653832633"
            + "3333031222c22726561736f6e223a226e6f726d616c227d"));
    }

    [Test]
    public void ReadControl_Connect_IsTheWorkedExample()
    {
        var frame = Convert.FromHexString(
            "027b226576656e74223a22636f6e6e656374222c22636c69656e745f6964223a2233663235303465302d346638392d343164332d396130632d30333035653832633333303"
            + "1222c22636f6e6e5f706f7274223a3434332c22636c69656e745f6970"
            + "223a223139382e35312e3130302e373a3531353134222c227472616e73706f7274223a22746370222c22686f73746e616d65223a226170702e6578616d706c652e74657"
            + "374222c2269735f746c73223a747275652c2263726564697473223a36347d");

        Assert.That(NexusFrameCodec.ReadControl(frame), Is.EqualTo(new ControlMessage
        {
            Event = "connect",
            ClientId = new StreamId(Guid.Parse(Id)),
            ConnPort = 443,
            ClientIp = "198.51.100.7:51514",
            Transport = "tcp",
            Hostname = "app.example.test",
            IsTls = true,
            Credits = 64,
        }));
    }

    [Test]
    public void Nx046_ReadControl_IsAsTolerantAsTheRelaysDecoder()
    {
        var message = Read("""{"EVENT":"disconnect","unknown":[{}],"client_id":null,"credits":null,"is_tls":null}""");

        Assert.That(message!.Event, Is.EqualTo("disconnect"));
        Assert.That(message.ClientId.IsZero, Is.True);
        Assert.That(message.Credits, Is.Null);
        Assert.That(Read("{}")!.ClientId.IsZero, Is.True);
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("{")]
    [TestCase("""{"event":7}""")]
    [TestCase("""{"event":"connect","client_id":"not-a-uuid"}""")]
    [TestCase("""{"event":"connect","client_id":"{3f2504e0-4f89-41d3-9a0c-0305e82c3301}"}""")]
    [TestCase("""{"event":"connect","client_id":7}""")]
    [TestCase("""{"credits":1e99}""")]
    [TestCase("""{"credits":9223372036854775808}""")]
    [TestCase("""{"credits":"64"}""")]
    [TestCase("""{"conn_port":1.5}""")]
    [TestCase("""{"is_tls":"yes"}""")]
    [TestCase("""{"event":"\ud800"}""")]
    [TestCase("""{"event":"x"} trailing""")]
    public void Nx045_ReadControl_Broken_IsIgnored(string json) => Assert.That(Read(json), Is.Null);

    [Test]
    public void Nx045_ReadControl_DeepOrInvalidUtf8_IsIgnored()
    {
        Assert.That(Read("{\"x\":" + new string('[', 30_000)), Is.Null);
        Assert.That(NexusFrameCodec.ReadControl([2, .. "{\"event\":\""u8, 0xff, 0xfe, .. "\"}"u8]), Is.Null);
    }

    [TestCase("")]
    [TestCase("00")]
    [TestCase("03aabb")]
    [TestCase("01")]
    [TestCase("013f2504e04f8941d39a0c0305e82c33")]
    public void Nx045_Classify_EmptyShortOrUnknown_IsUnknown(string hex) =>
        Assert.That(NexusFrameCodec.Classify(Convert.FromHexString(hex)), Is.EqualTo(NexusFrameKind.Unknown));

    [Test]
    public void Read_MutatedAndRandomFrames_NeverThrow()
    {
        var random = new Random(20_251);
        var good = NexusFrameCodec.WriteControl(new ControlMessage
        {
            Event = "connect",
            ClientIp = "198.51.100.7:1",
            Hostname = "ä\"\\",
            Credits = 64,
            IsTls = true,
        });
        for (var round = 0; round < 20_000; round++)
        {
            byte[] frame = round % 2 == 0 ? [.. good] : new byte[random.Next(64)];
            if (round % 2 == 1) random.NextBytes(frame);
            for (var change = random.Next(4); change > 0 && frame.Length > 0; change--) frame[random.Next(frame.Length)] = (byte)random.Next(256);
            frame = frame[..random.Next(frame.Length + 1)];

            Assert.That(() => ReadAll(frame), Throws.Nothing, Convert.ToHexString(frame));
        }
    }

    [Test]
    public void Nx048_WriteControl_OfTextThatIsNoUnicode_IsAWholeFrame()
    {
        var frame = NexusFrameCodec.WriteControl(ControlMessage.Disconnect(StreamId.New(), "half \ud800 of a pair"));

        Assert.That(NexusFrameCodec.ReadControl(frame)!.Reason, Is.EqualTo("half \ufffd of a pair"));
    }

    [Test]
    public void Control_AnyMessage_SurvivesTheWay() => ControlMessages.Seeded().Sample(message =>
    {
        var frame = NexusFrameCodec.WriteControl(message);

        return NexusFrameCodec.Classify(frame) == NexusFrameKind.Control && NexusFrameCodec.ReadControl(frame) == message;
    });

    [Test]
    public void Data_AnyPayload_SurvivesTheWay() => Gen.Select(Gen.Guid, Gen.Byte.Array[0, 2000]).Seeded().Sample((id, payload) =>
    {
        var frame = new byte[NexusFrameCodec.DataHeaderLength + payload.Length];
        NexusFrameCodec.WriteDataHeader(frame, new StreamId(id));
        payload.CopyTo(frame, NexusFrameCodec.DataHeaderLength);

        return NexusFrameCodec.Classify(frame) == NexusFrameKind.Data && NexusFrameCodec.ReadDataId(frame).Value == id
            && NexusFrameCodec.ReadDataPayload(frame).SequenceEqual(payload);
    });

    [Test]
    public void Read_AnyBytes_NeverThrows() => Gen.Select(Gen.Byte[0, 3], Gen.Byte.Array[0, 400]).Seeded().Sample((kind, rest) =>
    {
        ReadAll([kind, .. rest]);
        ReadAll(rest);
    });

    [Test]
    public void Read_ControlCutOrChangedAnywhere_NeverThrows() =>
        Gen.Select(ControlMessages, Gen.Int[0, 4000], Gen.Byte, Gen.Int[0, 4000]).Seeded().Sample((message, at, value, cut) =>
    {
        var frame = NexusFrameCodec.WriteControl(message);
        frame[at % frame.Length] = value;
        ReadAll(frame[..(cut % (frame.Length + 1))]);
    });

    [Test]
    public void DataPath_AllocatesNothing()
    {
        var message = new byte[NexusFrameCodec.DataHeaderLength + NexusFrameCodec.MaxPayloadBytes];
        var payload = TunnelUnderTest.Pattern(NexusFrameCodec.MaxPayloadBytes);
        var (id, ledger, credits, idle) = (StreamId.New(), new ForwardLedger(new GrantBudget(() => null, TimeProvider.System)), new ReverseCredits(1_000_000),
            new StreamIdle(TimeProvider.System));
        Pass(100);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var seen = Pass(10_000);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(seen, Is.EqualTo(10_000L * NexusFrameCodec.MaxPayloadBytes));
        Assert.That(allocated, Is.Zero);

        long Pass(int messages)
        {
            var bytes = 0L;
            for (var n = 0; n < messages; n++)
            {
                if (!credits.TryTake()) return -1;
                NexusFrameCodec.WriteDataHeader(message, id);
                payload.CopyTo(message.AsSpan(NexusFrameCodec.DataHeaderLength));
                if (NexusFrameCodec.Classify(message) != NexusFrameKind.Data || NexusFrameCodec.ReadDataId(message) != id) return -1;
                var read = NexusFrameCodec.ReadDataPayload(message);
                if (!ledger.TryReceive(read.Length)) return -1;
                if (ledger.Consume(read.Length)) credits.Grant(ledger.TakeGrant());
                idle.Touch();
                bytes += read.Length;
            }
            return bytes;
        }
    }

    private static readonly string[] Names = ["connect", "disconnect", "resume_stream", "ping_client", "nonsense"];

    private static Gen<ControlMessage> ControlMessages { get; } =
        from name in Gen.Int[0, Names.Length - 1].Select(n => Names[n])
        from id in Gen.Guid
        from text in Gen.String[Gen.Char['\u0020', '\ud7ff'], 0, 40]
        from other in Gen.String[Gen.Char.AlphaNumeric, 1, 40]
        from port in Gen.Int[1, 65_535]
        from credits in Gen.Long[1, long.MaxValue]
        from flags in Gen.Int[0, 127]
        select new ControlMessage
        {
            Event = name,
            ClientId = new StreamId(id),
            ConnPort = (flags & 1) == 0 ? null : port,
            ClientIp = (flags & 2) == 0 ? null : other,
            Hostname = (flags & 4) == 0 ? null : text + "x",
            Reason = (flags & 8) == 0 ? null : text + "y",
            IsTls = (flags & 16) == 0 ? null : true,
            Success = (flags & 32) == 0 ? null : true,
            Credits = (flags & 64) == 0 ? null : credits,
        };

    private static void ReadAll(byte[] frame)
    {
        NexusFrameCodec.ReadChallenge(frame);
        switch (NexusFrameCodec.Classify(frame))
        {
            case NexusFrameKind.Data: NexusFrameCodec.ReadDataId(frame); break;
            case NexusFrameKind.Control: NexusFrameCodec.ReadControl(frame); break;
        }
    }

    private static ControlMessage? Read(string json) => NexusFrameCodec.ReadControl([2, .. Encoding.UTF8.GetBytes(json)]);
}
