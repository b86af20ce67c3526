using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps;

/// <summary>Several signals that one loop waits for.</summary>
internal sealed class SignalSet(params IReadOnlyList<ChangeSignal> signals)
{
    /// <summary>To be read before the work, so that what changes meanwhile ends the next wait at once.</summary>
    public long[] Versions() => [.. signals.Select(s => s.Version)];

    /// <summary>Returns once any signal was raised since <paramref name="seen"/>, or after <paramref name="timeout"/>.</summary>
    public async Task WaitAsync(long[] seen, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny([.. signals.Select((signal, i) => signal.WaitAsync(seen[i], waiting.Token)), Task.Delay(timeout, time, waiting.Token)]);
        await waiting.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }
}
