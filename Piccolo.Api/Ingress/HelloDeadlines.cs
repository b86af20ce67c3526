using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress;

/// <summary>
/// The limits of all who are awaited on one loop, looked at together a few times a second: a timer for each would wake two threads each time, and slow clients
/// come by the thousand. A limit may be passed by <see cref="Every"/>. On the loop's thread only.
/// </summary>
internal sealed class HelloDeadlines : ISocketWatcher, IDisposable
{
    /// <summary>So many that are due in a row, then the loop's other connections get their turn.</summary>
    private const int FairShare = 32;

    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    private readonly List<UnreadHello> _waiting = [];
    private readonly SocketLoop _loop;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private bool _isTicking;
    private int _left;

    public HelloDeadlines(SocketLoop loop, TimeProvider time)
    {
        (_loop, _time) = (loop, time);
        _timer = time.CreateTimer(static d => ((HelloDeadlines)d!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(UnreadHello hello)
    {
        hello.Seat = _waiting.Count;
        _waiting.Add(hello);
        if (_isTicking) return;
        _isTicking = true;
        _timer.Change(Every, Every);
    }

    public void Remove(UnreadHello hello)
    {
        var last = _waiting[^1];
        (_waiting[hello.Seat], last.Seat) = (last, hello.Seat);
        _waiting.RemoveAt(_waiting.Count - 1);
    }

    public void Dispose() => _timer.Dispose();

    bool ISocketWatcher.OnReady(SocketReadiness readiness)
    {
        var now = _time.GetTimestamp();
        if (_left == 0) _left = _waiting.Count;
        // From the end: whoever takes the seat of one that leaves was looked at already.
        for (var due = 0; _left > 0;)
        {
            if (--_left >= _waiting.Count || _waiting[_left].Due > now) continue;
            _waiting[_left].OnDue();
            if (++due == FairShare) return true;
        }
        if (_waiting.Count == 0) Rest();
        return false;
    }

    private void Tick() => _loop.Post(this);

    private void Rest()
    {
        _isTicking = false;
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
