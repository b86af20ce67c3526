using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Session;

/// <summary>A scripted relay, and what the tests of sessions need beside it.</summary>
internal abstract class RelayTunnelFixture
{
    protected const string A = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    protected const string B = "11111111-2222-3333-4444-555555555555";

    private protected ScriptedRelay _relay = null!;

    [SetUp]
    public async Task StartAsync() => _relay = await ScriptedRelay.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _relay.DisposeAsync();

    /// <summary>The share of new users that a session claims in its token.</summary>
    protected static long Weight(RelayPeer peer) => (long)RelayTunnelHandshakeTests.Claims(peer.AttestedToken)["weight"]!;
}
