using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Vault;
using Piccolo.Tests.Core.Apps;
using Piccolo.Tests.Core.Tunnel;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Platform;

/// <summary>In which order the appliance ends: nobody comes in any more, apps and tunnel, and the keys last.</summary>
internal sealed class OrderlyShutdownTests
{
    [Test]
    public async Task Stop_WithAnAppAndATunnel_LocksOnlyAfterBothHaveEnded()
    {
        await using var relay = await ScriptedRelay.StartAsync();
        var box = await new TestAppliance(null, ("Piccolo:Nexus:AllowInsecureLoopback", "true")).OwnedAsync();
        var (vault, store, tunnel) =
            (box.Services.GetRequiredService<ApplianceVault>(), box.Services.GetRequiredService<SealedStore>(), box.Services.GetRequiredService<RelayTunnel>());
        box.Engine.AddImage("localhost/sample:latest");
        await box.Api.InstallAsync(AppRig.Manifest("web"));
        await AppRig.UntilAsync(box.Engine.Called, () => box.Engine.Calls.Contains("start web"), () => "the app does not start");
        tunnel.SetTarget(TunnelUnderTest.Target(relay.Endpoint, "web.home.test"));
        var peer = await relay.AcceptAsync();
        var appStops = new TaskCompletionSource();
        box.Engine.StopGate = appStops.Task;

        var stopping = box.DisposeAsync().AsTask();
        await AppRig.UntilAsync(box.Engine.Called, () => box.Engine.Calls.Contains("stop web"), () => "the app is not stopped");
        await peer.Ended;

        Assert.That((vault.State, store.IsOpen), Is.EqualTo((VaultState.Unlocked, true)), "the keys stay while an app still ends");
        using (var late = new TcpClient())
            Assert.That(async () => await late.ConnectAsync("127.0.0.1", box.HttpPort), Throws.InstanceOf<SocketException>(), "nobody comes in any more");
        appStops.SetResult();
        await stopping.WaitAsync(AppRig.Patience);
        Assert.That((vault.State, store.IsOpen), Is.EqualTo((VaultState.Locked, false)));
        Assert.That(box.Engine.Containers.Single().IsRunning, Is.False);
        Assert.That(peer.Goodbye, Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
    }
}
