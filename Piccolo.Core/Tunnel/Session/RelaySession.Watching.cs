using System.Net;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>
/// Idle streams. A relay whose lane is full loses the message that a user has gone. So it is pinged for each idle stream, and answers only if it still knows
/// the stream. A probe follows the pings: its answer says that theirs would have come. Near a limit the streams that are idle longest are pinged at once, and
/// do not count until the answer is here: what the relay forgot to tell locks no user out.
/// </summary>
internal sealed partial class RelaySession
{
    /// <summary>The relay's lane for answers holds 256 and drops what is beyond.</summary>
    private const int MaxPingsUnderWay = 200;

    /// <summary>Repeated pings take half of the room: users who wait at a limit need the rest.</summary>
    private const int MaxRepeatedPings = MaxPingsUnderWay / 2;

    /// <summary>Streams that do not count, pinged or waiting for their ping: a limit is never exceeded by more.</summary>
    private const int MaxSuspects = 512;

    /// <summary>A full lane may drop one answer, but not this many in a row, half a second apart.</summary>
    private const int UnansweredPingsToEnd = 3;

    /// <summary>Until the relay has answered a ping, so many new streams are pinged at most.</summary>
    private const int MaxPingsOfNewStreams = 16;

    private static readonly TimeSpan SuspectPause = TimeSpan.FromSeconds(0.5);

    /// <summary>Near a limit a stream is pinged when it was idle for this long: streams of former users are gone when the next users come.</summary>
    private static readonly TimeSpan PressedIdle = TimeSpan.FromSeconds(1);

    /// <summary>An upload on which nothing moves takes no share from the others.</summary>
    private static readonly TimeSpan UploadIdleAfter = TimeSpan.FromSeconds(5);

    private readonly Lock _pingGate = new();
    private List<TunnelStream> _pinged = [];
    private List<TunnelStream> _next = [];
    private int _pingsOfNewStreams;
    private int _suspects;

    private TimeSpan Pressed => PressedIdle < Options.StreamPong ? PressedIdle : Options.StreamPong;

    // A relay that never answered a ping may not know pings: then a missing answer says nothing.
    private volatile bool _answersPings;

    private async Task WatchStreamsAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Pause(), Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested) return;
            foreach (var stream in _streams.Values.Where(stream => stream.Idle.Silence >= UploadIdleAfter)) stream.OnIdle();
            AbandonRound();
            PingIdleStreams(stream => stream.Idle.UnansweredPings > 0 || stream.Idle.IsSuspect, MaxRepeatedPings);
            PingIdleStreams(stream => stream.Idle.Silence >= (IsPressed(stream) ? Pressed : Options.StreamIdle));
        }
    }

    /// <summary>The answer to the probe of a round may have been dropped by a full lane: then the missing answers of the others say nothing.</summary>
    private void AbandonRound()
    {
        lock (_pingGate)
        {
            if (_pinged.Count == 0 || _pinged.Any(stream => stream.Idle.SincePing < Options.StreamPong)) return;
            foreach (var stream in _pinged.Concat(_next)) stream.Idle.IsPinged = false;
            (_pinged, _next) = ([], []);
        }
    }

    private TimeSpan Pause()
    {
        if (Volatile.Read(ref _suspects) > 0 && SuspectPause < Options.StreamPong) return SuspectPause;
        return StreamCount * 2 >= Math.Min(Options.MaxStreams, Options.MaxStreamsPerAddress) ? Pressed : Options.StreamPong;
    }

    private bool IsPressed(TunnelStream stream) => StreamCount * 2 >= Options.MaxStreams || scope.Addresses.IsHalfUsed(stream.Client);

    /// <returns>The limit that keeps the user out, or null: then the user counts.</returns>
    private string? Enter(IPEndPoint? client)
    {
        var limit = EnterUnlessLimited(client);
        if (limit is null || !_answersPings) return limit;
        var subscriber = limit == AddressLimit.Cause ? client : null;
        lock (_pingGate)
        {
            var idle = _streams.Values
                .Where(stream => stream.Idle is { IsSuspect: false, WasJustAnswered: false })
                .Where(stream => subscriber is null || AddressLimit.IsSame(stream.Client, subscriber))
                .OrderByDescending(stream => stream.Idle.Silence);
            foreach (var stream in idle.Take(Math.Min(MaxPingsUnderWay, MaxSuspects - _suspects))) Suspect(stream);
        }
        PingSuspects();
        return EnterUnlessLimited(client);
    }

    /// <summary>Pings the suspects that have not been pinged yet.</summary>
    private void PingSuspects() => PingIdleStreams(stream => stream.Idle is { IsSuspect: true, UnansweredPings: 0 });

    private string? EnterUnlessLimited(IPEndPoint? client) =>
        StreamCount - Volatile.Read(ref _suspects) >= Options.MaxStreams ? "stream_limit" : scope.Addresses.TryEnter(client) ? null : AddressLimit.Cause;

    /// <summary>Of those that fit, the ones idle longest. Pings sent while others are under way get a probe of their own once those are answered.</summary>
    private void PingIdleStreams(Func<TunnelStream, bool> fits, int atOnce = MaxPingsUnderWay)
    {
        if (Options.StreamIdle == TimeSpan.Zero) return;
        lock (_pingGate)
        {
            var idle = _streams.Values.Where(stream => !stream.Idle.IsPinged && !stream.Idle.WasJustAnswered && fits(stream))
                .OrderByDescending(stream => stream.Idle.Silence);
            foreach (var stream in idle.Take(atOnce - _pinged.Count - _next.Count))
            {
                if (!Writer.PostCourtesy(ControlMessage.PingStream(stream.Key))) break;
                stream.Idle.BeginPing();
                if (_answersPings) Suspect(stream);
                _next.Add(stream);
            }
            if (_pinged.Count > 0 || !BeginNextRound()) return;
        }
        _ = PostProbe();
    }

    /// <summary>The relay has handled everything up to its probe.</summary>
    private void EndRound()
    {
        List<TunnelStream> unknown = [];
        bool goesOn;
        lock (_pingGate)
        {
            foreach (var stream in _pinged)
            {
                if (!stream.Idle.EndPing()) ClearSuspicion(stream);
                else if (_answersPings && stream.Idle.UnansweredPings >= UnansweredPingsToEnd) unknown.Add(stream);
            }
            goesOn = BeginNextRound();
        }
        if (goesOn) _ = PostProbe();
        PingSuspects();
        if (unknown.Count == 0) return;
        scope.Logger.StreamsForgotten(Number, unknown.Count);
        foreach (var stream in unknown) stream.Stop(DisconnectReason.Timeout);
    }

    private bool BeginNextRound()
    {
        (_pinged, _next) = (_next, []);
        return _pinged.Count > 0;
    }

    /// <summary>Finds out whether this relay answers pings at all: of a new stream it surely does.</summary>
    private void PingNewStream(TunnelStream stream)
    {
        if (!_answersPings && _pingsOfNewStreams++ < MaxPingsOfNewStreams) Writer.PostCourtesy(ControlMessage.PingStream(stream.Key));
    }

    private void OnStreamPong(TunnelStream stream)
    {
        _answersPings = true;
        lock (_pingGate)
        {
            stream.Idle.OnPong();
            ClearSuspicion(stream);
        }
    }

    private void Suspect(TunnelStream stream)
    {
        // One that was removed meanwhile has been counted out for good.
        if (stream.Idle.IsSuspect || !_streams.ContainsKey(stream.Key)) return;
        stream.Idle.IsSuspect = true;
        _suspects++;
        scope.Addresses.Suspect(stream.Client);
    }

    private void ClearSuspicion(TunnelStream stream)
    {
        if (!stream.Idle.IsSuspect) return;
        stream.Idle.IsSuspect = false;
        _suspects--;
        scope.Addresses.ClearSuspicion(stream.Client);
    }
}
