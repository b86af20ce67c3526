namespace Piccolo.Core.Primitives;

/// <summary>
/// Lets one loop sleep until any of several signals is raised. <see cref="Mark"/> before the work, <see cref="WaitAsync"/> after it: what changed in
/// between ends the wait at once. For one loop, not thread-safe.
/// </summary>
public sealed class SignalSet(params ChangeSignal[] signals)
{
    private readonly long[] _seen = new long[signals.Length];

    /// <summary>Remembers what is known by now; the work that follows sees at least this.</summary>
    public void Mark()
    {
        for (var i = 0; i < signals.Length; i++) _seen[i] = signals[i].Version;
    }

    /// <summary>Waits for a change since <see cref="Mark"/>, at most <paramref name="timeout"/> long.</summary>
    public async Task WaitAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waits = signals.Select((signal, i) => signal.WaitAsync(_seen[i], waiting.Token)).Append(Task.Delay(timeout, time, waiting.Token));
        await Task.WhenAny(waits);
        await waiting.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }
}
