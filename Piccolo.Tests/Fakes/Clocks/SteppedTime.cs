using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Fakes.Clocks;

/// <summary>A clock that moves only to what somebody waits for: it knows which timers are set, and tells when one is. No true time has to pass.</summary>
internal sealed class SteppedTime(DateTimeOffset start) : FakeTimeProvider(start)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Dictionary<Timer, DateTimeOffset> _due = [];
    private readonly ChangeSignal _set = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, base.CreateTimer(callback, state, dueTime, period));
        Note(timer, dueTime);
        return timer;
    }

    /// <summary>Goes from timer to timer until something has happened.</summary>
    /// <param name="longest">Timers further away than this are limits that are not to be reached, as that of a request under way.</param>
    public async Task<T> RunAsync<T>(Task<T> awaited, TimeSpan longest)
    {
        while (!awaited.IsCompleted)
        {
            var seen = _set.Version;
            if (Next() is { } next && next - GetUtcNow() <= longest) Advance(next - GetUtcNow());
            else await Task.WhenAny(awaited, _set.WaitAsync(seen, CancellationToken.None)).WaitAsync(Patience);
        }
        return await awaited;
    }

    /// <summary>Waits until a timer is set that fires in exactly this time: whoever sets it does so in its own true time.</summary>
    public async Task ArmedAsync(TimeSpan dueIn)
    {
        while (true)
        {
            var seen = _set.Version;
            if (IsArmed(dueIn)) return;
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                await _set.WaitAsync(seen, patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"No timer is due in {dueIn}. Due are: {string.Join(", ", DueIn())}");
            }
        }
    }

    /// <summary>
    /// An interval to the millisecond: its timer is set, just before its end it has not fired, then it does. It must be one that no other timer has.
    /// </summary>
    public async Task PassAsync(TimeSpan interval)
    {
        var last = TimeSpan.FromMilliseconds(1);
        await ArmedAsync(interval);
        Advance(interval - last);
        Assert.That(IsArmed(last), Is.True, $"nothing happens before {interval}");
        Advance(last);
    }

    private bool IsArmed(TimeSpan dueIn) => DueIn().Contains(dueIn);

    private IReadOnlyList<TimeSpan> DueIn()
    {
        var now = GetUtcNow();
        lock (_gate) return [.. _due.Values.Select(due => due - now)];
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(Task awaited, TimeSpan longest)
    {
        async Task<bool> DoneAsync()
        {
            await awaited;
            return true;
        }
        return RunAsync(DoneAsync(), longest);
    }

    /// <summary>The next timer that has not fired.</summary>
    private DateTimeOffset? Next()
    {
        var now = GetUtcNow();
        lock (_gate) return _due.Values.Where(due => due > now).Select(due => (DateTimeOffset?)due).Min();
    }

    private void Note(Timer timer, TimeSpan dueTime)
    {
        lock (_gate)
        {
            if (dueTime < TimeSpan.Zero) _due.Remove(timer);
            else _due[timer] = GetUtcNow() + dueTime;
        }
        _set.Raise();
    }

    private sealed class Timer(SteppedTime clock, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.Note(this, dueTime);
            return inner.Change(dueTime, period);
        }

        public void Dispose()
        {
            clock.Note(this, Timeout.InfiniteTimeSpan);
            inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            clock.Note(this, Timeout.InfiniteTimeSpan);
            return inner.DisposeAsync();
        }
    }
}
