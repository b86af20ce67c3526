using System.Text;
using Piccolo.DevRelay.Hub;
using Piccolo.DevRelay.Protocol;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Hub;

[Category("DevRelay"), Category("Nexus")]
internal sealed class FramingTests
{
    private const string Host = "app.example.test";

    [Test]
    public async Task Nx040_DataBothWays_CarriesKindAndIdInNetworkOrder()
    {
        var id = Guid.Parse("3f2504e0-4f89-41d3-9a0c-0305e82c3301");
        await using var relay = await RelayFixture.StartAsync(o => o.StreamId = () => id);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        using var user = await relay.KnockAsync(RelayFixture.Get(Host));
        Assert.That((await backend.NextControlAsync("connect")).Text[1..], Does.Contain("\"client_id\":\"3f2504e0-4f89-41d3-9a0c-0305e82c3301\""));

        var data = await backend.NextAsync();
        await backend.SendBinaryAsync([1, .. Convert.FromHexString("3f2504e04f8941d39a0c0305e82c3301"), .. "ok"u8]);

        Assert.That(data.Payload[..17], Is.EqualTo(Convert.FromHexString("013f2504e04f8941d39a0c0305e82c3301")));
        Assert.That(await user.ReadExactlyAsync(2), Is.EqualTo("ok"u8.ToArray()));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Nx042_LargestMessage_IsTakenAlsoInFragments(bool fragmented)
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        var payload = new byte[32_768];
        Random.Shared.NextBytes(payload);
        var message = ScriptedBackend.DataMessage(id, payload);

        if (fragmented)
        {
            await backend.SendAsync(0x2, message[..1000], final: false);
            await backend.SendAsync(0x9, "between"u8.ToArray());
            await backend.SendAsync(0x0, message[1000..1000], final: false);
            await backend.SendAsync(0x0, message[1000..]);
        }
        else
        {
            await backend.SendBinaryAsync(message);
        }

        Assert.That(await user.ReadExactlyAsync(payload.Length), Is.EqualTo(payload));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Nx042_OneByteMore_EndsTheSessionWith1009(bool fragmented)
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var head = fragmented ? ScriptedBackend.Frame(2, new byte[20_000], final: false) : [];
        var last = ScriptedBackend.Frame(fragmented ? 0 : 2, new byte[fragmented ? 12_786 : 32_786]);

        // Only the head of the frame that is too much: the relay does not wait for the rest.
        await backend.WriteAsync([.. head, .. last[..8]]);

        var end = await backend.NextAsync();
        Assert.That(end.Payload, Is.EqualTo(new byte[] { 0x03, 0xf1 }));
        await relay.WaitForSessionsAsync(s => s.Count == 0, default).WaitAsync(ScriptedBackend.Patience);
    }

    [Test]
    public async Task Nx045_Nonsense_IsIgnoredAndTheSessionStays()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;

        foreach (var message in Nonsense()) await backend.SendBinaryAsync(message);

        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
        await backend.SendDataAsync(id, "still here"u8.ToArray());
        Assert.That(await user.ReadExactlyAsync(10), Is.EqualTo("still here"u8.ToArray()));
    }

    [Test]
    public async Task Nx045_RandomMessages_NeverEndTheSession()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var random = new Random(20_260_504);

        for (var i = 0; i < 500; i++)
        {
            var message = new byte[random.Next(0, 200)];
            random.NextBytes(message);
            if (message.Length > 0 && i % 2 == 0) message[0] = (byte)(1 + (i % 3));
            await backend.SendBinaryAsync(message);
        }

        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [TestCase(0x2, true, false, "not masked")]
    [TestCase(0x3, true, true, "unknown opcode")]
    [TestCase(0x9, false, true, "fragmented control frame")]
    [TestCase(0x0, true, true, "continuation of nothing")]
    public async Task WebSocketViolation_EndsTheSessionWith1002(int opcode, bool final, bool masked, string what)
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);

        await backend.SendAsync(opcode, [1, 2], final, masked);

        Assert.That((await backend.NextAsync()).CloseCode, Is.EqualTo(1002), what);
    }

    [Test]
    public void Nx046_ControlMessage_OmitsZeroValuesAndIgnoresUnknownMembers()
    {
        var id = Guid.NewGuid();

        Assert.That(Json(new ControlMessage("disconnect", id)), Is.EqualTo($$"""{"event":"disconnect","client_id":"{{id}}"}"""));
        Assert.That(
            Json(new ControlMessage("outbound_result", id) { Reason = "a<b" }),
            Is.EqualTo($$"""{"event":"outbound_result","client_id":"{{id}}","reason":"a\u003Cb"}"""));
        Assert.That(Parse($$"""{"more":[1],"CREDITS":9,"client_id":"{{id}}","Event":"resume_stream","reason":null}"""),
            Is.EqualTo(new ControlMessage("resume_stream", id) { Credits = 9 }));
        Assert.That(Parse("""{"event":"x"}"""), Is.EqualTo(new ControlMessage("x", Guid.Empty)));
    }

    [Test]
    public void ControlMessage_AnyValue_SurvivesWritingAndReading()
    {
        var random = new Random(7);
        for (var i = 0; i < 200; i++)
        {
            var message = new ControlMessage(Text(random), Guid.NewGuid())
            {
                ConnPort = random.Next(),
                ClientIp = Text(random),
                Hostname = Text(random),
                IsTls = i % 2 == 0,
                Reason = Text(random),
                Credits = random.NextInt64(),
                TargetAddr = Text(random),
                Success = i % 3 == 0,
                Transport = Text(random),
            };
            Assert.That(ControlMessage.Parse(message.ToJson().ToArray()), Is.EqualTo(message));
        }
    }

    [Test]
    public void FrameHead_CutAnywhere_AsksForMoreAndThenReads([Values(0, 1, 125, 126, 65_535, 65_536)] int length)
    {
        var frame = ScriptedBackend.Frame(2, new byte[length]);
        Assert.That(WebSocketFraming.TryReadHead(frame, out var whole, out var violation), Is.True);
        Assert.That(violation, Is.Null);
        Assert.That((whole.Length, whole.Size, whole.Final), Is.EqualTo(((ulong)length, frame.Length - length, true)));

        for (var cut = 0; cut < whole.Size; cut++) Assert.That(WebSocketFraming.TryReadHead(frame.AsSpan(0, cut), out _, out _), Is.False, $"cut at {cut}");
    }

    [Test]
    public void Unmask_AtAnyPosition_EqualsTheByteByByteRule()
    {
        var payload = new byte[61];
        new Random(3).NextBytes(payload);
        var frame = ScriptedBackend.Frame(2, payload);
        Assert.That(WebSocketFraming.TryReadHead(frame, out var head, out _), Is.True);

        for (var cut = 0; cut <= payload.Length; cut++)
        {
            var masked = frame[head.Size..];
            WebSocketFraming.Unmask(masked.AsSpan(0, cut), head.Mask, 0);
            WebSocketFraming.Unmask(masked.AsSpan(cut), head.Mask, cut);
            Assert.That(masked, Is.EqualTo(payload), $"cut at {cut}");
        }
    }

    private static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(0, 9)).Select(_ => (char)random.Next(1, 0xd7ff)));

    private static string Json(ControlMessage message) => Encoding.UTF8.GetString(message.ToJson());

    private static ControlMessage? Parse(string json) => ControlMessage.Parse(Encoding.UTF8.GetBytes(json));

    private static IEnumerable<byte[]> Nonsense()
    {
        yield return [];
        yield return [7, 1, 2, 3];
        yield return [1];
        yield return [1, .. new byte[15]];
        yield return [1, .. new byte[16], 42];
        string[] controls =
        [
            "", "{", "[]", "1", "null", "{}{}", """{"event":5}""", """{"event":"disconnect","client_id":"nobody"}""", """{"event":"dance"}""",
            """{"event":"resume_stream","credits":"64"}""", """{"event":"disconnect"}""", new string('[', 5_000),
        ];
        foreach (var json in controls) yield return [2, .. Encoding.UTF8.GetBytes(json)];
    }
}
