using Piccolo.Core.Tunnel.Streams;
using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>
/// A request that every relay refuses is the one thing that it always answers, and only to a session that it took in: the answer is the acknowledgement that
/// the protocol lacks, the measure of the way, and a sign of life.
/// </summary>
internal sealed partial class RelaySession
{
    private volatile SentProbe? _probe;
    private TimeSpan? _leastRoundTrip;

    /// <summary>Ends the session unless the relay answers in time. One that never answered such a request is left to the keep-alive.</summary>
    public async Task RequireAnswerAsync()
    {
        if (RoundTrip is null) return;
        var answered = PostProbe();
        using var waiting = new CancellationTokenSource();
        await Task.WhenAny(answered, Completion, Task.Delay(Options.WakePatience, Time, waiting.Token));
        await waiting.CancelAsync();
        if (!answered.IsCompleted && !Completion.IsCompleted) End(TunnelFailure.Silent);
    }

    /// <summary>Until everything has come that the relay had sent by now: a user may be on the way to a session that looks empty.</summary>
    private async Task AwaitPendingConnectsAsync(CancellationToken cancellationToken)
    {
        // Who lets nobody in any more has nobody to wait for.
        if (!_acknowledged.Task.IsCompleted || Volatile.Read(ref _served).IsEmpty) return;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(PostProbe(), Completion, Task.Delay(Options.WakePatience, Time, waiting.Token));
        await waiting.CancelAsync();
    }

    private Task PostProbe()
    {
        // Who waits for an earlier answer is content with a later one.
        var probe = new SentProbe(StreamId.New(), Time.GetTimestamp(), _probe?.Answered ?? NewSource());
        _probe = probe;
        Require(Writer.Post(ControlMessage.Probe(probe.Id)));
        return probe.Answered.Task;
    }

    private void OnProbeAnswered(ControlMessage control, SentProbe probe)
    {
        // No relay connects to an empty address; if one says so, whatever it opened is closed again.
        if (control.Success == true) Writer.PostCourtesy(ControlMessage.Disconnect(control.ClientId, DisconnectReason.Normal));
        _probe = null;
        probe.Answered.TrySetResult();
        EndRound();
        if (_acknowledged.TrySetResult()) return;
        RoundTrip = Time.GetElapsedTime(probe.Sent);
        if (_leastRoundTrip is null || RoundTrip < _leastRoundTrip) _leastRoundTrip = RoundTrip;
        _measured.TrySetResult();
        scope.Changed();
    }

    /// <summary>Again and again, as long as the relay answers: a figure of yesterday is none.</summary>
    private async Task MeasureAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Options.MeasureInterval, Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (RoundTrip is not null && !cancellationToken.IsCancellationRequested) _ = PostProbe();
        }
    }

    private sealed record SentProbe(StreamId Id, long Sent, TaskCompletionSource Answered);
}
