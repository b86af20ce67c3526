using System.Collections.Concurrent;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Apps.Plans;

/// <summary>
/// The apps that stand still for a while, for an export of their volumes. In memory only: what the owner wants does not change, so that after a kill of the
/// daemon they run as if nothing had been. Thread-safe.
/// </summary>
internal sealed class AppHolds
{
    private readonly ConcurrentDictionary<string, AppHold> _holds = new(StringComparer.Ordinal);
    private long _number;

    /// <summary>Raised when an app is to stand still, and when it may go on.</summary>
    public ChangeSignal Changed { get; } = new();

    public IEnumerable<AppHold> Current => _holds.Values;

    /// <exception cref="InvalidOperationException">Somebody holds the app already.</exception>
    public AppHold Take(string app)
    {
        var hold = new AppHold(app, Interlocked.Increment(ref _number), Release);
        if (!_holds.TryAdd(app, hold)) throw new InvalidOperationException($"The app '{app}' is held already.");
        Changed.Raise();
        return hold;
    }

    private void Release(AppHold hold)
    {
        if (_holds.TryRemove(KeyValuePair.Create(hold.App, hold))) Changed.Raise();
    }
}

/// <summary>One app stands still until this is disposed.</summary>
/// <param name="Number">Of no other hold: what was seen under an earlier one counts for nothing.</param>
internal sealed record AppHold(string App, long Number, Action<AppHold> Release) : IDisposable
{
    private readonly TaskCompletionSource<string?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when nothing of the app runs and its volumes are closed, with null; or with the sentence that says why not.</summary>
    public Task<string?> Ended => _ended.Task;

    public bool IsReached => _ended.Task is { IsCompletedSuccessfully: true };

    public void Report(string? obstacle) => _ended.TrySetResult(obstacle);

    public void Dispose() => Release(this);

    public bool Equals(AppHold? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => Number.GetHashCode();
}
