using System.Text;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Streams;

/// <summary>How a stream ends: what is still delivered, what is waited for, and who is told.</summary>
[Category("Nexus")]
internal sealed class RelayTunnelEndTests : RelayTunnelStreamFixture
{
    [Test]
    public async Task Nx058_Nx073_Dispose_DeliversEverythingThenDisconnects()
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
    public async Task Nx074_Nx085_Output_CompletedWithoutCredit_DrainsOverLaterGrantsBeforeTheDisconnect()
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

    [Test, Property("LongTail", 1)]
    public async Task Output_Completed_ASmallTailIsPaddedToABatchAndTheDisconnectWaitsForIt()
    {
        await _peer.ConnectAsync(A, Web);
        await using var stream = await _under.AcceptAsync();
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(3 * 32_768));
        await stream.Output.CompleteAsync();
        await _peer.NextPayloadsAsync(A, 3 * 32_768);

        for (var padding = 0; padding < 5; padding++) Assert.That((await _peer.NextDataAsync(A)).Payload, Is.Empty);
        await BarrierAsync();
        var early = _peer.Unread().Any(frame => frame.IsControl("disconnect", A) || (frame.IsData && frame.DataId == A));
        await _peer.GrantAsync(A, 8);
        var end = await _peer.NextControlAsync("disconnect", A);

        Assert.That(early, Is.False);
        Assert.That((string)end["reason"]!, Is.EqualTo("normal"));
    }

    [Test, Property("ShortDrain", 1)]
    public async Task Nx075_Output_CreditsNeverReturn_DisconnectsAfterTheLimit()
    {
        await _peer.ConnectAsync(A, Web, credits: 1);
        var stream = await _under.AcceptAsync();
        await stream.Output.WriteAsync(TunnelUnderTest.Pattern(3 * 32_768));

        await stream.DisposeAsync().AsTask().WaitAsync(ScriptedRelay.Patience);

        Assert.That((string)(await _peer.NextControlAsync("disconnect", A))["reason"]!, Is.EqualTo("timeout"));
        Assert.That(_peer.Unread().Count(frame => frame.IsData && frame.DataId == A), Is.EqualTo(1));
    }

    [Test]
    public async Task Nx059_Nx060_Disconnect_DeliversWhatCameBeforeEndsTheInputAndIsEchoed()
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

    private static async Task<bool> Fires(ITunnelStream stream)
    {
        await TunnelUnderTest.ClosedAsync(stream);
        return true;
    }
}
