using System.Net.Sockets;
using Piccolo.DevRelay;
using Piccolo.DevRelay.Streams;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Streams;

/// <summary>What a user sends: unlimited until the first grant, then as many messages as were granted; and pauses.</summary>
[Category("DevRelay"), Category("Nexus")]
internal sealed class ForwardCreditTests
{
    private const string Host = "app.example.test";

    [Test]
    public async Task Nx100_ForwardData_IsUnlimitedUntilAGrantOfNAllowsExactlyN()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        await SendOneByOneAsync(user, backend, id, 100);

        await backend.GrantAsync(id, 3);
        await backend.UntilAnsweredAsync();
        await SendOneByOneAsync(user, backend, id, 3);
        await user.SendAsync("held back"u8.ToArray());
        await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(100));
        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);

        await backend.GrantAsync(id, 1);
        Assert.That((await backend.NextDataAsync(id)).Data, Is.EqualTo("held back"u8.ToArray()));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Nx101_StarvedUser_IsDisconnected(bool byIdleTimeout)
    {
        await using var relay = await RelayFixture.StartAsync(o =>
        {
            o.IdleTimeout = byIdleTimeout ? TimeSpan.FromMilliseconds(600) : TimeSpan.Zero;
            o.Clocks = new RelayClocks { Starvation = byIdleTimeout ? TimeSpan.FromHours(1) : TimeSpan.FromMilliseconds(300) };
        });
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        await backend.GrantAsync(id, 1);
        await backend.UntilAnsweredAsync();
        await SendOneByOneAsync(user, backend, id, 1);

        await user.SendAsync("never delivered"u8.ToArray());

        Assert.That((await backend.NextControlAsync("disconnect")).Id, Is.EqualTo(id));
        Assert.That(await user.ReadToEndAsync(), Is.Empty);
    }

    [TestCase(3, 64)]
    [TestCase(100, 100)]
    public async Task Nx102_FirstGrant_FixesTheCapacity(long first, long capacity)
    {
        var bucket = new ForwardBucket(TimeProvider.System);
        bucket.Grant(first);
        Assert.That(bucket.Credits, Is.EqualTo(first));

        bucket.Grant(500);

        Assert.That(bucket.Credits, Is.EqualTo(capacity));
        for (var i = 0; i < capacity; i++) Assert.That(await bucket.TakeAsync(TimeSpan.Zero, default), Is.True);
        Assert.That(await bucket.TakeAsync(TimeSpan.FromMilliseconds(20), default), Is.False);
    }

    [TestCase(0)]
    [TestCase(-64)]
    public void Nx102_GrantOfNothing_IsNoGrant(long credits)
    {
        var bucket = new ForwardBucket(TimeProvider.System);

        bucket.Grant(credits);

        Assert.That(bucket.Credits, Is.Null);
    }

    [TestCase(0)]
    [TestCase(8)]
    public async Task Nx103_Pause_StopsAfterAtMostOneChunkAndResumeLosesNothing(int credits)
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        await backend.SendControlAsync("pause_stream", id, j => j["reason"] = "buffer_full");
        await backend.SendControlAsync("pause_stream", id);
        await backend.UntilAnsweredAsync();

        // The read that was already pending delivers one chunk.
        await SendOneByOneAsync(user, backend, id, 1);
        await user.SendAsync("paused"u8.ToArray());
        await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(100));
        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
        Assert.That(relay.Sessions().Single().Streams.Single().Paused, Is.True);

        if (credits == 0) await backend.SendControlAsync("resume_stream", id);
        else await backend.GrantAsync(id, credits);

        Assert.That((await backend.NextDataAsync(id)).Data, Is.EqualTo("paused"u8.ToArray()));
    }

    [Test]
    public async Task Nx106_ResumeWithCredits_AlsoUnpausesAndFillsTheBucket()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        await backend.SendControlAsync("pause_stream", id);
        await backend.UntilAnsweredAsync();
        var paused = relay.Sessions().Single().Streams.Single();

        await backend.GrantAsync(id, 5);
        await backend.UntilAnsweredAsync();

        var resumed = relay.Sessions().Single().Streams.Single();
        Assert.That((paused.Paused, paused.ForwardCredits), Is.EqualTo((true, (long?)null)));
        Assert.That((resumed.Paused, resumed.ForwardCredits), Is.EqualTo((false, (long?)5)));
    }

    [Test]
    public async Task Nx104_DisconnectWhilePaused_ClosesTheUser()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        await backend.SendControlAsync("pause_stream", id);
        await backend.UntilAnsweredAsync();
        await SendOneByOneAsync(user, backend, id, 1);

        await backend.SendControlAsync("disconnect", id);
        await backend.SendControlAsync("resume_stream", id);

        Assert.That(await user.ReadToEndAsync(), Is.Empty);
        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx107_PauseLongerThanTheIdleTimeout_EndsTheStreamOnResume()
    {
        await using var relay = await RelayFixture.StartAsync(o => o.IdleTimeout = TimeSpan.FromMilliseconds(500));
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        await backend.SendControlAsync("pause_stream", id);
        await backend.UntilAnsweredAsync();
        await SendOneByOneAsync(user, backend, id, 1);
        await user.SendAsync("lost"u8.ToArray());
        await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(700));
        Assert.That(relay.Sessions().Single().Streams, Has.Count.EqualTo(1), "a paused stream is not judged idle");

        await backend.SendControlAsync("resume_stream", id);

        Assert.That((await backend.NextControlAsync("disconnect")).Id, Is.EqualTo(id));
    }

    private static async Task SendOneByOneAsync(Socket user, ScriptedBackend backend, Guid id, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await user.SendAsync(new[] { (byte)i });
            Assert.That((await backend.NextDataAsync(id)).Data, Is.EqualTo(new[] { (byte)i }));
        }
    }
}
