using System.Net.Sockets;
using Piccolo.Core.Primitives;
using Piccolo.Core.Tls;

namespace Piccolo.Api.Ingress;

/// <summary>
/// A client whose ClientHello is not whole yet, and for whom the server has no connection. The kernel counts its bytes and keeps their time, so that who sends
/// them one by one wakes nobody: there is a look at the first byte, one when the length of the whole is known, one at the last. On the loop's thread only.
/// </summary>
/// <param name="admitted">What it holds of the limits.</param>
/// <param name="began">The timestamp from which the limits count.</param>
internal sealed class AwaitedHello(AcceptedClient client, HelloPlace admitted, AwaitedHellos all, long began) : ISocketWatcher
{
    /// <summary>So often a socket may call for nothing; then this kernel does not count, or has no room for more.</summary>
    private const int MaxIdleCalls = 3;

    private const SocketReadiness Ended = SocketReadiness.PeerEnded | SocketReadiness.HungUp | SocketReadiness.Failed;

    private int _minimum = 1;
    private int _idleCalls;
    private bool _hasBegun;
    private bool _isOver;

    public AcceptedClient Client => client;

    public HelloPlace Admitted => admitted;

    public long Began => began;

    /// <summary>The timestamp at which it may have taken too long.</summary>
    public long Due { get; private set; }

    /// <summary>Where <see cref="AwaitedHellos"/> keeps it.</summary>
    public int Seat { get; set; }

    /// <summary>Its place on the loop; negative before it has one.</summary>
    public int Place { get; private set; } = -1;

    /// <param name="first">What the first look said.</param>
    /// <param name="seen">How many bytes it saw.</param>
    public void Begin(in ClientHello first, int seen)
    {
        try
        {
            Expect(first.MinimumLength, seen);
            // Last: what is there by now is told at once.
            Place = all.Loop.Add(client, this);
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            End(PeekedHello.Failed(failure is IOException ? PeekFailure.Busy : PeekFailure.Closed));
        }
    }

    public bool OnReady(SocketReadiness readiness)
    {
        // Apart: what follows an end is no affair of this client's any more.
        if (!_isOver && IsEnough(readiness, out var hello)) End(hello);
        return false;
    }

    /// <summary><see cref="Due"/> has come. Bytes may have come meanwhile for which nobody was called.</summary>
    public void OnDue()
    {
        if (!Wait(_hasBegun ? ReceiveQueue.SilenceOf(client) : TimeSpan.Zero)) End(PeekedHello.Failed(PeekFailure.Timeout));
    }

    /// <summary>The server stops.</summary>
    public void Stop() => End(PeekedHello.Failed(PeekFailure.Closed));

    /// <param name="found">What it ends with.</param>
    private bool IsEnough(SocketReadiness readiness, out PeekedHello? found)
    {
        found = null;
        try
        {
            var hello = HelloLook.At(client, out var seen);
            if (hello.Verdict != ClientHelloVerdict.NeedMore)
            {
                found = PeekedHello.Of(hello);
                return true;
            }
            // The look came after the end was told, so nothing more can follow.
            if (seen != 0 && (readiness & Ended) == 0)
            {
                if (HelloLook.IsTooSmallFor(hello) || (seen < _minimum && ++_idleCalls >= MaxIdleCalls)) return true;
                Expect(hello.MinimumLength, seen);
                return false;
            }
        }
        catch (SocketException)
        {
            // A reset.
        }
        found = PeekedHello.Failed(PeekFailure.Closed);
        return true;
    }

    private void Expect(int minimum, int seen)
    {
        _hasBegun = seen > 0;
        _ = Wait(TimeSpan.Zero);
        if (minimum == _minimum) return;
        _minimum = minimum;
        ReceiveQueue.TellFrom(client, minimum);
    }

    /// <returns>False when it has taken too long already.</returns>
    private bool Wait(TimeSpan silent)
    {
        var now = all.Time.GetTimestamp();
        var left = all.Limits.PeekLeft(all.Time.GetElapsedTime(began, now), _hasBegun, silent);
        // Never a moment too early, for that would only be another look.
        Due = now + (long)Math.Ceiling(left.TotalSeconds * all.Time.TimestampFrequency);
        return left > TimeSpan.Zero;
    }

    /// <param name="hello">Null: it must be read, for it is too large for a look, or the kernel does not help.</param>
    private void End(PeekedHello? hello)
    {
        _isOver = true;
        try
        {
            // As it was: the next who watches is told of each byte again.
            if (_minimum != 1) ReceiveQueue.TellFrom(client, 1);
        }
        catch (SocketException)
        {
            hello = PeekedHello.Failed(PeekFailure.Closed);
        }
        all.Ended(this, hello);
    }
}
