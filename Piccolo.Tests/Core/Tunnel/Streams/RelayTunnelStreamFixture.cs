using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Streams;

/// <summary>An accepted session to a scripted relay, with small limits.</summary>
internal abstract class RelayTunnelStreamFixture
{
    protected const string A = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    protected const string B = "11111111-2222-3333-4444-555555555555";
    protected const string C = "cccccccc-2222-3333-4444-555555555555";
    protected const string Web = "web.home.test";

    private protected ScriptedRelay _relay = null!;
    private protected TunnelUnderTest _under = null!;
    private protected RelayPeer _peer = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _relay = await ScriptedRelay.StartAsync();
        _under = new TunnelUnderTest(options =>
        {
            options.StreamDrain = TimeSpan.FromSeconds(TestContext.CurrentContext.Test.Properties.ContainsKey("ShortDrain") ? 0.3 : 15);
            options.TailConfirmation = TimeSpan.FromSeconds(TestContext.CurrentContext.Test.Properties.ContainsKey("LongTail") ? 15 : 0.02);
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

    /// <summary>Whatever the client sent before this has arrived: an answer to a later question has.</summary>
    protected async Task BarrierAsync()
    {
        await _peer.SendDataAsync("bbbbbbbb-0000-0000-0000-000000000000", [1]);
        await _peer.NextControlAsync("disconnect", "bbbbbbbb-0000-0000-0000-000000000000");
    }
}
