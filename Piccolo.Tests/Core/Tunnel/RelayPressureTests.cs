using Piccolo.Core.Tunnel;

namespace Piccolo.Tests.Core.Tunnel;

/// <summary>The tunnel against a relay at its limits: sessions that are dead and still get users.</summary>
[Category("Nexus")]
internal sealed class RelayPressureTests
{
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(3)]
    public async Task AfterAHalfOpenLoss_NearlyAllNewUsersAreServed(int changes)
    {
        await using var app = await RelayedApp.StartAsync(options => options.KeepAliveInterval = options.KeepAliveTimeout = TimeSpan.FromMilliseconds(300));
        for (var change = 1; change <= changes; change++)
        {
            app.Under.Tunnel.SetTarget(TunnelUnderTest.Target(app.Relay.HubUri, ["web.home.test", .. Enumerable.Range(1, change).Select(n => $"app{n}.home.test")]));
            await app.Under.UntilAsync(status => status.Hostnames.Count == change + 1 && status.Sessions == 1);
        }

        app.Relay.StrandSessions();
        await app.Under.UntilAsync(status => status is { State: TunnelState.Online, Reconnects: 1 });
        var weights = string.Join(", ", app.Relay.Sessions().Select(s => s.Weight));
        var served = await ServedAsync(app, 100);

        TestContext.Out.WriteLine($"{served} of 100 users served, weights {weights}");
        Assert.That(served, Is.GreaterThanOrEqualTo(95));
    }

    /// <summary>One user after the other. Whom the relay gave to a dead session waits, until all have come.</summary>
    public static async Task<int> ServedAsync(RelayedApp app, int users)
    {
        List<Task<string?>> waiting = [];
        var served = 0;
        for (var n = 0; n < users && waiting.Count <= 10; n++)
        {
            var user = app.PassAsync(new Passage(n, Course.Echo, 500, IsTls: true));
            if (await Task.WhenAny(user, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System)) != user) waiting.Add(user);
            else served += await user is null ? 1 : 0;
        }

        app.Relay.DropSessions();
        await Task.WhenAll(waiting);
        return served;
    }
}
