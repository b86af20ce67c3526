using System.Text;
using Piccolo.Tests.Core.Tunnel.Session;

namespace Piccolo.Tests.Core.Tunnel.Streams;

[Category("Nexus")]
internal sealed class RelayTunnelFlowTests : RelayTunnelStreamFixture
{
    [Test]
    public async Task Nx043_Nx054_Data_A64KiBPreludeBeforeAnyoneAccepts_IsDelivered()
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
    public async Task Nx044_Output_FillsMessagesUpTo32KiB()
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
    public async Task Nx079_Nx080_Nx081_Output_SendsExactlyWhatIsGranted()
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
    public async Task Nx078_Output_ToARelayWithoutCredits_IsUnlimited()
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
    public async Task Nx093_Output_512MessagesThroughAWindowOf64_ArriveInOrderAndWithinIt()
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
    public async Task Nx097_Input_CreditReturnsAfterConsumptionInBatches()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        await _peer.NextControlAsync("resume_stream", A);
        for (var message = 0; message < 3; message++) await _peer.SendDataAsync(A, new byte[10]);
        await TunnelUnderTest.ReadAsync(stream.Input, 30);
        await BarrierAsync();
        var early = _peer.Unread().Count(frame => frame.IsControl("resume_stream", A));
        await _peer.SendDataAsync(A, new byte[10]);
        await TunnelUnderTest.ReadAsync(stream.Input, 10);
        var grant = await _peer.NextControlAsync("resume_stream", A);

        Assert.That(early, Is.Zero);
        Assert.That((int)grant["credits"]!, Is.EqualTo(12));
    }

    [Test]
    public async Task Input_ThatTheAppAbandoned_StillEarnsCredit()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        await _peer.NextControlAsync("resume_stream", A);
        for (var message = 0; message < 8; message++) await _peer.SendDataAsync(A, new byte[10]);
        // All eight are here before the app reads the first, so that what is due then is known.
        await BarrierAsync();
        await TunnelUnderTest.ReadAsync(stream.Input, 15);
        var first = (int)(await _peer.NextControlAsync("resume_stream", A))["credits"]!;

        await stream.Input.CompleteAsync();
        for (var message = 0; message < 8; message++) await _peer.SendDataAsync(A, new byte[10]);
        var second = (int)(await _peer.NextControlAsync("resume_stream", A))["credits"]!;
        await BarrierAsync();
        await stream.Output.WriteAsync("still"u8.ToArray());

        Assert.That(first, Is.EqualTo(9));
        Assert.That(second, Is.InRange(12, 16), "as many as were due when the writer came to it");
        Assert.That(_peer.Unread().Any(frame => frame.IsControl("resume_stream", A)), Is.False);
        Assert.That(Encoding.ASCII.GetString((await _peer.NextDataAsync(A)).Payload), Is.EqualTo("still"));
    }

    [Test]
    public async Task Nx070_Input_OfAStalledApp_DelaysNobodyAndEndsAloneWhenItOverflows()
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
    public async Task Nx051_Output_ControlAndOtherStreamsPassABulkDownload()
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
        Assert.That((string)RelayTunnelHandshakeTests.Claims(token.Text)["session_nonce"]!, Is.EqualTo("under-load"));
    }
}
