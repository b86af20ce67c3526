using Piccolo.DevRelay;
using Piccolo.DevRelay.Streams;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Streams;

[Category("DevRelay"), Category("Nexus")]
internal sealed class CreditTests
{
    private const string Host = "app.example.test";

    [Test]
    public async Task Nx076_Connect_CarriesExactly64CreditsUnlessOmitted()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        using var first = await relay.KnockAsync(RelayFixture.Get(Host));
        var connect = await backend.NextControlAsync("connect");
        await backend.NextDataAsync(connect.Id);
        relay.Faults.OmitCredits = true;
        using var second = await relay.KnockAsync(RelayFixture.Get(Host));

        Assert.That((long?)connect.Control["credits"], Is.EqualTo(64));
        Assert.That((await backend.NextControlAsync("connect")).Control.ContainsKey("credits"), Is.False);
    }

    [Test]
    public async Task Nx089_Replenish_ComesAfterEvery8WrittenMessagesAlsoEmptyOnes()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        for (var i = 0; i < 7; i++) await backend.SendDataAsync(id, [(byte)i]);
        await user.ReadExactlyAsync(7);
        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);

        await backend.SendDataAsync(id, [7]);
        Assert.That((long?)(await backend.NextControlAsync("resume_stream")).Control["credits"], Is.EqualTo(8));

        for (var i = 0; i < 40; i++) await backend.SendDataAsync(id, []);
        var returned = 0L;
        while (returned < 40) returned += (long)(await backend.NextControlAsync("resume_stream")).Control["credits"]!;
        Assert.That(returned, Is.EqualTo(40));
    }

    [Test]
    public async Task Nx090_HeldReplenish_IsKeptAndComesInFull()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        relay.Faults.HoldReplenish = true;
        for (var i = 0; i < 20; i++) await backend.SendDataAsync(id, [1]);
        await user.ReadExactlyAsync(20);
        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);

        relay.Faults.HoldReplenish = false;

        Assert.That((long?)(await backend.NextControlAsync("resume_stream")).Control["credits"], Is.EqualTo(20));
    }

    [Test]
    public async Task Nx090_UnderRandomRefusals_TheSumOfGrantsEqualsTheMessagesWritten()
    {
        var random = new Random(11);
        var granted = 0L;
        var done = new TaskCompletionSource();
        var buffer = new ReverseBuffer(
            (_, _) => ValueTask.CompletedTask,
            credits =>
            {
                if (random.Next(3) != 0) return false;
                if ((granted += credits) == 800) done.TrySetResult();
                return true;
            },
            new RelayClocks { ReplenishRetry = TimeSpan.FromMilliseconds(2), ReplenishGap = TimeSpan.FromMilliseconds(1) },
            TimeProvider.System);
        var running = buffer.RunAsync();

        for (var i = 0; i < 800; i++)
        {
            while (!buffer.TryAdd(new byte[1])) await Task.Yield();
        }

        await done.Task.WaitAsync(ScriptedBackend.Patience);
        await buffer.EndAsync(running);
        Assert.That(granted, Is.EqualTo(800));
    }

    [Test]
    public async Task Nx091_DuringTheFlush_NothingIsReturned()
    {
        var gate = new TaskCompletionSource();
        var grants = 0;
        var buffer = new ReverseBuffer(
            async (_, _) => await gate.Task,
            _ =>
            {
                grants++;
                return true;
            },
            new RelayClocks { Flush = TimeSpan.FromSeconds(10) },
            TimeProvider.System);
        var running = buffer.RunAsync();
        for (var i = 0; i < 32; i++) buffer.TryAdd(new byte[1]);

        var ending = buffer.EndAsync(running);
        gate.SetResult();
        await ending.WaitAsync(ScriptedBackend.Patience);

        Assert.That((grants, buffer.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task Nx066_FailedWrite_EndsTheBufferAndLaterMessagesAreRefused()
    {
        var buffer = new ReverseBuffer((_, _) => throw new IOException("gone"), _ => true, new RelayClocks(), TimeProvider.System);
        var running = buffer.RunAsync();

        buffer.TryAdd(new byte[1]);

        await Assert.ThrowsAsync<IOException>(() => running.WaitAsync(ScriptedBackend.Patience));
        Assert.That(buffer.TryAdd(new byte[1]), Is.False);
    }

    [Test]
    public async Task Nx092_StalledUser_Holds128MessagesAndTheNextEndsTheStreamOnly()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (stalled, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var first = stalled;
        await StreamSteps.FillAsync(relay, backend, id, 128);
        Assert.That(relay.Sessions().Single().Streams.Single().Buffered, Is.EqualTo(128));

        await backend.SendDataAsync(id, [1]);

        var end = await backend.NextControlAsync("disconnect");
        Assert.That((end.Id, end.Control.ContainsKey("reason")), Is.EqualTo((id, false)));
        Assert.That(relay.Sessions().Single().Streams, Is.Empty);
        var (user, _) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        user.Dispose();
    }

    [Test]
    public async Task Nx094_ObedientBackendAndSlowUser_EverythingArrivesInOrderWithin72Buffered()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host), receiveBuffer: 262_144);
        using var open = user;
        var sending = SendWithinCreditsAsync(backend, id, 512);
        // The user reads nothing until the window is used up.
        using var limit = new CancellationTokenSource(ScriptedBackend.Patience);
        while (relay.Sessions().Single().Streams.Single().Buffered < 56)
        {
            limit.Token.ThrowIfCancellationRequested();
            await StreamSteps.PassAsync(TimeSpan.FromMilliseconds(5));
        }

        for (var i = 0; i < 512; i++)
        {
            var message = await user.ReadExactlyAsync(32_768);
            Assert.That(BitConverter.ToInt32(message), Is.EqualTo(i));
        }

        var peak = relay.Sessions().Single().Streams.Single().PeakBuffered;
        await sending;
        Assert.That(peak, Is.InRange(56, 72));
    }

    [Test]
    public async Task Nx095_QueueingTowardAStuckUser_NeverWaits()
    {
        var buffer = new ReverseBuffer((_, cut) => new ValueTask(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cut)), _ => true, new RelayClocks(),
            TimeProvider.System);
        var running = buffer.RunAsync();

        var taken = Enumerable.Range(0, 300).Count(_ => buffer.TryAdd(new byte[1]));

        Assert.That(taken, Is.InRange(128, 129), "128 wait, one may be with the writer");
        await buffer.EndAsync(running).WaitAsync(ScriptedBackend.Patience);
        await running.WaitAsync(ScriptedBackend.Patience);
    }

    [Test]
    public async Task Nx099_LargestGrant_IsClampedAndTheStreamWorks()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;

        await backend.GrantAsync(id, long.MaxValue);
        await backend.GrantAsync(id, long.MaxValue);
        await backend.UntilAnsweredAsync();
        await user.SendAsync("on"u8.ToArray());

        Assert.That((await backend.NextDataAsync(id)).Data, Is.EqualTo("on"u8.ToArray()));
        Assert.That(relay.Sessions().Single().Streams.Single().ForwardCredits, Is.EqualTo(1_048_576 - 1));
    }

    /// <summary>Sends numbered messages of 32 KiB, never more than the relay granted.</summary>
    private static async Task SendWithinCreditsAsync(ScriptedBackend backend, Guid id, int count)
    {
        var credits = 64L;
        for (var i = 0; i < count; i++)
        {
            while (credits == 0) credits += (long)(await backend.NextControlAsync("resume_stream")).Control["credits"]!;
            credits--;
            var message = new byte[32_768];
            BitConverter.TryWriteBytes(message, i);
            await backend.SendDataAsync(id, message);
        }
    }
}
