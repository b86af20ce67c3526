using System.Text;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Tunnel;

internal sealed class NexusTunnelStreamTests
{
    private const string A = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    private const string B = "11111111-2222-3333-4444-555555555555";
    private const string C = "cccccccc-2222-3333-4444-555555555555";
    private const string Web = "web.home.test";

    private ScriptedRelay _relay = null!;
    private TunnelUnderTest _under = null!;
    private RelayPeer _peer = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _relay = await ScriptedRelay.StartAsync();
        _under = new TunnelUnderTest(options =>
        {
            options.StreamDrain = TimeSpan.FromSeconds(TestContext.CurrentContext.Test.Properties.ContainsKey("ShortDrain") ? 0.3 : 15);
            options.MaxStreams = 8;
            options.MaxStreamsPerAddress = 4;
            options.AcceptBacklog = 6;
            options.MaxBufferedBytes = 4 * 1024 * 1024;
        });
        _peer = await _under.OpenAsync(_relay, Web);
    }

    [TearDown]
    public async Task CloseAsync()
    {
        await _under.DisposeAsync();
        await _relay.DisposeAsync();
    }

    [Test]
    public async Task Nx52_Nx96_Connect_DescribesTheUserAndGrantsTheWindow()
    {
        await _peer.ConnectAsync(A, "WEB.home.test.");
        var stream = await _under.AcceptAsync();

        Assert.That((stream.Hostname, stream.Port, stream.IsTls, stream.Client?.ToString()), Is.EqualTo((Web, 443, true, "198.51.100.7:51514")));
        Assert.That(stream.Id, Does.EndWith(A));
        Assert.That((int)(await _peer.NextControlAsync("resume_stream", A))["credits"]!, Is.EqualTo(64));
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
    public async Task Nx43_Nx54_Data_A64KiBPreludeBeforeAnyoneAccepts_IsDelivered()
    {
        var prelude = TunnelUnderTest.Pattern(65_536);
        await _peer.ConnectAsync(A, Web);
        await _peer.SendDataAsync(A, prelude);
        await _peer.SendDataAsync(A, []);
        await _peer.SendDataAsync(A, Encoding.ASCII.GetBytes("end"));

        await using var stream = await _under.AcceptAsync();

        Assert.That(await TunnelUnderTest.ReadAsync(stream.Input, prelude.Length), Is.EqualTo(prelude));
        Assert.That(Encoding.ASCII.GetString(await TunnelUnderTest.ReadAsync(stream.Input, 3)), Is.EqualTo("end"));
        Assert.That(_under.Tunnel.Status.BytesIn, Is.EqualTo(65_539));
    }

    [Test]
    public async Task Nx44_Output_FillsMessagesUpTo32KiB()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        var body = TunnelUnderTest.Pattern(100_000);

        await stream.Output.WriteAsync(body);
        var payloads = await _peer.NextPayloadsAsync(A, body.Length);

        Assert.That(payloads.SelectMany(payload => payload).SequenceEqual(body), Is.True);
        Assert.That(payloads.Select(payload => payload.Length), Is.EqualTo(new[] { 32_768, 32_768, 32_768, 1_696 }));
        Assert.That(_under.Tunnel.Status.BytesOut, Is.EqualTo(body.Length));
    }

    [Test]
    public async Task Nx79_Nx80_Nx81_Output_SendsExactlyWhatIsGranted()
    {
        await _peer.ConnectAsync(A, Web, credits: 2);
        await _peer.ConnectAsync(B, Web);
        await using var a = await _under.AcceptAsync();
        await using var b = await _under.AcceptAsync();
        var body = TunnelUnderTest.Pattern(5 * 32_768);

        await a.Output.WriteAsync(body);
        var first = await _peer.NextPayloadsAsync(A, 2 * 32_768);
        // The writer has had B's turns after A's: what A could have sent would be here.
        for (var turn = 0; turn < 3; turn++)
        {
            await b.Output.WriteAsync("x"u8.ToArray());
            await _peer.NextDataAsync(B);
        }
        var beyond = _peer.Unread().Count(frame => frame.IsData && frame.DataId == A);
        await _peer.GrantAsync(A, 3);
        var rest = await _peer.NextPayloadsAsync(A, 3 * 32_768);

        Assert.That((first.Count, beyond, rest.Count), Is.EqualTo((2, 0, 3)));
        Assert.That(first.Concat(rest).SelectMany(payload => payload).SequenceEqual(body), Is.True);
    }

    [Test]
    public async Task Nx78_Output_ToARelayWithoutCredits_IsUnlimited()
    {
        await _peer.ConnectAsync(A, Web, credits: 0);
        var stream = await _under.AcceptAsync();
        var body = TunnelUnderTest.Pattern(100 * 32_768);

        var writing = stream.Output.WriteAsync(body).AsTask();
        var payloads = await _peer.NextPayloadsAsync(A, body.Length);
        await writing;
        await stream.DisposeAsync();

        Assert.That(payloads.SelectMany(payload => payload).SequenceEqual(body), Is.True);
        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("normal"));
    }

    [Test]
    public async Task Nx93_Output_512MessagesThroughAWindowOf64_ArriveInOrderAndWithinIt()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        var body = TunnelUnderTest.Pattern(512 * 32_768);
        var open = 0;
        var peak = 0;
        var received = new MemoryStream();

        var writing = stream.Output.WriteAsync(body).AsTask();
        while (received.Length < body.Length)
        {
            received.Write((await _peer.NextDataAsync(A)).Payload);
            peak = Math.Max(peak, ++open);
            // A slow user: credit comes only when the window is nearly used up.
            if (open == 60)
            {
                await _peer.GrantAsync(A, 56);
                open -= 56;
            }
        }
        await writing;
        await _peer.GrantAsync(A, open);

        Assert.That(received.ToArray().AsSpan().SequenceEqual(body), Is.True);
        Assert.That(peak, Is.LessThanOrEqualTo(64));
    }

    [Test]
    public async Task Nx97_Input_CreditReturnsAfterConsumptionInBatches()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        await _peer.NextControlAsync("resume_stream", A);
        for (var message = 0; message < 12; message++) await _peer.SendDataAsync(A, new byte[10]);

        await TunnelUnderTest.ReadAsync(stream.Input, 79);
        await BarrierAsync();
        var early = _peer.Unread().Count(frame => frame.IsControl("resume_stream", A));
        await TunnelUnderTest.ReadAsync(stream.Input, 1);
        var grant = await _peer.NextControlAsync("resume_stream", A);

        Assert.That(early, Is.Zero);
        Assert.That((int)grant["credits"]!, Is.EqualTo(8));
    }

    [Test]
    public async Task Input_ThatTheAppAbandoned_StillEarnsCredit()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        await _peer.NextControlAsync("resume_stream", A);
        for (var message = 0; message < 8; message++) await _peer.SendDataAsync(A, new byte[10]);
        await TunnelUnderTest.ReadAsync(stream.Input, 15);

        await stream.Input.CompleteAsync();
        for (var message = 0; message < 8; message++) await _peer.SendDataAsync(A, new byte[10]);
        var granted = 0;
        while (granted < 16) granted += (int)(await _peer.NextControlAsync("resume_stream", A))["credits"]!;
        await stream.Output.WriteAsync("still"u8.ToArray());

        Assert.That(granted, Is.EqualTo(16));
        Assert.That(Encoding.ASCII.GetString((await _peer.NextDataAsync(A)).Payload), Is.EqualTo("still"));
    }

    [Test]
    public async Task Nx58_Nx73_Dispose_DeliversEverythingThenDisconnects()
    {
        await _peer.ConnectAsync(A, Web);
        var stream = await _under.AcceptAsync();
        await stream.Output.WriteAsync("goodbye"u8.ToArray());

        await stream.DisposeAsync().AsTask().WaitAsync(ScriptedRelay.Patience);
        var data = await _peer.NextDataAsync(A);
        var end = await _peer.NextControlAsync("disconnect", A);

        Assert.That(Encoding.ASCII.GetString(data.Payload), Is.EqualTo("goodbye"));
        Assert.That((string)end["reason"]!, Is.EqualTo("normal"));
        Assert.That(stream.Closed.IsCancellationRequested || await Fires(stream), Is.True);
        Assert.That(_under.Tunnel.Status.Streams, Is.Zero);
    }

    [Test]
    public async Task Nx74_Nx85_Output_CompletedWithoutCredit_DrainsOverLaterGrantsBeforeTheDisconnect()
    {
        await _peer.ConnectAsync(A, Web, credits: 4);
        await using var stream = await _under.AcceptAsync();
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(7 * 32_768));
        await stream.Output.CompleteAsync();
        await _peer.NextPayloadsAsync(A, 4 * 32_768);

        await _peer.GrantAsync(A, 16);
        await _peer.NextPayloadsAsync(A, 3 * 32_768);

        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("normal"));
    }

    [Test]
    public async Task Output_Completed_WaitsUntilTheRelayHasDeliveredAllButSeven()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        // The pipe between the app and the writer holds eight messages: all twenty go out as the credits allow.
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(20 * 32_768));
        await stream.Output.CompleteAsync();
        await _peer.NextPayloadsAsync(A, 20 * 32_768);

        await _peer.GrantAsync(A, 8);
        await BarrierAsync();
        var early = _peer.Unread().Any(frame => frame.IsControl("disconnect", A));
        await _peer.GrantAsync(A, 8);
        await _peer.NextControlAsync("disconnect", A);

        Assert.That(early, Is.False, "12 messages were open");
    }

    [Test, Property("ShortDrain", 1)]
    public async Task Nx75_Output_CreditsNeverReturn_DisconnectsAfterTheLimit()
    {
        await _peer.ConnectAsync(A, Web, credits: 1);
        var stream = await _under.AcceptAsync();
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(3 * 32_768));

        await stream.DisposeAsync().AsTask().WaitAsync(ScriptedRelay.Patience);

        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("timeout"));
        Assert.That(_peer.Unread().Count(frame => frame.IsData && frame.DataId == A), Is.EqualTo(1));
    }

    [Test]
    public async Task Nx59_Nx60_Disconnect_DeliversWhatCameBeforeEndsTheInputAndIsEchoed()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        await _peer.SendDataAsync(A, TunnelUnderTest.Pattern(50_000));
        await _peer.DisconnectAsync(A);

        var echo = await _peer.NextControlAsync("disconnect", A);
        var closedBeforeRead = stream.Closed.IsCancellationRequested;
        var all = await TunnelUnderTest.ReadToEndAsync(stream.Input);
        await TunnelUnderTest.ClosedAsync(stream);
        var flushed = await stream.Output.WriteAsync("too late"u8.ToArray());

        Assert.That((string)echo["reason"]!, Is.EqualTo("normal"));
        Assert.That(closedBeforeRead, Is.False, "the app may still read what the user sent");
        Assert.That(all, Is.EqualTo(TunnelUnderTest.Pattern(50_000)));
        Assert.That(flushed.IsCompleted, Is.True);
        Assert.That(_under.Tunnel.Status.Streams, Is.Zero);
    }

    [Test]
    public async Task Abort_DisconnectsAtOnceWithoutDelivering()
    {
        await _peer.ConnectAsync(A, Web, credits: 1);
        await using var stream = await _under.AcceptAsync();
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(4 * 32_768));
        await _peer.NextDataAsync(A);

        stream.Abort();

        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("local_error"));
        await TunnelUnderTest.ClosedAsync(stream);
        Assert.That(async () => await stream.Input.ReadAsync(), Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Output_CompletedWithAnException_DisconnectsWithLocalError()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();

        await stream.Output.CompleteAsync(new InvalidOperationException("the app failed"));

        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("local_error"));
        await BarrierAsync();
    }

    [Test]
    public async Task Nx56_Data_ForAnUnknownId_IsAnsweredWithUnknown()
    {
        await _peer.SendDataAsync(B, [1, 2, 3]);

        Assert.That((string)(await _peer.NextControlAsync("disconnect", B))["reason"]!, Is.EqualTo("unknown"));
    }

    [TestCase("other.home.test", "tcp")]
    [TestCase("tcp:443", "tcp")]
    [TestCase("", "tcp")]
    [TestCase(Web, "udp")]
    public async Task Nx55_Connect_ForWhatWeDoNotServe_IsRefused(string hostname, string transport)
    {
        await _peer.ConnectAsync(A, hostname, transport: transport);

        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("dial_failed"));
        Assert.That(_under.Tunnel.Status.Streams, Is.Zero);
    }

    [Test]
    public async Task Nx53_Connect_WithoutOrWithUnknownTransport_IsTcp()
    {
        await _peer.ConnectAsync(A, Web, transport: "quic");
        await _peer.SendControlAsync($$"""{"event":"connect","client_id":"{{B}}","hostname":"{{Web}}"}""");

        await using var first = await _under.AcceptAsync();
        await using var second = await _under.AcceptAsync();

        Assert.That((second.Port, second.IsTls, second.Client), Is.EqualTo((0, false, default(System.Net.IPEndPoint?))));
    }

    [Test]
    public async Task Nx72_Connect_WithALivingId_ClosesTheOldStreamAndServesTheNew()
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
    public async Task Nx70_Input_OfAStalledApp_DelaysNobodyAndEndsAloneWhenItOverflows()
    {
        await _peer.ConnectAsync(A, Web);
        await _peer.ConnectAsync(B, Web);
        await using var stalled = await _under.AcceptAsync();
        await using var lively = await _under.AcceptAsync();

        for (var message = 0; message < 64 + 256; message++) await _peer.SendDataAsync(A, new byte[100]);
        await _peer.SendDataAsync(B, "through"u8.ToArray());
        var through = await TunnelUnderTest.ReadAsync(lively.Input, 7);
        var alive = !stalled.Closed.IsCancellationRequested;
        await _peer.SendDataAsync(A, new byte[100]);
        var end = await _peer.NextControlAsync("disconnect", A);
        await lively.Output.WriteAsync("answer"u8.ToArray());

        Assert.That(Encoding.ASCII.GetString(through), Is.EqualTo("through"));
        Assert.That(alive, Is.True);
        Assert.That((string)end["reason"]!, Is.EqualTo("buffer_full"));
        Assert.That(Encoding.ASCII.GetString((await _peer.NextDataAsync(B)).Payload), Is.EqualTo("answer"));
    }

    [Test]
    public async Task Input_OfAllStreamsTogether_IsBounded()
    {
        await _peer.ConnectAsync(A, Web);
        await _peer.ConnectAsync(B, Web);
        await using var first = await _under.AcceptAsync();
        await using var second = await _under.AcceptAsync();

        for (var message = 0; message < 100; message++) await _peer.SendDataAsync(A, new byte[32_768]);
        for (var message = 0; message < 40; message++) await _peer.SendDataAsync(B, new byte[32_768]);
        var end = (await _peer.NextAsync(frame => frame.IsControl("disconnect") && (string?)frame.Control!["reason"] == "buffer_full")).Control!;
        await first.Input.CompleteAsync();
        await _peer.ConnectAsync(C, Web);
        await using var third = await _under.AcceptAsync();
        for (var message = 0; message < 90; message++) await _peer.SendDataAsync(C, new byte[32_768]);

        Assert.That(((string)end["client_id"]!, (string)end["reason"]!), Is.EqualTo((B, "buffer_full")), "the stream that asked for too much");
        Assert.That(await TunnelUnderTest.ReadAsync(third.Input, 90 * 32_768), Has.Length.EqualTo(90 * 32_768), "what was given up counts no more");
    }

    [Test]
    public async Task Nx51_Output_ControlAndOtherStreamsPassABulkDownload()
    {
        await _peer.ConnectAsync(A, Web, credits: 100_000);
        await _peer.ConnectAsync(B, Web);
        var bulk = await _under.AcceptAsync();
        await using var small = await _under.AcceptAsync();
        using var stop = new CancellationTokenSource();
        var pumping = Task.Run(async () =>
        {
            var block = new byte[65_536];
            while (!stop.IsCancellationRequested && !(await bulk.Output.WriteAsync(block)).IsCompleted) { }
        });
        await _peer.NextDataAsync(A);

        await small.Output.WriteAsync("small"u8.ToArray());
        var data = await _peer.NextDataAsync(B);
        await _peer.SendTextAsync("""{"type":"reauth_challenge","nonce":"under-load"}""");
        var token = await _peer.NextTextAsync();
        await stop.CancelAsync();
        await pumping;
        bulk.Abort();
        await bulk.DisposeAsync();

        Assert.That(Encoding.ASCII.GetString(data.Payload), Is.EqualTo("small"));
        Assert.That((string)NexusTunnelHandshakeTests.Claims(token.Text)["session_nonce"]!, Is.EqualTo("under-load"));
    }

    [Test]
    public async Task Nx45_HostileFrames_LeaveTheSessionAlive()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        string[] hostile =
        [
            "", "{", "null", "[]", "\"x\"", "{}", """{"event":"connect"}""", """{"event":"connect","client_id":"00000000-0000-0000-0000-000000000000","hostname":"web.home.test"}""",
            """{"event":"connect","client_id":"x","hostname":"web.home.test"}""", """{"event":"nonsense","client_id":"11111111-2222-3333-4444-555555555555"}""",
            """{"event":"pause_stream","client_id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301"}""", """{"event":"pong_client","client_id":"11111111-2222-3333-4444-555555555555"}""",
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
        await _peer.SendRawAsync(new byte[RelaySocket.MaxMessage + 1]);

        await _peer.Ended;
        Assert.That(_peer.Goodbye, Is.EqualTo(System.Net.WebSockets.WebSocketCloseStatus.MessageTooBig));
        await _relay.AcceptAsync();
        Assert.That((await _under.UntilAsync(status => status.State == TunnelState.Online)).Reconnects, Is.EqualTo(1));
    }

    /// <summary>Whatever the client sent before this has arrived: an answer to a later question has.</summary>
    private async Task BarrierAsync()
    {
        await _peer.SendDataAsync("bbbbbbbb-0000-0000-0000-000000000000", [1]);
        await _peer.NextControlAsync("disconnect", "bbbbbbbb-0000-0000-0000-000000000000");
    }

    private static async Task<bool> Fires(ITunnelStream stream)
    {
        await TunnelUnderTest.ClosedAsync(stream);
        return true;
    }
}
