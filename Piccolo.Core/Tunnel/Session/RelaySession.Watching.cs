using System.Net;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>
/// Streams on which nothing moves. A relay whose lane is full loses the message that a user has gone; so it is asked whether it still knows the stream, and answers
/// only if it does. A probe goes behind the questions: its answer says that theirs would have come. Near a limit the longest silent streams are asked after at
/// once, and until the answer is here they count for nobody: what the relay forgot to tell locks no user out.
/// </summary>
internal sealed partial class RelaySession
{
    /// <summary>The relay's lane for answers holds 256 and drops what is beyond.</summary>
    private const int QuestionsAtOnce = 200;

    /// <summary>So many of them may be repeated ones: those who wait at a limit need room for new ones.</summary>
    private const int RepeatedAtOnce = QuestionsAtOnce / 2;

    /// <summary>So many streams at most count for nobody, asked after or waiting for their question: a limit is never exceeded by more.</summary>
    private const int MaxDoubted = 512;

    /// <summary>An answer may be dropped by a full lane; this many in a row, half a second apart, are not.</summary>
    private const int UnansweredToEnd = 3;

    /// <summary>Until the relay has answered one, every new stream is asked after, at most so many.</summary>
    private const int FirstQuestions = 16;

    private static readonly TimeSpan SuspectPause = TimeSpan.FromSeconds(0.5);

    /// <summary>Near a limit a stream is asked after when nothing has moved on it for this long: users of before are out of the way when the next ones come.</summary>
    private static readonly TimeSpan PressedIdle = TimeSpan.FromSeconds(1);

    /// <summary>An upload on which nothing moves takes no share from the others.</summary>
    private static readonly TimeSpan Resting = TimeSpan.FromSeconds(5);

    private readonly Lock _questions = new();
    private List<TunnelStream> _asked = [];
    private List<TunnelStream> _next = [];
    private int _firstQuestions;
    private int _doubted;

    private TimeSpan Pressed => PressedIdle < Options.StreamPong ? PressedIdle : Options.StreamPong;

    // A relay that never answered may be one that cannot: then silence says nothing.
    private volatile bool _answersQuestions;

    private async Task WatchStreamsAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var pause = Volatile.Read(ref _doubted) > 0 && SuspectPause < Options.StreamPong ? SuspectPause : Pressed;
            await Task.Delay(pause, Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested) return;
            foreach (var stream in _streams.Values.Where(stream => stream.Idle.Silence >= Resting)) stream.OnRest();
            GiveUpRound();
            Ask(stream => stream.Idle.Unanswered > 0 || stream.Idle.IsDoubted, RepeatedAtOnce);
            Ask(stream => stream.Idle.Silence >= (IsPressed(stream) ? Pressed : Options.StreamIdle));
        }
    }

    /// <summary>The answer to the probe of a round may have been dropped by a full lane: then the silence of the others says nothing.</summary>
    private void GiveUpRound()
    {
        lock (_questions)
        {
            if (_asked.Count == 0 || _asked.Any(stream => stream.Idle.SinceAsked < Options.StreamPong)) return;
            foreach (var stream in _asked.Concat(_next)) stream.Idle.IsAsked = false;
            (_asked, _next) = ([], []);
        }
    }

    private bool IsPressed(TunnelStream stream) => StreamCount * 2 >= Options.MaxStreams || scope.Addresses.IsHalfUsed(stream.Client);

    /// <returns>The limit that keeps the user out, or null: then the user counts.</returns>
    private string? Enter(IPEndPoint? client)
    {
        var limit = Full(client);
        if (limit is null || !_answersQuestions) return limit;
        var subscriber = limit == AddressLimit.Cause ? client : null;
        lock (_questions)
        {
            var silent = _streams.Values
                .Where(stream => !stream.Idle.IsDoubted && !stream.Idle.IsKnown && (subscriber is null || AddressLimit.IsSame(stream.Client, subscriber)))
                .OrderByDescending(stream => stream.Idle.Silence);
            foreach (var stream in silent.Take(Math.Min(QuestionsAtOnce, MaxDoubted - _doubted))) Doubt(stream);
        }
        AskDoubted();
        return Full(client);
    }

    /// <summary>Those that no question has reached yet.</summary>
    private void AskDoubted() => Ask(stream => stream.Idle is { IsDoubted: true, Unanswered: 0 });

    private string? Full(IPEndPoint? client) =>
        StreamCount - Volatile.Read(ref _doubted) >= Options.MaxStreams ? "stream_limit" : scope.Addresses.TryEnter(client) ? null : AddressLimit.Cause;

    /// <summary>Of those that fit, the longest silent. Questions that are asked while others are on their way have a probe of their own once those are answered.</summary>
    private void Ask(Func<TunnelStream, bool> fits, int atOnce = QuestionsAtOnce)
    {
        if (Options.StreamIdle == TimeSpan.Zero) return;
        lock (_questions)
        {
            var silent = _streams.Values.Where(stream => !stream.Idle.IsAsked && !stream.Idle.IsKnown && fits(stream)).OrderByDescending(stream => stream.Idle.Silence);
            foreach (var stream in silent.Take(atOnce - _asked.Count - _next.Count))
            {
                if (!Writer.PostCourtesy(ControlMessage.Question(stream.Key))) break;
                stream.Idle.Ask();
                if (_answersQuestions) Doubt(stream);
                _next.Add(stream);
            }
            if (_asked.Count > 0 || !NextRound()) return;
        }
        _ = PostProbe();
    }

    /// <summary>The relay has handled everything up to its probe.</summary>
    private void EndRound()
    {
        List<TunnelStream> forgotten = [];
        bool goesOn;
        lock (_questions)
        {
            foreach (var stream in _asked)
            {
                if (!stream.Idle.Judge()) Trust(stream);
                else if (_answersQuestions && stream.Idle.Unanswered >= UnansweredToEnd) forgotten.Add(stream);
            }
            goesOn = NextRound();
        }
        if (goesOn) _ = PostProbe();
        AskDoubted();
        if (forgotten.Count == 0) return;
        scope.Logger.StreamsForgotten(Number, forgotten.Count);
        foreach (var stream in forgotten) stream.Stop(DisconnectReason.Timeout);
    }

    private bool NextRound()
    {
        (_asked, _next) = (_next, []);
        return _asked.Count > 0;
    }

    /// <summary>Whether this relay answers at all is found out where the answer is sure.</summary>
    private void AskFirst(TunnelStream stream)
    {
        if (!_answersQuestions && _firstQuestions++ < FirstQuestions) Writer.PostCourtesy(ControlMessage.Question(stream.Key));
    }

    private void OnStreamKnown(TunnelStream stream)
    {
        _answersQuestions = true;
        lock (_questions)
        {
            stream.Idle.Answer();
            Trust(stream);
        }
    }

    private void Doubt(TunnelStream stream)
    {
        // One that was removed meanwhile has been counted out for good.
        if (stream.Idle.IsDoubted || !_streams.ContainsKey(stream.Key)) return;
        stream.Idle.IsDoubted = true;
        _doubted++;
        scope.Addresses.Doubt(stream.Client);
    }

    private void Trust(TunnelStream stream)
    {
        if (!stream.Idle.IsDoubted) return;
        stream.Idle.IsDoubted = false;
        _doubted--;
        scope.Addresses.Trust(stream.Client);
    }
}
