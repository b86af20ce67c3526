using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Core.Tunnel.Session;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel.Streams;

/// <summary>The tunnel against a relay at its limits: a lane that overflows, ends that are not told, sessions that are dead and still get users.</summary>
[Category("Nexus")]
internal sealed class RelayPressureTests
{
    private const int MiB = 1024 * 1024;

    [TestCase(true)]
    [TestCase(false)]
    public async Task UsersWhoseEndIsLost_LockNobodyOut(bool knownAddress)
    {
        var time = new ShiftedTime();
        await using var app = await RelayedApp.StartAsync(options =>
        {
            options.AllowPrivateClientAddresses = knownAddress;
            options.MaxStreamsPerAddress = 60;
            options.MaxStreams = knownAddress ? 1024 : 60;
        }, time: time);
        app.Relay.Faults.LoseDisconnects = true;

        List<string> wrong = [];
        for (var run = 0; run < 6; run++)
        {
            var first = run * 40;
            // For a tenth of a second the tunnel believes the relay's word that it knows a stream, though the user may be gone since.
            time.Skip(TimeSpan.FromMilliseconds(150));
            wrong.AddRange((await Task.WhenAll(Enumerable.Range(first, 40).Select(n => app.PassAsync(new Passage(n, Course.Echo, 2_000, IsTls: true)))))
                .OfType<string>());
        }

        TestContext.Out.WriteLine($"{wrong.Count} of 240 users wrong, refused {string.Join(", ", app.Under.Tunnel.Status.Counts.RefusedStreams)}");
        Assert.That(app.Under.Tunnel.Status.Counts.RefusedStreams, Is.Empty);
        Assert.That(wrong, Is.Empty);
    }

    [TestCase(6)]
    [TestCase(12)]
    public async Task ParallelUploads_NoneIsCut_AndEveryShortRequestIsServed(int uploads)
    {
        await using var app = await RelayedApp.StartAsync();

        var running = Enumerable.Range(0, uploads).Select(n => app.PassAsync(new Passage(n, Course.AnsweredUpload, 48 * MiB / uploads, IsTls: true))).ToList();
        var all = Task.WhenAll(running);
        List<string> wrong = [];
        var asked = 0;
        do
        {
            if (await app.PassAsync(new Passage(1_000 + asked++, Course.Echo, 2_000, IsTls: true)) is { } failed) wrong.Add(failed);
        }
        while (!all.IsCompleted);
        wrong.AddRange((await all).OfType<string>());

        TestContext.Out.WriteLine($"{asked} short requests beside {uploads} uploads, {wrong.Count} wrong");
        Assert.That(wrong, Is.Empty);
        Assert.That(app.Relay.Metrics(), Does.Contain("devrelay_streams_without_room_total 0\n").And.Contain("devrelay_users_without_room_total 0\n"));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(3)]
    public async Task AfterAHalfOpenLoss_NearlyAllNewUsersAreServed(int changes)
    {
        await using var app = await RelayedApp.StartAsync(options => options.KeepAliveInterval = options.KeepAliveTimeout = TimeSpan.FromMilliseconds(300));
        for (var change = 1; change <= changes; change++)
        {
            app.Under.Tunnel.SetTarget(
                TunnelUnderTest.Target(app.Relay.HubUri, ["web.home.test", .. Enumerable.Range(1, change).Select(n => $"app{n}.home.test")]));
            await app.Under.UntilAsync(status => status.Hostnames.Count == change + 1 && status.Sessions == 1);
        }

        app.Relay.StrandSessions();
        await app.Under.UntilAsync(status => status is { State: TunnelState.Online, Reconnects: 1 });
        var weights = string.Join(", ", app.Relay.Sessions().Select(s => s.Weight));
        var served = await ServedAsync(app, 100);

        TestContext.Out.WriteLine($"{served} of 100 users served, weights {weights}");
        Assert.That(served, Is.GreaterThanOrEqualTo(95));
    }

    /// <summary>A power cut leaves the file as it was while the session was open; a stop that says goodbye leaves none.</summary>
    [Test]
    public async Task AfterAPowerCut_TheFirstSessionOutweighsTheLast()
    {
        using var folder = new TempFolder();
        await using var relay = await ScriptedRelay.StartAsync();
        var file = folder.File("tunnel-weight");
        await using (var before = new TunnelUnderTest(weightFile: file))
        {
            await before.OpenAsync(relay, "web.home.test");
            File.Copy(file, folder.File("as-it-was"));
        }
        var goodbye = !File.Exists(file);

        await using var after = new TunnelUnderTest(weightFile: folder.File("as-it-was"));
        var peer = await after.OpenAsync(relay, "web.home.test");

        Assert.That(goodbye, Is.True);
        Assert.That((long)RelayTunnelHandshakeTests.Claims(peer.HandshakeToken)["weight"]!, Is.EqualTo(32));
    }

    /// <summary>One user after the other. Whom the relay gave to a dead session waits, until all have come.</summary>
    public static async Task<int> ServedAsync(RelayedApp app, int users)
    {
        List<Task<string?>> waiting = [];
        var served = 0;
        for (var n = 0; n < users && waiting.Count <= 10; n++)
        {
            var user = app.PassAsync(new Passage(n, Course.Echo, 500, IsTls: true));
            // A user whom nobody serves hears nothing, so that only time tells; who is served is done long before.
            if (await Task.WhenAny(user, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System)) != user) waiting.Add(user);
            else served += await user is null ? 1 : 0;
        }

        app.Relay.DropSessions();
        await Task.WhenAll(waiting);
        return served;
    }
}
