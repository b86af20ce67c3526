using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Api.Health;
using Piccolo.Api.Platform;
using Piccolo.Core.ControlStore;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Platform;

/// <summary>The service manager hears that all is well only as long as it is.</summary>
internal sealed class WatchdogTests
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    [TestCase(null, null, null)]
    [TestCase("", null, null)]
    [TestCase("0", null, null)]
    [TestCase("-5", null, null)]
    [TestCase("99999999999999999999", null, null)]
    [TestCase("60000000", null, 30)]
    [TestCase("60000000", "42", 30)]
    [TestCase("60000000", "43", null)]
    public void Interval_Environment_IsHalfOfWhatIsAskedForThisProcess(string? microseconds, string? processId, int? seconds) =>
        Assert.That(Watchdog.Interval(microseconds, processId, own: 42)?.TotalSeconds, Is.EqualTo(seconds));

    [Test]
    public async Task SelfCheck_StoreThatLetsNobodyIn_FailsUntilItDoes()
    {
        await using var appliance = await new TestAppliance().OwnedAsync();
        var check = appliance.Services.GetRequiredService<SelfCheck>();
        var store = appliance.Services.GetRequiredService<SealedStore>();
        Assert.That(await check.FindFaultAsync(TimeSpan.FromSeconds(10)), Is.Null);

        await using (await StuckStore.StickAsync(store))
            Assert.That(await check.FindFaultAsync(TimeSpan.FromMilliseconds(200)), Is.EqualTo("the store lets nobody in"));

        Assert.That(await check.FindFaultAsync(TimeSpan.FromSeconds(10)), Is.Null);
    }

    [Test]
    public async Task Watch_CheckThatFails_StopsThePingsUntilItPasses()
    {
        await using var appliance = await new TestAppliance().OwnedAsync();
        var store = appliance.Services.GetRequiredService<SealedStore>();
        using var log = new CapturedLog();
        var time = new ArmedTime(Every / 2);
        var systemd = new RecordingNotifier();
        using var watchdog = new Watchdog(new SystemdReporter(systemd),
            new SelfCheck(appliance.Services.GetRequiredService<HealthLoop>(), store, time), time, log.For<Watchdog>());
        using var stopping = new CancellationTokenSource();
        var watching = watchdog.WatchAsync(Every, stopping.Token);
        await systemd.PingAsync();
        time.Advance(Every);
        await systemd.PingAsync();

        await using (await StuckStore.StickAsync(store))
        {
            time.Forget();
            for (var round = 0; round < 3; round++)
            {
                time.Advance(Every);
                // Once the next round's look waits, the one before has ended, and with it whatever it had to tell.
                await time.ArmedAsync();
                time.Advance(Every / 2);
            }
            Assert.That(systemd.Pings, Is.EqualTo(2), "a daemon whose check fails must be restarted");
        }

        time.Advance(Every);
        await systemd.PingAsync();
        var failures = log.Entries.Where(e => e.EventId == 7101).Select(e => e.Message).ToList();
        Assert.That(failures, Has.Count.AtLeast(3), "one for each round; a round can see two ticks");
        Assert.That(failures, Has.All.EndsWith("the store lets nobody in"));
        await stopping.CancelAsync();
        await watching.WaitAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>A writer that has the store's turn and does not give it back.</summary>
    private sealed class StuckStore(Task stuck, ManualResetEventSlim leave) : IAsyncDisposable
    {
        public static async Task<StuckStore> StickAsync(SealedStore store)
        {
            var inside = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var leave = new ManualResetEventSlim();
            var stuck = Task.Run(() => store.Commit(_ =>
            {
                inside.SetResult();
                leave.Wait(TimeSpan.FromSeconds(60));
            }));
            await inside.Task.WaitAsync(TimeSpan.FromSeconds(10));
            return new StuckStore(stuck, leave);
        }

        public async ValueTask DisposeAsync()
        {
            leave.Set();
            await stuck.WaitAsync(TimeSpan.FromSeconds(10));
            leave.Dispose();
        }
    }

    /// <summary>A clock that stands, and tells when somebody has begun to wait for one length of time.</summary>
    private sealed class ArmedTime(TimeSpan length) : FakeTimeProvider
    {
        private readonly Channel<bool> _armed = Channel.CreateUnbounded<bool>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == length) _armed.Writer.TryWrite(true);
            return timer;
        }

        public async Task ArmedAsync() => await _armed.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        public void Forget()
        {
            while (_armed.Reader.TryRead(out _))
            {
            }
        }
    }

    /// <summary>Stands between us and systemd's socket.</summary>
    private sealed class RecordingNotifier : ISystemdNotifier
    {
        private readonly Channel<bool> _pings = Channel.CreateUnbounded<bool>();
        private int _count;

        public bool IsEnabled => true;

        public int Pings => Volatile.Read(ref _count);

        public void Notify(ServiceState state)
        {
            if (state.ToString() != "WATCHDOG=1") return;
            Interlocked.Increment(ref _count);
            _pings.Writer.TryWrite(true);
        }

        public async Task PingAsync() => await _pings.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
    }
}
