using System.Text;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Tests.Core.Tunnel.Streams;

[Category("Nexus")]
internal sealed class RelayTunnelStreamTests : RelayTunnelStreamFixture
{
    [Test]
    public async Task Nx052_Nx096_Connect_DescribesTheUserAndGrantsAFew()
    {
        await _peer.ConnectAsync(A, "WEB.home.test.");
        var stream = await _under.AcceptAsync();

        Assert.That((stream.Hostname, stream.Port, stream.IsTls, stream.Client?.ToString()), Is.EqualTo((Web, 443, true, "198.51.100.7:51514")));
        Assert.That(stream.Id, Does.EndWith(A));
        Assert.That((int)(await _peer.NextControlAsync("resume_stream", A))["credits"]!, Is.EqualTo(8));
        Assert.That((_under.Tunnel.Status.Streams, _under.Tunnel.Status.Sessions), Is.EqualTo((1, 1)));
        await stream.DisposeAsync();
    }

    [Test]
    public async Task Connect_FromALoopbackAddress_HasNoClient()
    {
        await _peer.ConnectAsync(A, Web, client: "127.0.0.1:5000");
        await using var stream = await _under.AcceptAsync();

        Assert.That(stream.Client, Is.Null);
    }

    [Test]
    public async Task Nx056_Data_ForAnUnknownId_IsAnsweredWithUnknown()
    {
        await _peer.SendDataAsync(B, [1, 2, 3]);

        Assert.That((string)(await _peer.NextControlAsync("disconnect", B))["reason"]!, Is.EqualTo("unknown"));
    }

    [TestCase("other.home.test", "tcp")]
    [TestCase("tcp:443", "tcp")]
    [TestCase("", "tcp")]
    [TestCase(Web, "udp")]
    public async Task Nx055_Connect_ForWhatWeDoNotServe_IsRefused(string hostname, string transport)
    {
        await _peer.ConnectAsync(A, hostname, transport: transport);

        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("dial_failed"));
        Assert.That(_under.Tunnel.Status.Streams, Is.Zero);
    }

    [Test]
    public async Task Nx053_Connect_WithoutOrWithUnknownTransport_IsTcp()
    {
        await _peer.ConnectAsync(A, Web, transport: "quic");
        await _peer.SendControlAsync($$"""{"event":"connect","client_id":"{{B}}","hostname":"{{Web}}"}""");

        await using var first = await _under.AcceptAsync();
        await using var second = await _under.AcceptAsync();

        Assert.That((second.Port, second.IsTls, second.Client), Is.EqualTo((0, false, default(System.Net.IPEndPoint?))));
    }

    [Test]
    public async Task Nx072_Connect_WithALivingId_ClosesTheOldStreamAndServesTheNew()
    {
        await _peer.ConnectAsync(A, Web);
        await using var old = await _under.AcceptAsync();
        await _peer.ConnectAsync(A, Web);
        await using var fresh = await _under.AcceptAsync();

        await TunnelUnderTest.ClosedAsync(old);
        await _peer.SendDataAsync(A, "new"u8.ToArray());

        Assert.That(Encoding.ASCII.GetString(await TunnelUnderTest.ReadAsync(fresh.Input, 3)), Is.EqualTo("new"));
        await BarrierAsync();
        Assert.That(_peer.Unread().Any(frame => frame.IsControl("disconnect", A)), Is.False, "a disconnect would kill the new stream");
        Assert.That(_under.Tunnel.Status.Streams, Is.EqualTo(1));
    }

    [Test]
    public async Task Connect_BeyondTheLimits_IsRefusedAndPlacesAreGivenBack()
    {
        var ids = Enumerable.Range(1, 9).Select(n => $"{n:D8}-0000-0000-0000-000000000001").ToList();
        var streams = new List<ITunnelStream>();
        foreach (var id in ids.Take(4))
        {
            await _peer.ConnectAsync(id, Web);
            streams.Add(await _under.AcceptAsync());
        }
        await _peer.ConnectAsync(ids[4], Web);
        var byAddress = await _peer.NextControlAsync("disconnect", ids[4]);
        foreach (var id in ids.Skip(4).Take(4))
        {
            await _peer.ConnectAsync(id, Web, client: "198.51.100.8:1");
            streams.Add(await _under.AcceptAsync());
        }
        await _peer.ConnectAsync(ids[8], Web, client: "198.51.100.9:1");
        var bySession = await _peer.NextControlAsync("disconnect", ids[8]);
        foreach (var stream in streams) await stream.DisposeAsync();
        await _peer.ConnectAsync(ids[8], Web);
        await using var again = await _under.AcceptAsync();

        Assert.That(((string)byAddress["reason"]!, (string)bySession["reason"]!), Is.EqualTo(("dial_failed", "dial_failed")));
        Assert.That(_under.Tunnel.Status.Streams, Is.EqualTo(1));
    }

    [Test]
    public async Task Connect_ThatNobodyAccepts_IsRefusedWhenTheBacklogIsFull()
    {
        var ids = Enumerable.Range(1, 7).Select(n => $"{n:D8}-0000-0000-0000-000000000002").ToList();
        foreach (var id in ids) await _peer.ConnectAsync(id, Web, client: $"198.51.100.{id[7]}:1");

        Assert.That((string)(await _peer.NextControlAsync("disconnect", ids[6]))["reason"]!, Is.EqualTo("dial_failed"));
        Assert.That(_under.Tunnel.Status.Streams, Is.EqualTo(6));
    }

    [Test]
    public async Task Nx045_HostileFrames_LeaveTheSessionAlive()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        string[] hostile =
        [
            "", "{", "null", "[]", "\"x\"", "{}", """{"event":"connect"}""",
            """{"event":"connect","client_id":"00000000-0000-0000-0000-000000000000","hostname":"web.home.test"}""",
            """{"event":"connect","client_id":"x","hostname":"web.home.test"}""", """{"event":"nonsense","client_id":"11111111-2222-3333-4444-555555555555"}""",
            """{"event":"pause_stream","client_id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301"}""",
            """{"event":"pong_client","client_id":"11111111-2222-3333-4444-555555555555"}""",
            """{"event":"resume_stream","client_id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301","credits":9223372036854775807}""",
            """{"event":"resume_stream","client_id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301","credits":-9223372036854775808}""",
            """{"event":"resume_stream","client_id":"11111111-2222-3333-4444-555555555555","credits":8}""",
            """{"event":"disconnect","client_id":"11111111-2222-3333-4444-555555555555"}""", """{"event":"disconnect"}""",
            """{"event":"outbound_result","client_id":"11111111-2222-3333-4444-555555555555","success":true,"credits":64}""",
        ];
        var random = new Random(7);

        await _peer.SendRawAsync([]);
        await _peer.SendRawAsync([1]);
        await _peer.SendRawAsync([9, 9, 9]);
        foreach (var json in hostile)
        {
            await _peer.SendControlAsync(json);
            await _peer.SendTextAsync(json);
        }
        for (var round = 0; round < 500; round++)
        {
            var junk = new byte[random.Next(1, 80)];
            random.NextBytes(junk);
            junk[0] = (byte)random.Next(4);
            await _peer.SendRawAsync(junk);
        }
        await _peer.SendDataAsync(A, "alive"u8.ToArray());

        Assert.That(Encoding.ASCII.GetString(await TunnelUnderTest.ReadAsync(stream.Input, 5)), Is.EqualTo("alive"));
        await stream.Output.WriteAsync("answer"u8.ToArray());
        Assert.That(Encoding.ASCII.GetString((await _peer.NextDataAsync(A)).Payload), Is.EqualTo("answer"));
        Assert.That((_under.Tunnel.Status.State, _under.Tunnel.Status.Streams, _under.Tunnel.Status.Reconnects), Is.EqualTo((TunnelState.Online, 1, 0L)));
    }

    [Test]
    public async Task Message_AboveTheProtocolsSize_EndsTheSessionWith1009()
    {
        await _peer.SendRawAsync(new byte[RelaySocket.MaxMessageBytes + 1]);

        await _peer.Ended;
        Assert.That(_peer.Goodbye, Is.EqualTo(System.Net.WebSockets.WebSocketCloseStatus.MessageTooBig));
        await _relay.AcceptAsync();
        Assert.That((await _under.UntilAsync(status => status.State == TunnelState.Online)).Reconnects, Is.EqualTo(1));
    }
}
