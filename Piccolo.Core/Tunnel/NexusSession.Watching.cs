namespace Piccolo.Core.Tunnel;

/// <summary>
/// Streams on which nothing moves. A relay whose lane is full may lose the message that a user has gone; so it is asked, now and then, whether it still knows
/// the stream. It answers only if it does.
/// </summary>
internal sealed partial class NexusSession
{
    /// <summary>The relay's lane for answers holds 256 and drops what is beyond.</summary>
    private const int QuestionsAtOnce = 32;

    /// <summary>An answer may be dropped by a full lane; this many in a row are not.</summary>
    private const int UnansweredToEnd = 3;

    private volatile bool _answersQuestions;

    private async Task WatchStreamsAsync(CancellationToken cancellationToken)
    {
        if (Options.StreamIdle == TimeSpan.Zero) return;
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Options.StreamPong, Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!cancellationToken.IsCancellationRequested) AskAfterIdleStreams();
        }
    }

    private void AskAfterIdleStreams()
    {
        var asked = 0;
        foreach (var stream in _streams.Values)
        {
            var idle = stream.Idle;
            if (idle.Look(Time) < Options.StreamIdle) continue;
            // A relay that never answered may be one that cannot: then silence says nothing.
            if (idle.Unanswered >= UnansweredToEnd && _answersQuestions)
            {
                scope.Logger.StreamForgotten(stream.Id);
                stream.Stop(DisconnectReason.Timeout);
            }
            else if (asked++ < QuestionsAtOnce)
            {
                idle.Unanswered++;
                Writer.PostCourtesy(ControlMessage.Question(stream.Key));
            }
        }
    }

    private void OnStreamKnown(TunnelStream stream)
    {
        _answersQuestions = true;
        stream.Idle.Touch();
    }
}
