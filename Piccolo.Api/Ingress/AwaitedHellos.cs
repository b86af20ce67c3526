using System.Net.Sockets;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tls;

namespace Piccolo.Api.Ingress;

/// <summary>A client to be served.</summary>
/// <param name="Hello">Null when it must be read first.</param>
/// <param name="AwaitedSince">For one that was awaited: the timestamp from which its limits count.</param>
internal readonly record struct Arrival(AcceptedClient Client, PeekedHello? Hello = null, long? AwaitedSince = null);

/// <summary>
/// The clients of an acceptor whose ClientHello is not whole yet. Their limits are looked at together a few times a second: a timer for each would wake two
/// threads each time, and slow clients come by the thousand. A limit may be passed by <see cref="Every"/>. On the loop's thread only.
/// </summary>
internal sealed class AwaitedHellos : ISocketWatcher, IDisposable
{
    /// <summary>So many that are due in a row, then the loop's other connections get their turn.</summary>
    private const int FairShare = 32;

    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    private readonly List<AwaitedHello> _waiting = [];
    private readonly HelloAdmission _admission;
    private readonly Action<Arrival> _serve;
    private readonly ITimer _timer;
    private bool _isTicking;
    private int _left;

    /// <param name="serve">For who was awaited and has said enough. On the loop's thread.</param>
    public AwaitedHellos(SocketLoop loop, HelloAdmission admission, TimeProvider time, Action<Arrival> serve)
    {
        (Loop, _admission, Time, _serve) = (loop, admission, time, serve);
        _timer = time.CreateTimer(static hellos => ((AwaitedHellos)hellos!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public SocketLoop Loop { get; }

    public TimeProvider Time { get; }

    public IngressOptions Limits => _admission.Limits;

    /// <summary>Looks at a client that has just come.</summary>
    /// <returns>Whether it can be served now. Otherwise it is awaited, or was turned away.</returns>
    public bool TryLook(AcceptedClient client, out Arrival arrival)
    {
        arrival = new Arrival(client);
        if (!_admission.HasRoom(client)) return false;
        // A trusted proxy speaks first of somebody else.
        if (_admission.IsProxy(client)) return true;
        try
        {
            var hello = HelloLook.At(client, out var seen);
            if (hello.Verdict == ClientHelloVerdict.NeedMore)
            {
                if (seen == 0) _admission.Refuse(client, PeekFailure.Closed);
                else if (HelloLook.IsTooSmallFor(hello)) return true;
                else if (_admission.TryEnter(client, out var place)) Add(new AwaitedHello(client, place, this, Time.GetTimestamp()), hello, seen);
                return false;
            }
            var peeked = PeekedHello.Of(hello);
            arrival = new Arrival(client, peeked);
            if (peeked.Failure == PeekFailure.None) return true;
            _admission.Refuse(client, peeked.Failure);
        }
        catch (SocketException)
        {
            // A reset, as port scanners end their visits.
            _admission.Refuse(client, PeekFailure.Closed);
        }
        return false;
    }

    /// <param name="hello">Null: it must be read.</param>
    public void Ended(AwaitedHello awaited, PeekedHello? hello)
    {
        if (awaited.Place >= 0) Loop.Remove(awaited.Client, awaited.Place);
        var last = _waiting[^1];
        (_waiting[awaited.Seat], last.Seat) = (last, awaited.Seat);
        _waiting.RemoveAt(_waiting.Count - 1);
        _admission.Leave(awaited.Admitted);
        if (hello is { Failure: not PeekFailure.None and var failure }) _admission.Refuse(awaited.Client, failure);
        else _serve(new Arrival(awaited.Client, hello, awaited.Began));
    }

    /// <summary>Ends a client for which the server has no room.</summary>
    public void Refuse(AcceptedClient client) => _admission.Refuse(client, PeekFailure.Busy);

    /// <summary>Waits for nobody any more.</summary>
    public void Stop()
    {
        while (_waiting.Count > 0) _waiting[^1].Stop();
    }

    /// <summary>From any thread.</summary>
    public void Dispose() => _timer.Dispose();

    bool ISocketWatcher.OnReady(SocketReadiness readiness)
    {
        var now = Time.GetTimestamp();
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

    private void Add(AwaitedHello awaited, in ClientHello first, int seen)
    {
        awaited.Seat = _waiting.Count;
        _waiting.Add(awaited);
        awaited.Begin(first, seen);
        if (_isTicking) return;
        _isTicking = true;
        _timer.Change(Every, Every);
    }

    private void Tick() => Loop.Post(this);

    private void Rest()
    {
        _isTicking = false;
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
