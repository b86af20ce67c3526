using System.Net;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>
/// Streams on which nothing moves. A relay whose lane is full loses the message that a user has gone; so it is asked whether it still knows the stream, and answers
/// only if it does. A probe goes behind the questions: its answer says that theirs would have come. Near a limit the longest silent streams are asked after at
/// once, and while the answer is on its way they count for nobody: what the relay forgot to tell locks no user out.
/// </summary>
internal sealed partial class NexusSession
{
    /// <summary>The relay's lane for answers holds 256 and drops what is beyond.</summary>
    private const int QuestionsAtOnce = 200;

    /// <summary>An answer may be dropped by a full lane; this many in a row, half a second apart, are not.</summary>
    private const int UnansweredToEnd = 3;

    /// <summary>Until the relay has answered one, every new stream is asked after, at most so many.</summary>
    private const int FirstQuestions = 16;

    private static readonly TimeSpan SuspectPause = TimeSpan.FromSeconds(0.5);

    /// <summary>An upload on which nothing moves takes no share from the others.</summary>
    private static readonly TimeSpan Resting = TimeSpan.FromSeconds(5);

    private readonly Lock _questions = new();
    private List<TunnelStream> _asked = [];
    private List<TunnelStream> _next = [];
    private int _firstQuestions;
    private int _doubted;

    // A relay that never answered may be one that cannot: then silence says nothing.
    private volatile bool _answersQuestions;

    private async Task WatchStreamsAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var pause = Volatile.Read(ref _doubted) > 0 && SuspectPause < Options.StreamPong ? SuspectPause : Options.StreamPong;
            await Task.Delay(pause, Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested) return;
            foreach (var stream in _streams.Values.Where(stream => stream.Idle.Silence >= Resting)) stream.OnRest();
            GiveUpRound();
            Ask(stream => stream.Idle.Unanswered > 0 || stream.Idle.IsDoubted || stream.Idle.Silence >= (IsPressed(stream) ? Options.StreamPong : Options.StreamIdle));
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
        Ask(stream => !stream.Idle.IsDoubted && (subscriber is null || AddressLimit.IsSame(stream.Client, subscriber)));
        return Full(client);
    }

    private string? Full(IPEndPoint? client) =>
        StreamCount - Volatile.Read(ref _doubted) >= Options.MaxStreams ? "stream_limit" : scope.Addresses.TryEnter(client) ? null : AddressLimit.Cause;

    /// <summary>Of those that fit, the longest silent. Questions that are asked while others are on their way have a probe of their own once those are answered.</summary>
    private void Ask(Func<TunnelStream, bool> fits)
    {
        if (Options.StreamIdle == TimeSpan.Zero) return;
        lock (_questions)
        {
            var silent = _streams.Values.Where(stream => !stream.Idle.IsAsked && !stream.Idle.IsKnown && fits(stream)).OrderByDescending(stream => stream.Idle.Silence);
            foreach (var stream in silent.Take(QuestionsAtOnce - _asked.Count - _next.Count))
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
